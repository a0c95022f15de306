"""Pages for people: what this registry is and how to pull from it."""
