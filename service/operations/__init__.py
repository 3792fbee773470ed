"""Tasks for operators: doctor, backup, restore, new keys."""


class Refused(Exception):
    """Raised if a request is impossible in the present state; the message says why, and what to do
    first.
    """
