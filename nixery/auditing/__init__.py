"""What a whole storage holds: verified, and counted."""
