"""What an image is, in values and pure functions: names, digests, keys, layer plans, roots, configs, manifests.

Nothing here knows of Twisted, the operating system or the clock."""
