"""A site's settings and models, and what another policy would have decided."""
