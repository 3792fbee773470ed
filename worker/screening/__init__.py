"""Screening: load a batch, run every check, decide, settle."""
