"""What strangers typed: cleaned, rendered, compared."""
