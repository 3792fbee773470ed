"""One file for each check. A check looks at a batch of comments and leaves one piece of evidence on
each of them; it decides nothing.
"""
