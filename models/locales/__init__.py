"""The texts that readers see on pages and in mail: one file for each language."""
