"""Teach without a script: a session of labels, one comment at a time, with plain forms."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from models.identifiers import new_id
from models.records import Comment, DecisionRecord, Site
from models.store.database import begin, reading
from service.console import teach
from service.console.shortcuts import Preferences
from tests.caller import Caller, Client, posted, screen_all
from tests.service.picked import TEXTS, pick, pick_of, picked, publish, status_of
from tests.service.signed_in import SignedIn
from tests.service.sites.test_model_versions import keep_model
from worker.learning.teaching import draw_picks


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


class Session:
    """A session of the signed-in moderator."""

    def __init__(self, who: SignedIn) -> None:
        self.who = who
        begun = who.form("/teach/demo/sessions")
        assert begun.status_code == 303
        self.query = urlsplit(begun.location).query
        self.id = parse_qs(self.query)["session"][0]

    @property
    def page(self) -> str:
        return self.who.get(f"/teach?{self.query}")

    @property
    def shown(self) -> str | None:
        """The comment on the page."""
        found = re.search(r'class="lesson" data-id="([^"]+)"', self.page)
        return found[1] if found else None

    def label(self, label: str, comment: str | None = None, **fields: str) -> str:
        """Send the page's form, and return the page that follows."""
        page = self.page
        version = re.search(r'name="version" value="(\d+)"', page)
        sent = {"label": label, "session": self.id, "version": version[1] if version else ""}
        about = comment or self.shown
        answer = self.who.form(f"/teach/demo/comments/{about}", **{**sent, **fields})
        assert answer.status_code == 303, answer.text
        return self.who.get(answer.location.removeprefix("/console"))


def reason_of(comment: str) -> tuple[str, str | None]:
    with reading() as session:
        log = select(DecisionRecord).where(DecisionRecord.comment_id == comment)
        last = session.scalars(log.order_by(DecisionRecord.id.desc()).limit(1)).one()
        return last.verdict, last.reason


def test_a_session_is_drawn_by_a_worker_and_shown_as_it_comes(
    client: Client, ann: SignedIn
) -> None:
    live = publish(client)
    session = Session(ann)
    assert 'http-equiv="refresh"' in session.page
    assert "Choosing comments" in session.page
    with reading() as database:
        draw_picks(database.scalars(select(Site.id)).one())
    assert session.shown in live
    assert 'http-equiv="refresh"' not in session.page


def test_each_label_is_a_decision_and_brings_the_next_comment(
    client: Client, ann: SignedIn
) -> None:
    good, spam, abuse, skipped, last = picked(client)
    session = Session(ann)
    for comment, label in ((good, "good"), (spam, "spam"), (abuse, "abuse"), (skipped, "skip")):
        assert session.shown == comment
        session.label(label)
    assert session.shown == last
    assert [reason_of(comment) for comment in (good, spam, abuse)] == [
        ("approve", None),
        ("reject", "spam"),
        ("reject", "abuse"),
    ]
    assert [status_of(each) for each in (good, spam, abuse)] == ["approved", "rejected", "rejected"]
    assert status_of(skipped) == "approved"
    assert pick_of(skipped).closed_at is None
    assert "3 of 20" in session.page


def test_the_page_shows_the_comment_and_its_place_and_nothing_that_greenroom_found(
    client: Client, ann: SignedIn
) -> None:
    parent = publish(client, 1)[0]
    reply = posted(client, body=TEXTS[1], parent=parent, name="Zoe", email="zoe@example.org")
    with begin() as session:
        told = {"status": "rejected", "found": " spam ", "risk": 0.987}
        session.execute(update(Comment).where(Comment.id == reply).values(**told))
    pick(reply)
    page = Session(ann).page
    for text in (TEXTS[0], TEXTS[1], "Zoe", "/harbour"):
        assert text in page
    article = page.partition("<article")[2].partition("</article>")[0]
    assert not re.search(r"rejected|held|0\.98|98 ?%|zoe@example", article)


def test_the_last_label_can_be_undone_and_comes_again(client: Client, ann: SignedIn) -> None:
    first, second, *_ = picked(client)
    session = Session(ann)
    page = session.label("spam")
    assert "Labelled spam." in page
    decision = re.findall(r'name="decision" value="([^"]+)"', page)[0]
    page = session.label("undo", first, decision=decision)
    assert "The label was undone." in page
    assert session.shown == first
    assert status_of(first) == "approved"
    session.label("good")
    assert session.shown == second
    assert "1 of 20" in session.page


def test_a_label_that_came_too_late_decides_nothing(
    client: Client, ann: SignedIn, moderator: Caller
) -> None:
    first, *_ = picked(client)
    session = Session(ann)
    assert session.shown == first
    moderator.decide(first, "approve")
    page = session.label("spam", first)
    assert "your label was not saved" in page
    assert status_of(first) == "approved"


def test_a_label_for_an_older_version_decides_nothing(client: Client, ann: SignedIn) -> None:
    first, *_ = picked(client)
    session = Session(ann)
    with begin() as database:
        database.execute(update(Comment).where(Comment.id == first).values(version=9))
    assert "your label was not saved" in session.label("spam", first, version="1")
    assert status_of(first) == "approved"


def test_after_twenty_labels_the_session_ends_and_says_what_labels_brought(
    client: Client, ann: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach, "SESSION", 2)
    keep_model("site-aaaaaaaaaaaa")
    keep_model("site-bbbbbbbbbbbb", live=True)
    picked(client)
    session = Session(ann)
    session.label("good")
    assert "How the model has changed with your labels" not in session.page
    page = session.label("spam")
    assert "That was the whole session" in page
    assert "Start another session" in page
    assert "How the model has changed with your labels" in page
    assert "Your labels still help." in page
    assert session.shown is None


def test_a_site_without_comments_says_so(ann: SignedIn) -> None:
    session = Session(ann)
    with reading() as database:
        draw_picks(database.scalars(select(Site.id)).one())
    assert "There is no comment to label right now." in session.page


def test_a_moderator_gets_the_picks_that_a_colleague_skipped(client: Client, ann: SignedIn) -> None:
    first, second = picked(client, 2)
    session = Session(ann)
    session.label("skip")
    assert session.shown == second
    assert Session(SignedIn(client, "ben@paper.example", role="moderator")).shown == first


def test_a_moderator_who_skipped_everything_gets_others(client: Client, ann: SignedIn) -> None:
    picked(client, 2)
    session = Session(ann)
    session.label("skip")
    session.label("skip")
    assert session.shown is None
    other = posted(client, body=TEXTS[2], email="other@example.org", name="Other")
    screen_all()
    again = Session(ann)
    with reading() as database:
        draw_picks(database.scalars(select(Site.id)).one())
    assert again.shown == other


def test_viewers_can_neither_start_a_session_nor_label(client: Client, ann: SignedIn) -> None:
    comment = picked(client, 1)[0]
    viewer = SignedIn(client, "vic@paper.example", role="viewer")
    assert "Only moderators and owners can label comments." in viewer.get("/teach")
    assert viewer.form("/teach/demo/sessions").status_code == 403
    sent = {"label": "spam", "version": "2", "session": new_id()}
    assert viewer.form(f"/teach/demo/comments/{comment}", **sent).status_code == 403
    assert status_of(comment) == "approved"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"label": "maybe", "version": "2"}, 422),
        ({"label": "spam"}, 422),  # no version
        ({"label": "spam", "version": "two"}, 422),
        ({"label": "undo", "decision": "nothing"}, 409),
    ],
)
def test_a_form_that_no_page_sends_is_refused(
    client: Client, ann: SignedIn, fields: dict[str, str], status: int
) -> None:
    comment = picked(client, 1)[0]
    assert ann.form(f"/teach/demo/comments/{comment}", **fields).status_code == status
    assert status_of(comment) == "approved"


def test_other_sites_are_not_found(client: Client, ann: SignedIn) -> None:
    comment = picked(client, 1)[0]
    assert ann.form("/teach/other/sessions").status_code == 404
    assert ann.form(f"/teach/other/comments/{comment}", label="spam").status_code == 404
    assert ann.client.get("/console/teach?site=other").status_code == 404


def test_a_key_that_a_moderator_chose_is_not_taken_by_a_newer_action() -> None:
    assert Preferences(keys={"select": "KeyB"}).all_keys()["select"] == "KeyB"
    assert "abuse" not in Preferences(keys={"select": "KeyB"}).all_keys()
