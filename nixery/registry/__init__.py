"""The HTTP face: routes, content negotiation, blobs on their way out, and errors as registry JSON."""
