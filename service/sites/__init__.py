"""A site's settings and models, and a replay of past comments with another policy."""
