"""The storage backends that Nixery brings along; see nixery.storage.interfaces.IStorageBackend for adding one."""

from nixery.storage.backend import Backend

filesystem = Backend("filesystem", "nixery.storage.filesystem.make")
memory = Backend("memory", "nixery.storage.memory.make")
