"""How long a request's body may be, in bytes. Flask and the gate in front of it use the same
limits.
"""

from __future__ import annotations

COMMENT_BYTES = 128 * 1024
CONSOLE_BYTES = 64 * 1024
MOST_BYTES = 2 * 1024 * 1024  # a policy with its word lists
