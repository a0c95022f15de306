"""Makes `twistd nixery` known; the daemon itself is wired in nixery.tap."""

from twisted.application.service import ServiceMaker

nixery = ServiceMaker(
    "nixery", "nixery.tap", "A Docker and OCI registry that builds images on demand with Nix", "nixery"
)
