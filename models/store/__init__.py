"""The stores: the database, the storage of pages, the keys."""
