"""Seeds for the drawing beside a comment's name.

A seed depends on the thread and the name, which every reader sees anyway, so two equal drawings
reveal nothing about the email address. An earlier release made the seed from the email address:
anyone who guessed an address could confirm it by posting a comment.
"""

from __future__ import annotations

from models.store.secrets import keyed_hash

DIGITS = 5  # hexadecimal; the embed draws one trait from each
# values of `comments.avatar_from`; a later release may add seeds that signed-in users bring
FROM_NAME = "name"


def avatar_of(name: str, thread_id: int) -> str:
    """Return the seed of this name in this thread. Case and white space make no difference."""
    return keyed_hash("avatar from name", str(thread_id), " ".join(name.casefold().split()))[
        :DIGITS
    ]
