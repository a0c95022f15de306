"""Command line tools: each module turns argv into calls of the rooms below, and nothing more."""
