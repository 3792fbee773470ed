"""`make chaos`: parts are killed, stopped, cut off and emptied under load; then every truth is
checked.
"""
