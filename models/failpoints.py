"""Where a test may end this process, at the very worst moments: right after a commit, right before a send.

`GREENROOM_FAILPOINT=name[:count]` ends it, as `kill -9` would, when it comes to that point for the count-th time.
"""

from __future__ import annotations

import os
from itertools import count

STATUS = 70
_name, _, _times = os.environ.get("GREENROOM_FAILPOINT", "").partition(":")
_passed = count(1)


def failpoint(name: str) -> None:
    if name == _name and next(_passed) >= int(_times or 1):
        os._exit(STATUS)
