"""The mails that people get say what the link is for, and how long it works."""

from __future__ import annotations

from service.people import letters

LINK = "https://comments.example/console/join/x"


def test_an_invitation_names_who_invites_the_site_and_the_time_it_works() -> None:
    subject, text = letters.invitation("Ann", "The Paper", "viewer", LINK)
    assert subject == "Invitation to join The Paper on Greenroom"
    assert text.startswith("Ann has invited you to join The Paper on Greenroom as a viewer.")
    assert f"\n\n{LINK}\n\n" in text
    assert text.endswith("expires after a week.")


def test_a_new_password_is_chosen_within_an_hour() -> None:
    subject, text = letters.new_password(LINK)
    assert "password" in subject
    assert f"\n\n{LINK}\n\n" in text
    assert "expires after an hour" in text
