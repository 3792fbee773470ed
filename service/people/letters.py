"""The mails that people get: a subject and a text each. `mail.py` sends them."""

from __future__ import annotations


def invitation(inviting: str, site: str, link: str) -> tuple[str, str]:
    """To someone who is invited to moderate a site's comments."""
    text = (
        f"{inviting} invites you to moderate the comments of {site}.\n\n{link}\n\n"
        "The link works for a week, once."
    )
    return f"Moderate the comments of {site}", text


def new_password(link: str) -> tuple[str, str]:
    """To someone who asked for a new password."""
    text = f"With this link you choose a new password:\n\n{link}\n\nIt works for an hour, once."
    return "A new password for Greenroom", text
