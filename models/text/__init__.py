"""Text that strangers typed: cleaning, rendering, comparing."""
