"""A Docker and OCI registry that builds container images on demand with Nix."""

__version__ = "0.1.0"
