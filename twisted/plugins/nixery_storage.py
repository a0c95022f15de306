"""The storage backends that Nixery brings along; see nixery.storage.interfaces.IStorageBackend for adding one."""

from nixery.storage.backend import Backend

filesystem = Backend("filesystem", "nixery.storage.filesystem.make")
gcs = Backend("gcs", "nixery.storage.gcs.make")
memory = Backend("memory", "nixery.storage.memory.make")
s3 = Backend("s3", "nixery.storage.s3.make", extra="s3")
