"""`make chaos`: kill, stop, cut off and empty parts under load, then check that every rule still
holds.
"""
