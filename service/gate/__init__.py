"""The gate of the web process: it reads requests without holding a thread, and gives Flask the
whole ones.

Granian's RSGI calls `Gate` on an event loop. There a request's body is awaited under a deadline, so
that a slow or silent client costs a connection and nothing else. Flask then runs in one of a few
threads (`lanes.py`).

Nothing is imported here: Granian's main process loads `serving.py` alone, and stays small.
"""
