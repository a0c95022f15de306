"""What N costs the daemon, for N requests, images, paths and layers."""
