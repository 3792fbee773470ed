"""The console's queue on the server: lists and their filters, search, many at once, undo,
claims.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from sqlalchemy import select, update

from models.identifiers import new_id
from models.records import Claim, Comment, Review, Site, Thread
from models.store.database import begin, now, reading
from service.comments.receipts import receipt_of
from service.moderation.queue import Place
from service.people import accounts, api_keys
from service.people.api_keys import NewKey
from service.sites import registering
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS, PASSWORD, SignedIn


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


@pytest.fixture
def held(client: Client) -> list[str]:
    """Three waiting comments: in two threads, by two authors, in two languages."""
    ids = [
        posted(client, body=f"The ferry was late again, see {LINKS}", name="Ann"),
        posted(
            client,
            body=f"Die Fähre kam schon wieder nicht, wie jeden Morgen. {LINKS}",
            name="Änne",
            thread="/two",
        ),
        posted(
            client,
            body=f"Watches for everyone, cheap and good {LINKS}",
            email="ben@example.org",
            name="Ben",
        ),
    ]
    screen_all()
    return ids


def status_of(comment: str) -> str:
    with reading() as session:
        return session.get_one(Comment, comment).status


def test_a_list_has_its_orders(ann: SignedIn, held: list[str]) -> None:
    with begin() as session:
        for comment, risk in zip(held, (0.2, 0.9, 0.5), strict=True):
            session.execute(update(Review).where(Review.comment_id == comment).values(risk=risk))
    first, second, third = held
    assert ann.listed() == [first, second, third]
    assert ann.listed("?order=newest") == [third, second, first]
    assert ann.listed("?order=risk") == [second, third, first]


def test_a_list_is_handed_out_page_by_page_in_every_order(client: Client, ann: SignedIn) -> None:
    ids = [posted(client, body=f"Number {n} {LINKS}", email=f"r{n}@example.org") for n in range(45)]
    screen_all()
    for order in ("oldest", "newest", "risk"):
        page = ann.get(f"/?order={order}")
        following = (
            page.partition('data-more="')[2]
            .partition('"')[0]
            .replace("&amp;", "&")
            .removeprefix("/console")
        )
        assert len(ann.listed(f"?order={order}")) == 40
        both = {*ann.listed(f"?order={order}"), *ann.listed(following.removeprefix("/"))}
        assert both == set(ids), order


def test_filters_are_in_the_address_without_an_authors_email(
    ann: SignedIn, held: list[str]
) -> None:
    first, second, third = held
    with reading() as session:
        thread = session.scalars(select(Thread.id).where(Thread.key == "/two")).one()
    assert ann.listed(f"?thread={thread}") == [second]
    assert ann.listed("?language=de") == [second]
    assert ann.listed(f"?author={third}") == [third]
    assert ann.listed(f"?author={first}") == [first, second]
    assert ann.listed("?check=links") == held
    assert ann.listed("?check=words") == []
    assert ann.listed("?reason=sampled") == []
    assert ann.listed("?reason=flagged&site=demo") == held
    assert ann.listed("?site=other") == []
    assert "an unknown author" in ann.get("/?author=x")
    today = now().date()
    assert ann.listed(f"?since={today}&until={today}") == held
    assert ann.listed(f"?until={today - timedelta(days=1)}") == []
    for nonsense in (
        "?thread=99999999999999",
        "?since=0000-99-99",
        "?author=x",
        "?after=~",
        "?order=x",
        "?item=x",
    ):
        assert ann.client.get(f"/console/{nonsense}").status_code == 200, nonsense


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ferry", [0]),
        ("ferry late", [0]),
        ("late ferry", [0]),
        ("fer", [0]),
        ("fähre", [1]),
        ("ben", [2]),
        ("everyone ferry", []),
        ("zeppelin", []),
        ("'\"; --", []),
        ("ferry AND NOT late OR *", []),
        ("\u0000", [0, 1, 2]),
    ],
)
def test_words_are_found(ann: SignedIn, held: list[str], words: str, found: list[int]) -> None:
    answer = ann.client.get("/console/", query_string={"q": words, "tab": "review"})
    assert answer.status_code == 200
    assert [comment for comment in held if f'class="row" data-id="{comment}"' in answer.text] == [
        held[n] for n in found
    ]


@pytest.mark.parametrize("email", ["ann@example.org", " Ann@Example.ORG ", "ANN@example.org"])
def test_a_whole_email_address_finds_the_comments_under_it(
    ann: SignedIn, held: list[str], email: str
) -> None:
    assert ann.listed(f"?tab=review&q={quote(email)}") == held[:2]
    assert ann.listed(f"?q={quote(email)}") == [held[1], held[0]]


def test_an_email_address_is_searched_for_with_the_other_filters(
    ann: SignedIn, held: list[str]
) -> None:
    assert ann.listed("?tab=review&q=ann@example.org&language=de") == [held[1]]
    page = ann.get("/?q=ann@example")
    assert "To search by email address, enter the full address." in page


def test_a_key_searches_by_email_address(moderator: Caller, held: list[str]) -> None:
    answer = moderator.call("GET", "/lists/review?q=ben@example.org")
    assert [item["id"] for item in answer.json["items"]] == [held[2]]


def test_a_viewer_neither_sees_nor_searches_by_readers_email_addresses(
    client: Client, held: list[str]
) -> None:
    kim = SignedIn(client, "kim@paper.example", role="viewer")
    for page in ("/", f"/?item={held[2]}", f"/items/{held[2]}", "/log", "/log.csv", "/blocks"):
        assert "@example.org" not in kim.get(page), page
    assert kim.listed("?tab=review&q=ben@example.org") == []
    assert "Only moderators and owners can search by email" in kim.get("/?q=ben@example.org")
    assert kim.listed("?tab=review&q=ben") == [held[2]]


def test_on_each_site_the_role_there_decides_about_email_addresses(
    client: Client, ann: SignedIn, held: list[str]
) -> None:
    """Kim owns another site, and only looks at this one."""
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator("kim@paper.example", "other", "owner", PASSWORD)
    kim = SignedIn(client, "kim@paper.example", role="viewer")
    assert kim.listed("?tab=review&q=ben@example.org") == []
    assert "ben@example.org" not in kim.get(f"/items/{held[2]}")
    assert "ben@example.org" in ann.get(f"/items/{held[2]}")


def test_a_key_that_may_only_read_sees_no_comment_of_the_moderators(
    client: Client, held: list[str]
) -> None:
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        reader = Caller(client, api_keys.create(session, site, NewKey(["read"]), by="test").key)
    for path in (f"/comments/{held[0]}", "/queue", "/lists/all", f"/comments/{held[0]}/others"):
        assert reader.call("GET", path).status_code == 403, path
    assert "@example.org" not in reader.call("GET", "/events").text


def test_an_id_and_a_receipt_are_found_and_a_forged_receipt_is_not(
    ann: SignedIn, held: list[str]
) -> None:
    first = held[0]
    assert ann.listed(f"?q={first}") == [first]
    assert ann.listed(f"?q={receipt_of(first)}") == [first]
    assert ann.listed(f"?q=https://comments.example/v1/receipts/{receipt_of(first)}") == [first]
    assert ann.listed(f"?q={first}.AAAAAAAAAAAAAAAAAAAAAA") == []


@pytest.mark.parametrize(
    "place", ["/console/c/{}", "/sites/demo/c/{}", "https://paper.example/harbour#greenroom-{}.12"]
)
def test_a_comment_is_found_by_the_addresses_it_has(
    ann: SignedIn, held: list[str], place: str
) -> None:
    assert ann.listed(f"?q={quote(place.format(held[1]))}") == [held[1]]


def test_a_comments_short_address_leads_to_it_beside_its_list(
    ann: SignedIn, held: list[str]
) -> None:
    answer = ann.client.get(f"/console/c/{held[1]}")
    assert (answer.status_code, answer.location) == (303, f"/console/?tab=all&q={held[1]}")
    assert ann.client.get(f"/console/c/{new_id()}").status_code == 404


def test_a_reload_keeps_its_place_however_far_down_the_list_it_was(
    client: Client, ann: SignedIn
) -> None:
    ids = [posted(client, body=f"Number {n} {LINKS}", email=f"r{n}@example.org") for n in range(70)]
    screen_all()
    assert set(ann.listed(f"?item={ids[60]}")) == set(ids)
    assert set(ann.listed(f"?item={ids[10]}")) == set(ids[:40])


def test_an_open_comment_outside_the_list_is_shown_before_it(
    ann: SignedIn, held: list[str]
) -> None:
    ann.decide(held[1])
    assert ann.listed(f"?item={held[1]}") == [held[1], held[0], held[2]]


def test_a_campaign_is_grouped_with_a_comment_that_only_quotes_it_first(
    client: Client, ann: SignedIn
) -> None:
    sold = "Earn 3000 dollars a week from home with this trick that banks hate, start today"
    quoted = f"Does nobody read this: “{sold}”? Please take it down"
    bodies = [
        f"{text} {LINKS}"
        for text in (sold, "Two sources for what I said", f"{sold}!", quoted, sold)
    ]
    ids = [
        posted(client, body=body, email=f"r{n}@example.org", thread=f"/{n}")
        for n, body in enumerate(bodies)
    ]
    screen_all()
    with begin() as session:
        session.execute(
            update(Comment)
            .where(Comment.id.in_([ids[n] for n in (2, 3, 4)]))
            .values(campaign=ids[0])
        )
    listed = ann.listed()
    assert [*listed[:1], *listed[4:]] == [ids[3], ids[1]]
    assert set(listed[1:4]) == {ids[0], ids[2], ids[4]}
    assert "<b>4</b> similar comments" in ann.get("/")


def test_a_campaign_is_grouped_at_its_first_comment_from_any_depth_of_the_list(
    client: Client, ann: SignedIn
) -> None:
    ids = [posted(client, body=f"Number {n} {LINKS}", email=f"r{n}@example.org") for n in range(70)]
    screen_all()
    alike, many = [ids[n] for n in (5, 50, 60)], ids[30:45] + ids[61:]
    with begin() as session:
        session.execute(update(Comment).values(campaign=None))
        session.execute(update(Comment).where(Comment.id.in_(alike[1:])).values(campaign=alike[0]))
        session.execute(update(Comment).where(Comment.id.in_(many[1:])).values(campaign=many[0]))
    alone = [id_ for id_ in ids if id_ not in alike + many]
    for address, ordered, many_on_it in (
        ("?order=oldest", alone, "10+"),
        ("?order=newest", alone[::-1], "24"),
    ):
        page, first = ann.get(f"/{address}"), ann.listed(address)
        assert "<b>3</b> similar comments" in page
        assert f"<b>{many_on_it}</b> similar comments" in page
        at = min(first.index(id_) for id_ in alike)
        assert set(first[at : at + 3]) == set(alike), address
        by_themselves = [id_ for id_ in first if id_ in alone]
        assert by_themselves == ordered[: len(by_themselves)]
        following = (
            page.partition('data-more="/console/')[2].partition('"')[0].replace("&amp;", "&")
        )
        assert sorted([*first, *ann.listed(following)]) == ids, "each of them once"


def test_a_search_does_not_find_erased_comments(
    ann: SignedIn, moderator: Caller, held: list[str]
) -> None:
    assert moderator.call("DELETE", f"/comments/{held[0]}").status_code == 204
    assert ann.listed("?q=ferry") == []


def test_many_are_decided_at_once_and_undone_as_one(ann: SignedIn, held: list[str]) -> None:
    batch = new_id()
    answer = ann.decide(*held, verdict="reject", reason="spam", batch=batch)
    assert [each["id"] for each in answer["done"]] == held
    assert answer["refused"] == []
    assert {status_of(comment) for comment in held} == {"rejected"}
    (group,) = ann.client.get("/console/recent").json["recent"]
    assert set(group["decisions"]) == {each["decision"] for each in answer["done"]}
    back = ann.call("/undo", decisions=group["decisions"])
    assert len(back["done"]) == 3
    assert {status_of(comment) for comment in held} == {"flagged"}
    assert ann.client.get("/console/recent").json == {"recent": []}


def test_one_that_changed_meanwhile_is_refused_with_who_was_first_and_the_others_are_done(
    client: Client, ann: SignedIn, held: list[str]
) -> None:
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    ben.decide(held[1], verdict="reject")
    answer = ann.decide(*held)
    assert [each["id"] for each in answer["done"]] == [held[0], held[2]]
    assert answer["refused"][0]["id"] == held[1]
    assert "ben@paper.example rejected it" in answer["refused"][0]["detail"]
    assert status_of(held[1]) == "rejected"


def test_undo_leaves_a_colleagues_later_decision_and_says_so(
    client: Client, ann: SignedIn, held: list[str]
) -> None:
    mine = ann.decide(held[0])["done"][0]
    SignedIn(client, "ben@paper.example").decide(held[0], verdict="reject", version=mine["version"])
    back = ann.call("/undo", decisions=[mine["decision"]])
    assert back["done"] == []
    assert "ben@paper.example rejected it at" in back["refused"][0]["detail"]
    assert status_of(held[0]) == "rejected"


def test_a_double_submit_is_refused_and_decides_once(
    ann: SignedIn, held: list[str], moderator: Caller
) -> None:
    assert len(ann.decide(held[0])["done"]) == 1
    assert "ann@paper.example approved it" in ann.decide(held[0])["refused"][0]["detail"]
    assert [each["verdict"] for each in moderator.record(held[0])["decisions"]] == [
        "flag",
        "approve",
    ]


def test_a_claim_names_its_holder_and_ends_by_itself(
    client: Client, ann: SignedIn, held: list[str]
) -> None:
    ben = SignedIn(client, "ben@paper.example")
    assert ann.call(f"/claims/{held[0]}")["held_by"] is None
    assert ben.call(f"/claims/{held[0]}")["held_by"] == "ann@paper.example"
    assert "ann@paper.example</b> has this comment open" in ben.get(f"/items/{held[0]}")
    assert ann.call(f"/claims/{held[1]}")["held_by"] is None  # moving on releases the claim
    assert ben.call(f"/claims/{held[0]}")["held_by"] is None
    with begin() as session:
        session.execute(update(Claim).values(until=now() - timedelta(seconds=1)))
    assert ann.call(f"/claims/{held[0]}")["held_by"] is None


def test_a_comment_left_for_others_is_in_their_queue_and_not_in_ones_own(
    client: Client, ann: SignedIn, held: list[str]
) -> None:
    ann.call("/left", items=[held[0]])
    ann.call("/left", items=[held[0]])
    assert ann.listed() == held[1:]
    assert ann.client.get("/console/counts").json["review"] == 2
    assert SignedIn(client, "ben@paper.example").listed() == held
    ann.call("/taken-back", items=[held[0]])
    assert ann.listed() == held


def test_a_row_begins_as_readers_will_see_it(client: Client, ann: SignedIn) -> None:
    posted(
        client,
        body=f"**Cheap** [watches](https://w.example/{'x' * 300})\n\n> 5 < 6 & more\n\n{LINKS}",
    )
    screen_all()
    assert (
        '<span class="text" dir="auto">Cheap watches 5 &lt; 6 &amp; more https://a.example'
        in ann.get("/")
    )


def test_unread_are_those_live_ones_that_no_human_saw(
    client: Client, ann: SignedIn, moderator: Caller
) -> None:
    moderator.call("PATCH", "/policy", json={"spam": {"flag_above": 1, "flag_above_with_hint": 1}})
    live = posted(
        client,
        body="We took the early ferry on Sunday, and it was on time, which surprised us all.",
    )
    screen_all()
    if status_of(live) != "approved":
        moderator.decide(live, "approve")
        with begin() as session:
            session.execute(update(Comment).values(seen_at=None))
    assert ann.listed("?tab=unread") == [live]
    ann.call("/seen", items=[live])
    assert ann.listed("?tab=unread") == []


def test_a_campaign_is_one_list_from_any_of_its_comments(ann: SignedIn, held: list[str]) -> None:
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == held[2]).values(campaign=held[0]))
    for comment in (held[0], held[2]):
        page = ann.get(f"/items/{comment}")
        assert "1 similar comment is waiting" in page
        assert f"/console/?campaign={held[0]}" in page
    assert set(ann.listed(f"?campaign={held[0]}")) == {held[0], held[2]}
    assert "nearly the same" not in ann.get(f"/items/{held[1]}")


def test_two_sites_are_one_queue(client: Client, ann: SignedIn, held: list[str]) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator(ann.email, "other", "viewer")
    body = {"thread": "/x", "name": "Zoe", "email": "z@example.org", "body": LINKS}
    elsewhere = client.post("/v1/sites/other/comments", json=body).json["id"]
    screen_all()
    assert ann.listed() == [*held, elsewhere]
    assert ann.listed("?site=other") == [elsewhere]
    assert 'value="approve"' not in ann.get(f"/items/{elsewhere}")


def test_a_blind_sample_shows_its_evidence_only_after_the_decision(
    ann: SignedIn, held: list[str]
) -> None:
    with begin() as session:
        site = session.get_one(Comment, held[0]).site_id
        session.add(Review(site_id=site, comment_id=held[0], cause="sampled", blind=True))
    before = ann.get(f"/items/{held[0]}")
    assert "A blind sample" in before
    assert "the limit is" not in before
    ann.decide(held[0])
    assert "the limit is" in ann.get(f"/items/{held[0]}")


def test_comments_due_first_are_first_and_late_ones_are_marked(
    ann: SignedIn, held: list[str]
) -> None:
    with begin() as session:
        site = session.query(Comment.site_id).filter(Comment.id == held[0]).scalar()
        late = now() - timedelta(minutes=5)
        session.add(Review(site_id=site, comment_id=held[2], cause="reported", due_at=late))
    waiting = ann.listed()
    assert ann.listed("?order=due") == [held[2], *(id_ for id_ in waiting if id_ != held[2])]
    assert ann.get("/?order=due").count("overdue</span>") == 1
    with reading() as session:
        due = dict(
            session.execute(
                select(Review.comment_id, Review.due_at).where(Review.cause == "flagged")
            ).all()
        )
    place = Place(due[held[0]].timestamp(), held[0])  # type: ignore[union-attr]
    assert held[0] not in ann.listed(f"?order=due&after={place}")
    assert (
        ann.listed("?order=due&after=1e40~" + held[0])[0] == held[2]
    )  # no cursor of ours: from the beginning


def test_coverage_is_the_share_of_live_comments_that_a_human_has_seen(
    ann: SignedIn, client: Client
) -> None:
    assert 'class="coverage' not in ann.get("/?tab=unread")
    ids = [posted(client, body=f"Fine, thank you all very much, number {n}") for n in range(3)]
    screen_all()
    assert covered(ann) == "0% of the last 3"
    ann.call("/seen", items=ids[:2])
    assert covered(ann) == "67% of the last 3"
    ann.call("/seen", items=ids[2:])
    assert covered(ann) == "100% of the last 3"
    ann.decide(ids[0])
    ann.call("/seen", items=ids, seen=False)
    assert covered(ann) == "33% of the last 3"  # what a human has decided stays seen
    assert json.loads(ann.get("/counts?tab=unread"))["coverage"] == {
        "seen": 1,
        "of": 3,
        "percent": 33,
    }
    assert "coverage" not in json.loads(ann.get("/counts"))


def covered(ann: SignedIn) -> str:
    found = re.search(
        r"<b data-percent>(.*?)</b> of the last <b data-of>(.*?)</b>", ann.get("/?tab=unread")
    )
    assert found
    return f"{found[1]} of the last {found[2]}"


LIST = "?tab=all&order=oldest&language=en&q=ferry"


def test_the_list_stays_as_it_was_after_every_action(ann: SignedIn, held: list[str]) -> None:
    comment = held[0]
    back = f"/console/{LIST.replace('tab=all&', '')}"
    page = ann.get(f"/items/{comment}{LIST}")
    offered = {unescape(found) for found in re.findall(r'name="back" value="([^"]+)"', page)}
    assert {frozenset(parse_qsl(urlsplit(found).query)) for found in offered} == {
        frozenset(parse_qsl(urlsplit(back).query))
    }
    (back,) = offered
    thread = re.findall(r'action="(/console/threads/\d+)"', page)[0].removeprefix("/console")
    sent = [
        (f"/comments/{comment}/notes", {"text": "A note."}),
        (f"/comments/{comment}/questions", {"text": "Is it?", "whom": "owner"}),
        (f"/comments/{comment}/block", {"kind": "word", "value": "casino"}),
        (f"/comments/{comment}/block", {"kind": "like", "stance": "flag", "days": "1"}),
        (thread, {"way": "before", "item": comment}),
    ]
    for address, fields in sent:
        answer = ann.form(address, back=back, **fields)
        assert answer.status_code == 303, address
        assert answer.location.startswith(f"{back}&item={comment}"), address
    question = re.findall(r"/console/questions/([\w-]+)/answer", ann.get(f"/items/{comment}"))[0]
    answer = ann.form(f"/questions/{question}/answer", text="Yes.", back=back)
    assert answer.location == f"{back}&item={comment}"
    elsewhere = ann.form(f"/comments/{comment}/notes", text="A note.", back="https://evil.example/")
    assert elsewhere.location == f"/console/?item={comment}"


def test_a_search_keeps_the_order_and_the_filters(ann: SignedIn, held: list[str]) -> None:
    page = ann.get(f"/{LIST}&campaign={held[0]}")
    search, filters = (
        page.partition(begin)[2].partition("</form>")[0]
        for begin in ('<form class="search"', "<summary>Filter</summary>")
    )
    assert 'name="order" value="oldest"' in search
    for form in (search, filters):
        assert f'name="campaign" value="{held[0]}"' in form


WAITING = "waiting for an answer"


@pytest.fixture
def asked(ann: SignedIn, held: list[str]) -> str:
    """The first comment, about which ann asked a question."""
    question = {"text": "Is this satire?", "whom": "owner"}
    assert ann.form(f"/comments/{held[0]}/questions", **question).status_code == 303
    return held[0]


def answer_it(ann: SignedIn, comment: str) -> None:
    question = re.findall(r"/console/questions/([\w-]+)/answer", ann.get(f"/items/{comment}"))[0]
    ann.form(f"/questions/{question}/answer", text="Yes.")


def test_a_comment_with_an_open_question_is_marked_wherever_it_stands(
    ann: SignedIn, held: list[str], asked: str
) -> None:
    with reading() as session:
        thread = session.get_one(Comment, asked).thread_id
    row = f'data-id="{asked}"'
    for page in ("/", "/?tab=all&q=ferry", f"/rows?author={asked}", "/rows?tab=all"):
        rows = ann.get(page).partition('<main class="open"')[0].split("</li>")
        marked = [part for part in rows if "data-has-question" in part]
        assert len(marked) == 1, page
        assert row in marked[0], page
        assert WAITING in marked[0], page
    assert ann.get(f"/threads/{thread}").count(WAITING) == 1
    assert f'{row} data-version="2" data-may="decide" data-has-question' in ann.get(
        f"/items/{asked}"
    )
    of_the_same_author = ann.get(f"/items/{held[1]}").partition("last-five")[2]
    assert of_the_same_author.count(WAITING) == 1
    answer_it(ann, asked)
    for page in ("/rows", f"/threads/{thread}", f"/items/{held[1]}", f"/items/{asked}"):
        assert WAITING not in ann.get(page), page


def test_approving_it_without_script_asks_first(ann: SignedIn, asked: str) -> None:
    address = f"/comments/{asked}/decisions"
    back = "/console/?order=newest"
    first = ann.form(address, verdict="approve", version="2", back=back)
    assert first.status_code == 409
    assert "Approve without an answer?" in first.text
    assert "Is this satire?" in first.text
    assert "ann@paper.example" in first.text
    assert status_of(asked) == "flagged"
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', first.text))
    del fields["csrf"]
    done = ann.form(address, verdict="approve", **fields)
    assert done.location == f"{back}&done={asked}"
    assert status_of(asked) == "approved"


def test_rejecting_or_approving_after_the_answer_needs_no_confirmation(
    ann: SignedIn, held: list[str], asked: str
) -> None:
    answer_it(ann, asked)
    approve = ann.form(f"/comments/{asked}/decisions", verdict="approve", version="2")
    assert approve.status_code == 303
    ann.form(f"/comments/{held[1]}/questions", text="Is this?", whom="owner")
    reject = ann.form(f"/comments/{held[1]}/decisions", verdict="reject", version="2")
    assert reject.status_code == 303


def test_an_approval_of_many_leaves_out_those_with_a_question_unless_it_is_sure(
    ann: SignedIn, held: list[str], asked: str
) -> None:
    answer = ann.decide(*held)
    assert [each["id"] for each in answer["done"]] == held[1:]
    (refused,) = answer["refused"]
    assert refused == {
        "id": asked,
        "detail": "ann@paper.example asked a question that no one has answered yet.",
        "version": 2,
        "has_question": True,
    }
    assert ann.decide(asked)["done"] == []
    assert [each["id"] for each in ann.decide(asked, sure=True)["done"]] == [asked]
    assert status_of(asked) == "approved"
