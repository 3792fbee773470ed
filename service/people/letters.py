"""The emails that people get: a subject and a text each. `mail.py` sends them."""

from __future__ import annotations

from models.settings import settings

A_ROLE = {"owner": "an owner", "moderator": "a moderator", "viewer": "a viewer"}


def invitation(inviting: str, site: str, role: str, link: str) -> tuple[str, str]:
    """Write to someone who is invited to join a site as an owner, moderator or viewer."""
    text = (
        f"{inviting} has invited you to join {site} on Greenroom as {A_ROLE[role]}. Accept the "
        f"invitation here:\n\n{link}\n\nThis link works once and expires after a week."
    )
    return f"Invitation to join {site} on Greenroom", text


def confirm_address(old: str, link: str) -> tuple[str, str]:
    """Write to the new email address of an account."""
    text = (
        f"Someone wants to use this address for the Greenroom account {old}. If that is you, "
        f"confirm it here:\n\n{link}\n\nThis link works once and expires after an hour. If it is "
        "not you, you can ignore this email."
    )
    return "Confirm your new email address for Greenroom", text


def address_changed(new: str) -> tuple[str, str]:
    """Write to the old email address of an account."""
    text = (
        f"Your Greenroom account now uses the address {new}. Use it to sign in from now on.\n\n"
        "If you did not change it, tell an owner of your site at once."
    )
    return "The email address of your Greenroom account has changed", text


def new_password(link: str) -> tuple[str, str]:
    """Write to someone who asked for a new password."""
    text = (
        f"Choose a new password for Greenroom here:\n\n{link}\n\nThis link works once and "
        "expires after an hour. If you did not ask for it, you can ignore this email: your "
        "password has not changed."
    )
    return "Choose a new password for Greenroom", text


def password_changed() -> tuple[str, str]:
    return _account_changed("The password of your Greenroom account has changed")


def second_factor_changed(did: str) -> tuple[str, str]:
    """Write to someone whose second factor was "turned on" or "turned off"."""
    return _account_changed(f"The second factor of your Greenroom account was {did}")


def recovery_codes_replaced() -> tuple[str, str]:
    return _account_changed("Your Greenroom account has new recovery codes")


def _account_changed(what: str) -> tuple[str, str]:
    """Write about a change that someone else could have made with a stolen session or password."""
    text = (
        f"{what}. If you did this, you can ignore this email.\n\nIf it was not you, choose a new "
        f"password at {settings().base_url}/console/forgotten and tell an owner of your site at "
        "once."
    )
    return what, text
