"""A moderator at work in a real browser: every key, undo, many at once, two people at one comment,
and both widths.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
import time_machine
from playwright.sync_api import Page, Route, expect

from models.records import Comment, Thread
from models.store.database import begin, now, reading
from service.console import words
from tests.browser.console import (
    LINKS,
    OF_COLOURS,
    PASSWORD,
    findings,
    press,
    ready,
    shown,
    sign_in,
    statuses,
    wait_in_line,
)
from tests.caller import Caller, Client, posted, screen_all
from tests.greenroom import until

PAGES = (
    *("/console/", "/console/?tab=approved", "/console/?q=nothing", "/console/?tab=all&order=risk"),
    *(
        "/console/blocks",
        "/console/people",
        "/console/quality",
        "/console/log",
        "/console/settings",
        "/console/account",
    ),
    *(
        "/console/threads/1",
        "/console/password",
        "/console/forgotten",
        "/console/join/spent",
        "/console/nowhere",
    ),
    *("/console/sites/demo/webhooks", "/console/sites/demo/keys", "/docs", "/docs/webhooks"),
)
# tests/service tests the console's queries on both databases.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
AWAY = '{"detail": "The database is away."}'


@pytest.fixture
def queue(client: Client, url: str, open_page: Callable[..., Page]) -> Page:
    """Four comments wait, and someone who may decide looks at the first."""
    wait_in_line(client, 4)
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    sign_in(page, url)
    expect(page.locator(".row")).to_have_count(4)
    return page


def told(page: Page, text: str) -> None:
    expect(page.locator("#said-so")).to_contain_text(text)


def settled(page: Page, name: str, status: str) -> None:
    """Wait until the decision, which is sent in the background, has reached the database."""
    for _ in range(1200):
        if statuses()[name] == status:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{name} is {statuses()[name]}, not {status}")


def test_j_and_k_go_up_and_down_the_list_and_the_address_keeps_the_place(queue: Page) -> None:
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    queue.keyboard.press("j")
    queue.keyboard.press("j")
    expect(queue.locator(".item h1")).to_have_text("Reader 3")
    queue.keyboard.press("k")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    queue.reload()
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    expect(queue.locator(".row[aria-current]")).to_contain_text("Reader 2")


def test_a_approves_and_the_next_one_is_there(queue: Page) -> None:
    press(queue, "a")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    expect(queue.locator(".row")).to_have_count(3)
    told(queue, "Approved Reader 1")
    settled(queue, "Reader 1", "approved")
    expect(queue.locator("[data-count=review]")).to_have_text("3")


def test_r_asks_for_a_reason_by_one_more_key(queue: Page) -> None:
    press(queue, "r")
    expect(queue.get_by_role("group", name="Why?")).to_be_visible()
    queue.keyboard.press("2")
    told(queue, "Rejected Reader 1 as abuse")
    settled(queue, "Reader 1", "rejected")
    press(queue, "r")
    queue.keyboard.press("Escape")
    expect(queue.get_by_role("group", name="Why?")).to_be_hidden()
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    press(queue, "r")
    queue.keyboard.press("Enter")
    told(queue, "Rejected Reader 2")
    settled(queue, "Reader 2", "rejected")


def test_the_question_for_the_reason_can_be_switched_off(queue: Page) -> None:
    queue.keyboard.press("Shift+?")
    with queue.expect_response("**/console/preferences"):
        queue.get_by_label("Ask for a reason when I reject").uncheck()
    queue.get_by_role("button", name="Done").click()
    press(queue, "r")
    settled(queue, "Reader 1", "rejected")
    queue.reload()
    press(queue, "r")
    settled(queue, "Reader 2", "rejected")


def test_s_rejects_as_spam_and_u_takes_it_back(queue: Page) -> None:
    press(queue, "s")
    told(queue, "Rejected Reader 1 as spam")
    settled(queue, "Reader 1", "rejected")
    queue.keyboard.press("u")
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    expect(queue.locator(".row").first).to_contain_text("Reader 1")
    settled(queue, "Reader 1", "flagged")


def test_u_undoes_one_after_the_other_also_after_a_reload(queue: Page) -> None:
    press(queue, "a")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    press(queue, "s")
    settled(queue, "Reader 1", "approved")
    settled(queue, "Reader 2", "rejected")
    queue.reload()
    ready(queue)
    queue.keyboard.press("u")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    queue.keyboard.press("u")
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    expect(queue.locator(".row")).to_have_count(4)
    assert set(statuses().values()) == {"flagged"}


def test_f_leaves_it_for_another_moderator(
    queue: Page, url: str, open_page: Callable[..., Page]
) -> None:
    with queue.expect_response("**/console/left"):
        press(queue, "f")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    queue.reload()
    expect(queue.locator(".row")).to_have_count(3)
    other = open_page("about:blank")
    sign_in(other, url, "ben@paper.example", role="moderator")
    expect(other.locator(".row")).to_have_count(4)
    assert statuses()["Reader 1"] == "flagged"


def test_e_shows_everything_by_the_author(queue: Page, client: Client) -> None:
    posted(client, name="Reader one again", email="r1@mail.example", body="More " + LINKS)
    screen_all()
    queue.reload()
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    press(queue, "e")
    expect(queue.locator(".row")).to_have_count(2)
    expect(queue.locator(".filters")).to_contain_text("Reader 1")
    assert "mail.example" not in queue.url


def test_slash_searches_and_question_mark_helps(queue: Page) -> None:
    queue.keyboard.press("Slash")
    expect(queue.get_by_role("searchbox")).to_be_focused()
    queue.keyboard.type("number 3")
    queue.keyboard.press("Enter")
    expect(queue.locator(".row")).to_have_count(1)
    expect(queue.locator(".item h1")).to_have_text("Reader 3")
    expect(queue.locator("html.scripted")).to_have_count(1)
    queue.keyboard.press("Shift+Slash")
    expect(queue.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize(("code", "key"), [("KeyA", "ش"), ("KeyA", "ф"), ("KeyA", "q")])
def test_keys_go_by_their_place_on_any_layout(queue: Page, code: str, key: str) -> None:
    queue.evaluate(
        (
            "([code, key]) => document.body.dispatchEvent(new KeyboardEvent('keydown', {code, key, "
            "bubbles: true}))"
        ),
        [code, key],
    )
    told(queue, "Approved Reader 1")
    settled(queue, "Reader 1", "approved")


def test_a_preset_and_an_own_key_are_saved_however_fast(queue: Page) -> None:
    held: list[Route] = []
    # Playwright marks it
    queue.route("**/console/preferences", lambda route: held.append(route), times=1)  # noqa: PLW0108
    queue.keyboard.press("Shift+Slash")
    with queue.expect_request("**/console/preferences"):
        queue.get_by_role("button", name="WordPress").click()
    queue.get_by_role("button", name="Key for Approve", exact=True).click()
    press(queue, "g")
    with queue.expect_response(lambda answer: "KeyG" in (answer.request.post_data or "")):
        held[0].continue_()
    queue.get_by_role("button", name="Done").click()
    queue.reload()
    expect(queue.locator(".actions button[value=approve] kbd")).to_have_text("g")
    expect(queue.locator(".actions form[data-do=reject] kbd")).to_have_text("d")
    expect(queue.locator("html.scripted")).to_have_count(1)
    press(queue, "g")
    settled(queue, "Reader 1", "approved")


def test_a_comment_that_no_list_holds_is_decided_by_key_all_the_same(
    queue: Page, moderator: Caller
) -> None:
    with reading() as session:
        comment = session.query(Comment.id).filter(Comment.name == "Reader 1").scalar()
    assert moderator.decide(comment, "approve").status_code == 201
    queue.goto(f"{queue.url.partition('?')[0]}?item={comment}")
    expect(queue.locator("html.scripted")).to_have_count(1)
    expect(queue.locator(".row")).to_have_count(4)
    press(queue, "s")
    settled(queue, "Reader 1", "rejected")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")


def test_all_of_a_campaign_are_chosen_by_one_key(queue: Page) -> None:
    expect(queue.locator(".alike-head")).to_contain_text("4 similar comments")
    queue.keyboard.press("Shift+X")
    expect(queue.locator(".chosen")).to_contain_text("4 selected")
    queue.keyboard.press("Shift+X")
    expect(queue.locator(".chosen")).to_be_hidden()
    press(queue, "s")
    expect(queue.locator(".alike-head")).to_contain_text("3 similar comments")
    queue.get_by_role("button", name="Select them").click()
    queue.get_by_role("group", name="Selected comments").get_by_role(
        "button", name="Approve"
    ).click()
    told(queue, "Approved 3 comments")
    expect(queue.locator(".nothing")).to_contain_text("Nothing is waiting for you.")
    settled(queue, "Reader 4", "approved")


def test_unsent_decisions_are_sent_when_the_page_is_left(queue: Page) -> None:
    for key in ("a", "s", "a"):
        press(queue, key)
    queue.goto("about:blank")
    settled(queue, "Reader 1", "approved")
    settled(queue, "Reader 2", "rejected")
    settled(queue, "Reader 3", "approved")


def test_a_decision_that_could_not_be_sent_restores_the_comment_with_a_message(queue: Page) -> None:
    queue.route("**/console/decisions", lambda route: route.fulfill(status=503, body=AWAY))
    press(queue, "a")
    told(queue, "Not saved: the comment by Reader 1 is back in the list. The database is away.")
    expect(queue.locator(".row")).to_have_count(4)
    expect(queue.locator(".row").first).to_contain_text("Reader 1")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    queue.unroute("**/console/decisions")
    queue.get_by_role("button", name="View").click()
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    press(queue, "a")
    settled(queue, "Reader 1", "approved")


def test_a_session_that_ended_in_the_middle_loses_nothing(queue: Page) -> None:
    queue.context.clear_cookies()
    press(queue, "a")
    told(queue, "You are signed out")
    expect(queue.locator(".row")).to_have_count(4)
    assert statuses()["Reader 1"] == "flagged"


def test_a_decision_on_an_old_version_says_who_was_first(
    queue: Page, url: str, open_page: Callable[..., Page]
) -> None:
    other = open_page("about:blank")
    sign_in(other, url, "ben@paper.example", role="moderator")
    expect(other.locator(".item h1")).to_have_text("Reader 1")
    press(other, "s")
    settled(other, "Reader 1", "rejected")
    press(queue, "a")
    told(queue, "ben@paper.example rejected it")
    assert statuses()["Reader 1"] == "rejected"


def test_an_item_open_at_another_is_shown_as_such_until_the_lease_ends(
    queue: Page, url: str, open_page: Callable[..., Page]
) -> None:
    queue.keyboard.press("j")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    other = open_page("about:blank")
    sign_in(other, url, "ben@paper.example", role="moderator")
    other.keyboard.press("j")
    expect(other.locator(".held")).to_contain_text("ann@paper.example has this comment open")
    with begin() as session:
        session.connection().exec_driver_sql("UPDATE claims SET until = '2020-01-01 00:00:00'")
    other.keyboard.press("k")
    other.keyboard.press("j")
    expect(other.locator(".item h1")).to_have_text("Reader 2")
    expect(other.locator(".held")).to_be_hidden()


def test_undo_never_undoes_a_colleagues_later_decision(queue: Page, moderator: Caller) -> None:
    press(queue, "a")
    settled(queue, "Reader 1", "approved")
    with reading() as session:
        comment = session.query(Comment.id).filter(Comment.name == "Reader 1").scalar()
    assert moderator.decide(comment, "reject").status_code == 201
    queue.keyboard.press("u")
    told(queue, "There is a newer decision")
    assert statuses()["Reader 1"] == "rejected"


def test_the_selected_are_decided_and_undone_as_one(queue: Page) -> None:
    queue.keyboard.press("x")
    queue.keyboard.press("j")
    queue.keyboard.press("x")
    expect(queue.locator(".chosen")).to_contain_text("2 selected")
    queue.keyboard.press("Shift+A")
    told(queue, "Approved 2 comments")
    expect(queue.locator(".row")).to_have_count(2)
    settled(queue, "Reader 2", "approved")
    queue.keyboard.press("u")
    expect(queue.locator(".row")).to_have_count(4)
    settled(queue, "Reader 1", "flagged")
    settled(queue, "Reader 2", "flagged")
    queue.keyboard.press("x")
    queue.keyboard.press("Shift+R")
    press(queue, "s")
    told(queue, "Rejected Reader 1 as spam")
    settled(queue, "Reader 1", "rejected")
    queue.set_viewport_size({"width": 360, "height": 740})
    for box in queue.locator(".row input").all()[1:]:
        box.check()
    queue.get_by_role("group", name="Selected comments").get_by_role(
        "button", name="Reject"
    ).click()
    expect(queue.get_by_text("Why these 2?")).to_be_in_viewport(ratio=1)
    queue.get_by_role("button", name="Abuse").click()
    told(queue, "Rejected 2 comments as abuse")
    settled(queue, "Reader 4", "rejected")


def test_many_pages_of_the_queue_are_chosen_decided_with_progress_and_undone(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    wait_in_line(client, 300)
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    sign_in(page, url)
    page.keyboard.press("x")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator(".chosen")).to_contain_text("300 selected")
    together = [int(number) for number in page.locator(".alike-head b").all_inner_texts()]
    assert max(together) > 150, "those of later pages have joined those of the first"
    page.keyboard.press("Shift+A")
    told(page, "Approved 300 comments")
    expect(page.locator(".nothing")).to_contain_text("Nothing is waiting for you.")
    settled(page, "Reader 300", "approved")
    page.keyboard.press("u")
    expect(page.locator(".row")).to_have_count(300)
    settled(page, "Reader 300", "flagged")
    assert set(statuses().values()) == {"flagged"}


def test_an_undo_of_many_is_finished_though_the_list_is_refreshed_meanwhile(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    """The comments of the first part are in the list again before the second part is undone."""
    wait_in_line(client, 60)
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    page.clock.install()
    sign_in(page, url)
    page.keyboard.press("x")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator(".chosen")).to_contain_text("60 selected")
    page.keyboard.press("Shift+A")
    told(page, "Approved 60 comments")
    settled(page, "Reader 60", "approved")
    expect(page.locator("[data-count=review]")).to_be_hidden()  # the next count is over
    parts: list[Route] = []

    def hold(route: Route) -> None:
        parts.append(route)

    page.route("**/console/undo", hold)

    def held(count: int) -> Route:
        """Wait for that many requests. They arrive while the page is asked for something."""
        until(lambda: page.title() and len(parts) >= count)
        return parts[-1]

    page.keyboard.press("u")
    held(1).continue_()
    second = held(2)
    page.clock.run_for(5_000)
    expect(page.locator(".row")).to_have_count(50)
    second.continue_()
    expect(page.locator(".row")).to_have_count(60)
    assert set(statuses().values()) == {"flagged"}


def test_space_marks_as_seen_and_moves_on_and_undo_restores_it(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    for n in range(1, 5):
        posted(
            client,
            name=f"Reader {n}",
            email=f"r{n}@mail.example",
            body=f"Fine, thank you all very much, number {n}",
        )
    screen_all()
    assert set(statuses().values()) == {"approved"}
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    sign_in(page, url)
    page.get_by_role("link", name="Unread").click()
    expect(page.locator("html.scripted")).to_have_count(1)
    expect(page.locator(".item h1")).to_have_text("Reader 1")
    for seen, percent in ((1, 25), (2, 50)):
        press(page, "Space")
        told(page, f"Seen: Reader {seen}")
        expect(page.locator(".item h1")).to_have_text(f"Reader {seen + 1}")
        expect(page.locator(".coverage")).to_have_text(
            f"Moderators have seen {percent}% of the last 4 live comments."
        )
        expect(page.locator("[data-count=unread]")).to_have_text(str(4 - seen))
    page.keyboard.press("u")
    told(page, "Undone: Reader 2")
    expect(page.locator(".item h1")).to_have_text("Reader 2")
    expect(page.locator(".coverage")).to_contain_text("25%")
    page.reload()
    expect(page.locator(".row")).to_have_count(3)
    expect(page.locator(".coverage")).to_contain_text("25%")


def test_the_script_says_times_in_the_words_of_the_server(
    url: str, open_page: Callable[..., Page]
) -> None:
    day = 86_400
    ages = [
        -5,
        0,
        59,
        60,
        119,
        120,
        3599,
        3600,
        day - 1,
        day,
        2 * day - 1,
        2 * day,
        30 * day,
        60 * day,
        365 * day,
        800 * day,
    ]
    page = open_page(f"{url}/console/sign-in")
    said = page.evaluate(
        (
            "async (ages) => { const { ago } = await import('/console/static/moments.js'); return "
            "ages.map(ago); }"
        ),
        ages,
    )
    with time_machine.travel(moment := now(), tick=False):
        assert said == [words.ago(moment - timedelta(seconds=age)) for age in ages]
    assert said[1:5] + said[-4:] == [
        *("just now", "just now", "1 min ago", "1 min ago"),
        *("1 month ago", "2 months ago", "1 year ago", "2 years ago"),
    ]


def test_signing_in_with_a_second_factor(
    queue: Page, url: str, open_page: Callable[..., Page]
) -> None:
    queue.goto(f"{url}/console/account")
    queue.get_by_role("button", name="Turn it on").click()
    expect(queue.get_by_role("img", name="The key as a QR code")).to_be_visible()
    secret = queue.locator("code").inner_text()
    queue.get_by_role("textbox", name="Code").fill(pyotp.TOTP(secret).now())
    queue.get_by_label("Your password").fill(PASSWORD)
    queue.get_by_role("button", name="Turn it on").click()
    expect(queue.locator(".codes li")).to_have_count(10)
    recovery = queue.locator(".codes li").first.inner_text()
    page = open_page(f"{url}/console/sign-in")
    page.get_by_label("Email").fill("ann@paper.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("code is wrong or has expired")
    page.get_by_role("textbox", name="Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".row")).to_have_count(4)


def test_the_author_is_blocked_from_the_item(queue: Page) -> None:
    queue.get_by_text("Block or trust", exact=True).click()
    queue.get_by_role("button", name="Block").first.click()
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    queue.goto(queue.url.partition("/console")[0] + "/console/blocks")
    expect(queue.get_by_role("row").nth(1)).to_contain_text("Blocked author Reader 1")
    queue.get_by_role("button", name="End").click()
    expect(queue.get_by_text("Nothing is blocked")).to_be_visible()


def test_n_opens_a_note_and_t_the_thread(queue: Page) -> None:
    press(queue, "n")
    queue.keyboard.type("Seen him before: a and r write letters here")
    queue.get_by_role("button", name="Save note").click()
    expect(queue.locator(".notes")).to_contain_text("Seen him before")
    expect(queue.locator("html.scripted")).to_have_count(1)
    assert statuses()["Reader 1"] == "flagged"
    press(queue, "t")
    expect(queue.locator(".thread-comment")).to_have_count(4)


def test_a_viewer_can_look_but_not_decide(
    queue: Page, url: str, open_page: Callable[..., Page]
) -> None:
    page = open_page("about:blank")
    sign_in(page, url, "vera@paper.example", role="viewer")
    expect(page.locator(".item h1")).to_have_text("Reader 1")
    press(page, "a")
    page.keyboard.press("x")
    page.keyboard.press("j")
    expect(page.locator(".item h1")).to_have_text("Reader 2")
    expect(page.locator(".actions")).to_have_count(0)
    expect(page.locator(".chosen, .pick").locator("visible=true")).to_have_count(
        0
    )  # nothing to select for
    assert set(statuses().values()) == {"flagged"}


SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""
SELLS = (
    "He loved the old song, and people cried. Check out my **new channel**, my "
    "CHANNEL! <b>Really</b> "
)


def marks(page: Page, place: str) -> dict[str, str]:
    """Return the marked words, in lower case, and which way they moved the score."""
    found = page.locator(f"{place} mark.moved").all()
    return {
        mark.inner_text().lower(): (mark.get_attribute("class") or "").split()[-1] for mark in found
    }


def test_the_words_that_moved_the_score_are_marked_in_the_text(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    wait_in_line(client, 2, body=SELLS + LINKS)
    wait_in_line(
        client, 1, name="Harmless", body="He loved the old song, and the people cried. " + LINKS
    )
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    page.add_init_script(SHIFTS)
    sign_in(page, url)
    for following in ("Reader 2", "Harmless"):
        expect(page.locator(".said mark.up", has_text="channel").first).to_be_visible()
        assert marks(page, ".said")["channel"] == "up"
        assert set(marks(page, ".said").values()) == {"up"}
        assert page.locator(".said strong mark", has_text="channel").count() == 1
        assert page.locator(".said mark", has_text=re.compile("^CHANNEL$")).count() == 1
        title = page.locator(".said mark.up").first.get_attribute("title")
        assert title is not None
        assert re.fullmatch(r"Towards spam: \d+% of the total effect on the score", title)
        expect(
            page.get_by_text("Marked in the text: parts that raise the spam score.")
        ).to_be_visible()
        assert page.evaluate("shifts") == []
        page.get_by_text("Why this spam score").click()
        expect(page.locator(".score .as-written")).to_contain_text("<b>Really</b>")
        assert set(marks(page, ".as-written").values()) == {"up", "down"}
        assert findings(page) == []
        page.keyboard.press("j")
        expect(page.locator(".item h1")).to_have_text(following)
    page.get_by_text("Why this spam score").click()
    expect(page.locator(".as-written mark").first).to_be_visible()
    expect(page.locator(".said mark")).to_have_count(0)
    expect(page.get_by_text("Marked in the text")).to_have_count(0)


def test_without_script_a_link_leads_to_the_marked_words(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    wait_in_line(client, 1, body=SELLS + LINKS)
    page = open_page("about:blank", java_script_enabled=False)
    sign_in(page, url, is_scripted=False)
    page.get_by_role("link", name="Why this spam score").click()
    expect(page.locator(".as-written mark.up", has_text="channel").first).to_be_visible()
    assert marks(page, ".as-written")["channel"] == "up"
    page.get_by_role("link", name="the comment", exact=True).click()
    assert shown(page) == "Reader 1"


def test_it_works_without_script(client: Client, url: str, open_page: Callable[..., Page]) -> None:
    wait_in_line(client, 2)
    page = open_page("about:blank", java_script_enabled=False)
    sign_in(page, url, is_scripted=False)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#said-so")).to_contain_text("Approved Reader 1")
    assert statuses()["Reader 1"] == "approved"
    page.get_by_role("button", name="Undo").click()
    assert statuses()["Reader 1"] == "flagged"
    page.get_by_role("button", name="Spam").click()
    assert statuses()["Reader 1"] == "rejected"
    assert shown(page) == "Reader 2"


@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_serious_and_nothing_overflows(
    client: Client, url: str, open_page: Callable[..., Page], width: int
) -> None:
    script = "<script>alert(1)</script>"
    posted(
        client, name=script, body=f"{script} <img src=x onerror=alert(1)> " + "long" * 60 + LINKS
    )
    posted(client, name="محمد", body="شكرا على المقال " + LINKS)
    screen_all()
    page = open_page("about:blank", viewport={"width": width, "height": 800})
    page.goto(f"{url}/console/sign-in")
    check_in_both_schemes(page, "/console/sign-in")
    sign_in(page, url)
    for address in PAGES:
        page.goto(url + address)
        page.wait_for_timeout(100)
        check_in_both_schemes(page, address)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address


def check_in_both_schemes(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light")
    assert findings(page) == [], address
    page.emulate_media(color_scheme="dark")
    assert findings(page, OF_COLOURS) == [], (address, "dark")


LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC = "محمد عبد الرحمن بن عبد العزيز"
OVERFLOWING = """() => [...document.querySelectorAll("main, main *")]
    .filter((part) => part.scrollWidth > part.clientWidth + 1)
    .filter((part) => getComputedStyle(part).overflowX === "visible")
    .filter((part) => getComputedStyle(part).display !== "inline")
    .map((part) => part.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (360, "light")])
def test_very_long_words_stay_in_their_place(
    client: Client,
    moderator: Caller,
    url: str,
    open_page: Callable[..., Page],
    width: int,
    scheme: str,
) -> None:
    held = wait_in_line(client, 1, name=LONG_WORD[:60], body=f"{LONG_WORD} {ARABIC} {LINKS}")
    with begin() as session:
        thread = session.query(Thread).one()
        thread.title, thread.url = LONG_WORD * 2, f"https://paper.example/{LONG_WORD * 2}"
        thread_id = thread.id
    moderator.call("PATCH", "/policy", json={"words": {"blocked": [LONG_WORD * 2, ARABIC]}})
    page = open_page("about:blank", viewport={"width": width, "height": 900}, color_scheme=scheme)
    sign_in(page, url)
    page.goto(f"{url}/console/?item={held[0]}")
    expect(page.locator(".item h1")).to_have_text(LONG_WORD[:60])
    assert page.evaluate(OVERFLOWING) == []
    page.goto(f"{url}/console/threads/{thread_id}")
    page.get_by_text("Correct the title and the address").click()
    assert page.evaluate(OVERFLOWING) == []
    page.goto(f"{url}/console/settings")
    page.get_by_label("Try these words on a text").fill(f"{LONG_WORD * 2} {ARABIC}")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator("#tried")).to_contain_text(LONG_WORD)
    assert page.evaluate(OVERFLOWING) == []
