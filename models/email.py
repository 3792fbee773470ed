"""What can be an email address: the same for commenters, for moderators, and for the check that looks up its domain."""

from __future__ import annotations

from email_validator import ValidatedEmail, validate_email


def parsed_email(text: str) -> ValidatedEmail:
    """The parts of an address, normalised. Raises EmailNotValidError, in words, for what RFC 5321 and 6531 rule out.

    A quoted part before the @ is rare, and legal. Whether the domain takes mail is not asked here, so .test is let
    through too.
    """
    return validate_email(text, check_deliverability=False, test_environment=True, allow_quoted_local=True, strict=True)
