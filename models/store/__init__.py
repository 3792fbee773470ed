"""Where everything is kept: the database, the storage of pages, the keys."""
