"""The drawing beside a comment's name: which of a million it is.

It follows from what every reader sees anyway, the name and the thread, so an equal drawing says
nothing about the email address. Drawings made before followed from the address: whoever guessed one
could confirm it with a comment.
"""

from __future__ import annotations

from models.store.secrets import keyed_hash

DIGITS = 5  # hexadecimal; the embed draws one trait from each
# what a comment's `avatar` was made from; a proven identity may bring a seed of its own one day
FROM_NAME = "name"


def avatar_of(name: str, thread_id: int) -> str:
    """The same for each spelling that differs only in case and blanks."""
    return keyed_hash("avatar from name", str(thread_id), " ".join(name.casefold().split()))[
        :DIGITS
    ]
