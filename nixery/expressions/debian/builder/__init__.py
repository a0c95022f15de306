"""Unpacks Debian packages into a store path: run by Nix on the host's Python, 3.9 or newer, without libraries."""
