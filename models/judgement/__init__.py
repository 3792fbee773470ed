"""Evidence, policies and decisions. Nothing in here uses the database."""
