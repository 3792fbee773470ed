"""Roles, blocks, notes, questions, threads, settings and the log."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from models.judgement.policy import AbusePolicy, Policy
from models.records import Block, Comment, Moderator, Site, Thread
from models.store.database import reading
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS, SignedIn
from tests.shown_forms import fields_of


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


@pytest.fixture
def held(ann: SignedIn) -> str:
    comment = posted(ann.client, body=LINKS)
    screen_all()
    return comment


def status_of(comment: str) -> str:
    with reading() as session:
        return session.get_one(Comment, comment).status


def test_a_site_keeps_an_owner_and_a_removed_person_loses_access_at_once(
    client: Client, ann: SignedIn
) -> None:
    ben = SignedIn(client, "ben@paper.example", role="owner")
    ids = dict(
        re.findall(r'<td>([\w@.]+)(?: \(you\))?</td>.*?/people/([\w-]+)"', ann.get("/people"), re.S)
    )
    assert ann.confirmed(f"/sites/demo/people/{ids[ben.email]}", role="remove").status_code == 303
    assert ben.listed() == []
    assert ben.form("/settings/demo", do="save").status_code == 404
    answer = ann.confirmed(f"/sites/demo/people/{ids[ann.email]}", role="viewer")
    assert answer.status_code == 409
    assert "needs at least one owner" in answer.text


def test_block_and_review_their_others_is_one_batch_to_undo(ann: SignedIn, held: str) -> None:
    others = [posted(ann.client, body=f"{n} {LINKS}") for n in range(3)]
    screen_all()
    assert "reject this comment and 3 other waiting comments" in ann.get(f"/items/{held}")
    fields = {"kind": "author", "stance": "block", "days": "7", "others": "1"}
    assert ann.form(f"/comments/{held}/block", **fields).status_code == 303
    assert {status_of(comment) for comment in (held, *others)} == {"rejected"}
    (group,) = ann.client.get("/console/recent").json["recent"]
    ann.call("/undo", decisions=group["decisions"])
    assert {status_of(comment) for comment in (held, *others)} == {"flagged"}
    page = ann.get("/blocks")
    assert "Blocked" in page
    assert "ann@example.org" not in page
    with reading() as session:
        block = session.scalars(select(Block.id)).one()
    assert ann.form(f"/blocks/{block}/end").status_code == 303
    assert "Nothing is blocked" in ann.get("/blocks")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "host", "value": "nodot"},
        {"kind": "word", "value": "   "},
        {"kind": "colour", "value": "red"},
        {"kind": "word", "value": "x", "days": "9999"},
    ],
)
def test_an_empty_block_is_refused_with_an_explanation(
    ann: SignedIn, held: str, wrong: dict[str, str]
) -> None:
    assert ann.form(f"/comments/{held}/block", **wrong).status_code == 422


def test_a_note_on_an_author_is_shown_at_all_their_comments(ann: SignedIn, held: str) -> None:
    other = posted(ann.client, body=f"Another {LINKS}", thread="/other")
    screen_all()
    ann.form(f"/comments/{held}/notes", about="author", text="Known from <b>last</b> year")
    assert "Known from &lt;b&gt;last&lt;/b&gt; year" in ann.get(f"/items/{other}")
    assert ann.form(f"/comments/{held}/notes", about="author", text=" ").status_code == 422


def test_a_question_is_listed_again_with_its_answer(
    client: Client, ann: SignedIn, held: str
) -> None:
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    assert (
        ben.form(f"/comments/{held}/questions", whom="owner", text="Is this libel?").status_code
        == 303
    )
    assert ann.listed("?tab=asked") == [held]
    page = ann.get(f"/items/{held}")
    assert "Is this libel?" in page
    question = re.findall(r"/questions/([\w-]+)/answer", page)[0]
    assert ann.form(f"/questions/{question}/answer", text="No, let it stand.").status_code == 303
    assert ann.form(f"/questions/{question}/answer", text="Twice").status_code == 409
    assert ann.listed("?tab=asked") == []
    assert ben.listed("?tab=asked") == [held]  # it came back, with the answer
    assert "No, let it stand." in ben.get(f"/items/{held}")
    ben.decide(held)
    assert ben.listed("?tab=asked") == []


def test_a_question_is_listed_only_for_the_people_asked(
    client: Client, ann: SignedIn, held: str
) -> None:
    ben, kim = (
        SignedIn(client, f"{name}@paper.example", role="moderator") for name in ("ben", "kim")
    )
    with reading() as session:
        bens = session.scalars(select(Moderator.id).where(Moderator.email == ben.email)).one()
    ann.form(f"/comments/{held}/questions", whom=f"moderator:{bens}", text="Do you know her?")
    assert [each.listed("?tab=asked") for each in (ann, ben, kim)] == [[], [held], []]
    assert ann.client.get("/console/counts").json["asked"] == 0
    assert ben.client.get("/console/counts").json["asked"] == 1
    ann.form(f"/comments/{held}/questions", whom="moderator", text="Or does anyone?")
    assert [each.listed("?tab=asked") for each in (ann, ben, kim)] == [[], [held], [held]]


def test_a_thread_is_closed_read_first_and_slowed_down_from_the_item(
    ann: SignedIn, held: str
) -> None:
    with reading() as session:
        thread = session.get_one(Comment, held).thread_id
    for fields in ({"way": "closed"}, {"way": "before"}, {"slow": "300"}):
        assert ann.form(f"/threads/{thread}", **fields).status_code == 303
    with reading() as session:
        row = session.get_one(Thread, thread)
    assert (row.state, row.moderation, row.slow_seconds) == ("closed", "before", 300)
    assert "Reader" not in ann.get(f"/threads/{thread}")
    assert "held for review" in ann.get(f"/threads/{thread}")


def test_an_owner_adds_a_starter_list_edits_it_and_saves(ann: SignedIn) -> None:
    with reading() as session:
        policy = session.scalars(select(Site.policy)).one()
    assert policy["words"]["held"] == []
    page = ann.form("/settings/demo", do="add", starter="threats-en", held="my word", version="1")
    assert "my word\nkill you\nkill yourself" in page.text
    with reading() as session:  # nothing is saved yet
        assert session.scalars(select(Site.policy)).one()["words"]["held"] == []
    ann.form("/settings/demo", do="save", version="1", held="my word\nkill you")
    with reading() as session:
        assert session.scalars(select(Site.policy)).one()["words"]["held"] == [
            "my word",
            "kill you",
        ]


def test_settings_saved_as_they_are_shown_stay_as_they_are(ann: SignedIn) -> None:
    shown = fields_of(ann.get("/settings?site=demo"), "/console/settings/demo")
    saved = ann.form("/settings/demo", **{**shown, "do": "save"})
    assert saved.status_code == 303, saved.text
    with reading() as session:
        policy = Policy.model_validate(session.scalars(select(Site.policy)).one())
    assert policy == Policy()


def test_settings_are_tried_before_saving_and_saved_over_the_version_seen(ann: SignedIn) -> None:
    tried = ann.form(
        "/settings/demo", do="try", version="1", blocked="lotter*", text="Win the LOTTERY today"
    ).text
    assert "uses the blocked word" in tried
    assert (
        ann.form("/settings/demo", do="save", version="1", blocked="lotter*\nspam king").status_code
        == 303
    )
    with reading() as session:
        policy = session.scalars(select(Site.policy)).one()
    assert policy["words"]["blocked"] == ["lotter*", "spam king"]
    assert policy["links"]["max_links"] == 2
    late = ann.form("/settings/demo", do="save", version="1", blocked="")
    assert (late.status_code, "The settings have changed" in late.text) == (409, True)
    wrong = ann.form("/settings/demo", do="try", version="2", blocked="a*b\n--", text="x").text
    assert "“a*b”: * is allowed only at the end; “--” must contain" in wrong
    wrong = ann.form("/settings/demo", **{"do": "save", "version": "2", "links.max_links": "many"})
    assert wrong.status_code == 422
    assert "Links allowed in one comment: " in wrong.text
    assert 'value="many"' in wrong.text  # nothing typed is lost
    assert (
        ann.form("/settings/demo", do="save", version="2", blocked_patterns="(open").status_code
        == 422
    )


def test_the_settings_page_explains_each_disguise_of_a_word_and_switches_them(
    ann: SignedIn,
) -> None:
    page = ann.get("/settings?site=demo")
    for example in (
        "viagras",
        "v1agra",
        "viagra2",
        "ᏙᎥᎪᎶᎡᎪ",
        "🇻🇮🇦🇬🇷🇦",
        "viःagra",
        "via_gra_",
        "via-gra",
        "via gra",
    ):
        assert f"“{example}”" in page, example
    text = {"blocked": "viagra", "text": "v1agra and viagras", "version": "1"}
    assert "uses the blocked word" in ann.form("/settings/demo", do="try", **text).text
    off = {"words.plurals": "no", "words.digits_as_letters": "no", "words.split": "reject"}
    assert "uses the blocked word" not in ann.form("/settings/demo", **text, **off, do="try").text
    assert ann.form("/settings/demo", **off, do="save", version="1").status_code == 303
    with reading() as session:
        words = session.scalars(select(Site.policy)).one()["words"]
    assert (words["plurals"], words["digits_as_letters"], words["split"]) == (
        False,
        False,
        "reject",
    )


def test_settings_are_tried_on_the_past_before_saving(ann: SignedIn, held: str) -> None:
    fields = {"links.max_links": "9", "links.shorteners": "ignore", "spam.flag_above": "1"}
    page = ann.form(
        "/settings/demo", **{"do": "replay", "version": "1", "blocked": "example", **fields}
    ).text
    assert (
        "decided comments, this would have decided <b>1</b> differently: 1 rejected instead of held."
        in page
    )
    assert "It would not have contradicted any moderator." in page
    assert ">example</textarea>" in page  # nothing typed is lost
    with reading() as session:
        assert session.scalars(select(Site.policy_version)).one() == 1


def test_the_limits_for_abuse_are_set_in_words(ann: SignedIn) -> None:
    page = ann.get("/settings?site=demo")
    assert "It never rejects a comment for its abuse score." in page
    assert 'name="abuse.flag_above"' in page
    fields = {
        "abuse.flag_above": "0,8",
        "abuse.when_abstaining": "flag",
        "abuse.first_in_languages": "tr, fa",
    }
    saved = ann.form("/settings/demo", **{"do": "save", "version": "1", **fields})
    assert saved.status_code == 303
    with reading() as session:
        policy = Policy.model_validate(session.scalars(select(Site.policy)).one())
    assert policy.abuse == AbusePolicy(
        flag_above=0.8, when_abstaining="flag", first_in_languages=("tr", "fa")
    )
    assert 'value="tr fa"' in ann.get("/settings?site=demo")
    wrong = ann.form(
        "/settings/demo",
        **{"do": "save", "version": "2", "abuse.first_in_languages": "Turkish"},
    )
    assert wrong.status_code == 422
    assert "Languages in which a moderator reads every comment first" in wrong.text


def test_the_log_says_who_did_what_and_its_export_contains_no_formula(
    ann: SignedIn, held: str, moderator: Caller
) -> None:
    formula = posted(ann.client, name="=HYPERLINK(1)", body=f"formula {LINKS}")
    screen_all()
    ann.decide(held, formula, verdict="reject", reason="spam", note="=1+1")
    ann.form("/settings/demo", do="save", version="1", blocked="x")
    ann.confirmed("/sites/demo/people", email="zoe@paper.example", role="viewer")
    page = ann.get("/log")
    for words in (
        "rejected the comment by Ann",
        "as spam",
        "changed “Words that reject a comment” (added “x”)",
        "invited zoe@paper",
    ):
        assert words in page, words
    assert "invited" not in ann.get("/log?kind=decisions")
    assert "rejected" not in ann.get("/log?kind=people")
    lines = ann.client.get("/console/log.csv").text.splitlines()
    assert lines[0] == "at,who,site,what,comment,note"
    assert len(lines) == 6  # with the creation of the key
    assert any(line.endswith(",'=1+1") for line in lines)
    assert all(re.fullmatch(r"[0-9T:.-]+Z", line.partition(",")[0]) for line in lines[1:])
    assert "ann@example.org" not in page
    assert moderator.record(held)["status"] == "rejected"


def test_erasing_a_comment_erases_moderators_notes_about_it(
    ann: SignedIn, held: str, moderator: Caller
) -> None:
    posted(ann.client, body="Another")
    ann.form(f"/comments/{held}/notes", about="comment", text="quotes the unforgettable")
    ann.form(f"/comments/{held}/questions", whom="owner", text="unforgettable, is it?")
    ann.form(f"/comments/{held}/block", kind="author", stance="block", days="7")
    assert moderator.call("DELETE", f"/comments/{held}").status_code == 204
    kept = ann.get(f"/items/{held}") + ann.get("/blocks") + ann.get("/log")
    assert "unforgettable" not in kept
    assert "an erased author" in kept
    assert "This comment was erased, so its author is unknown." in kept
    assert "email address" not in ann.get(f"/items/{held}").partition("The author")[2]
    assert "Ann" not in kept
