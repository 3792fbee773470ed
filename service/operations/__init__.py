"""What those who run Greenroom ask for: examining and mending, backup and restoring, new keys."""


class Refused(Exception):
    """What was asked for cannot be done as things are; the message says why, and what
    to do first.
    """
