"""What can be an email address: the same for commenters, for moderators, and for the check that
looks up its domain.
"""

from __future__ import annotations

from email_validator import EmailSyntaxError, ValidatedEmail, validate_email

MOST_EMAIL = 254  # RFC 5321 through RFC 3696, erratum 1690


def parsed_email(text: str) -> ValidatedEmail:
    """The parts of an address, normalised. Raises EmailNotValidError, in words, for what RFC 5321
    and 6531 rule out.

    A quoted part before the @ is rare, and legal. Whether the domain takes mail is not asked here,
    so .test is let through too.
    """
    if len(text) > MOST_EMAIL:  # the validator says so only after it has looked at all of it
        raise EmailSyntaxError(f"It is too long: at most {MOST_EMAIL} characters.")
    return validate_email(
        text,
        check_deliverability=False,
        test_environment=True,
        allow_quoted_local=True,
        strict=True,
    )
