"""What operators run: doctor, backup and restore, new keys."""


class Refused(Exception):
    """Raised if a request is impossible in the present state; the message says why, and what to do
    first.
    """
