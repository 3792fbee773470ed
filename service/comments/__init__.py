"""A comment on its way in, and the stored pages on their way out."""
