"""Waiting well: shared work in flight, limits, child processes that end, and a pool for CPU work."""
