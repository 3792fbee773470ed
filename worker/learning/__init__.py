"""Training a site's own model, in a process of its own."""
