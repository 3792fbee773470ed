"""The gate of the web process: it reads requests without holding a thread, and gives Flask only
complete ones.

Granian's RSGI calls `Gate` on an event loop. The gate waits there for a request's body under a
deadline, so a slow or silent client costs a connection and nothing else. Flask then runs in one of
a few threads (`lanes.py`).

This package imports nothing: Granian's main process loads only `serving.py`, and stays small.
"""
