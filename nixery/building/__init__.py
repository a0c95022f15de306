"""From an image name to a stored image record: the pipeline that calls every room below, top to bottom."""
