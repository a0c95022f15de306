"""Things fetched over HTTP: bounded in time and size, and in the daemon's memory no longer than they are needed."""
