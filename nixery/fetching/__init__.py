"""HTTP as a client, bounded in time and size; and the popularity of packages, which is fetched by it."""
