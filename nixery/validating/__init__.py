"""Checks images in a registry from outside, by the specifications: nothing here is shared with what makes them."""
