"""Which passwords an account may have: long enough, and not among those that are guessed first."""

from __future__ import annotations

SHORTEST = 10
# zxcvbn estimates how many guesses a password takes, from lists of common passwords, words and
# names and from what people do to them (digits behind, letters as signs, rows of keys). The first
# hundred thousand hold the 3,000 most common passwords of ten letters and more that OWASP ASVS
# v5.0.0-6.2.4 asks for.
LEAST_GUESSES = 100_000
MOST_JUDGED = 72  # letters; the estimate's cost grows with the square of the length


def check(password: str, *, email: str) -> None:
    """Raises ValueError, in words, for a password that is too short or too easy to guess."""
    check_length(password)
    if is_easy(password, email=email):
        raise ValueError(
            "This password is one of those that are guessed first. Choose another one, like "
            "four words."
        )


def check_length(password: str) -> None:
    """Raises ValueError, in words, for a password that is too short."""
    if len(password) < SHORTEST:
        raise ValueError(f"A password has at least {SHORTEST} characters.")


def is_easy(password: str, *, email: str) -> bool:
    """Whether the password is one of those that are guessed first."""
    return _guesses(password[:MOST_JUDGED], email) < LEAST_GUESSES


def _guesses(password: str, email: str) -> float:
    from zxcvbn import zxcvbn  # noqa: PLC0415 — 13 MB, for the few requests that set a password

    known = ["greenroom", email, *email.partition("@")[::2]]
    return float(zxcvbn(password, [word for word in known if word])["guesses"])
