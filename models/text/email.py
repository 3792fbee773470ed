"""Which texts can be an email address. The same rule holds for commenters, for moderators, and for
the check that looks up the domain.
"""

from __future__ import annotations

from email_validator import EmailSyntaxError, ValidatedEmail, validate_email

MOST_EMAIL = 254  # RFC 5321 through RFC 3696, erratum 1690


def parsed_email(text: str) -> ValidatedEmail:
    """Return the parts of an address, normalised. Raises EmailNotValidError, with a message for the
    writer, for addresses that RFC 5321 and 6531 do not allow.

    A quoted part before the @ is rare but allowed. This does not ask whether the domain accepts
    mail, so .test passes, too.
    """
    if len(text) > MOST_EMAIL:  # the validator reports this only after reading the whole address
        raise EmailSyntaxError(f"It is too long: at most {MOST_EMAIL} characters.")
    return validate_email(
        text,
        check_deliverability=False,
        test_environment=True,
        allow_quoted_local=True,
        strict=True,
    )
