"""The Nix driver: runs nix-build, reads its log, and reads the closure of what it built."""
