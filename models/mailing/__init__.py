"""Mail to readers: what Greenroom owes, how a letter is written, and how a mail server is spoken
to. `worker/mail/` sends it.
"""
