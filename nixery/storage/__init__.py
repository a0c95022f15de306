"""Where blobs and records live: the interfaces, and the backends that provide them."""
