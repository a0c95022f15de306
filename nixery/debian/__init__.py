"""From apt's package lists to an index that the Debian package set evaluates."""
