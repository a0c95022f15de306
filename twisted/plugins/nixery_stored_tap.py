"""Makes `twistd nixery-storage` known, which is wired in nixery.tap.stored."""

from twisted.application.service import ServiceMaker

nixery_storage = ServiceMaker(
    "nixery-storage", "nixery.tap.stored", "The registry of Nixery's stored images, which builds none", "nixery-storage"
)
