"""A comment on its way into the database, and the stored pages on their way out."""
