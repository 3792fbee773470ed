"""Which automatic decisions a human looks at blindly, so that the error rates shown are those of
all of them.
"""

from __future__ import annotations

from models.store.secrets import keyed_hash


def is_sampled(comment_id: str, share: float, decided: int) -> bool:
    """Whether this comment is among the share, the same each time it is asked; nobody outside can
    know.

    `decided` is about how many the site has decided: before there would be one in the sample on
    average, none is.
    """
    if share <= 0 or decided < 1 / share - 1:
        return False
    return int(keyed_hash("blind sample", comment_id)[:13], 16) / 16**13 < share
