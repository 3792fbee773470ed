"""The list stays as the server has it while a moderator works in it, and nothing moves under the hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from models.records import Comment
from models.store.database import reading
from tests.browser.console import LINKS, press, ready, sign_in, statuses, wait_in_line
from tests.caller import Caller, Client

# What the console asks of either database is tested in tests/service.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SOON = 5_000  # milliseconds of the page: by then it must have asked


@pytest.fixture
def queue(client: Client, url: str, open_page: Callable[..., Page]) -> Page:
    """Four comments wait, and someone who may decide looks at the first."""
    wait_in_line(client, 4)
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    page.clock.install()
    sign_in(page, url)
    page.evaluate("document.body.dataset.loaded = 'once'")
    return page


def id_of(name: str) -> str:
    with reading() as session:
        return str(session.query(Comment.id).filter(Comment.name == name).scalar())


def let_pass(page: Page, milliseconds: int = SOON) -> None:
    page.clock.run_for(milliseconds)


def place_of(thing: Locator) -> float:
    box = thing.bounding_box()
    assert box is not None
    return box["y"]


def arrive(client: Client, name: str) -> None:
    wait_in_line(client, 1, name=name, email="late@mail.example", body=f"{name} {LINKS}")


def test_a_colleagues_decision_and_a_new_comment_appear_and_nothing_is_lost(
    queue: Page, client: Client, moderator: Caller
) -> None:
    press(queue, "s")
    expect(queue.locator("#said-so")).to_contain_text("Rejected Reader 1 as spam")
    ready(queue)
    queue.locator(".row", has_text="Reader 3").locator("input").check()
    queue.locator("#q").press_sequentially("half a wo")
    assert moderator.decide(id_of("Reader 4"), "approve").status_code == 201
    arrive(client, "Newcomer")
    let_pass(queue)
    expect(queue.locator(".row", has_text="Newcomer")).to_have_count(1)
    expect(queue.locator(".row", has_text="Reader 4")).to_have_count(0)
    expect(queue.locator("#q")).to_have_value("half a wo")
    expect(queue.locator("#q")).to_be_focused()
    expect(queue.locator(".chosen")).to_contain_text("1 selected")
    expect(queue.locator("#said-so")).to_contain_text("Rejected Reader 1 as spam")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    expect(queue.locator("[data-count=review]")).to_have_text("3")
    expect(queue.locator("body")).to_have_attribute("data-loaded", "once")
    queue.locator("#q").blur()
    queue.keyboard.press("u")
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    expect(queue.locator(".row")).to_have_count(4)


def test_a_new_comment_above_the_open_one_moves_nothing(
    queue: Page, url: str, client: Client
) -> None:
    queue.goto(f"{url}/console/?order=newest")
    ready(queue)
    queue.keyboard.press("j")
    ready(queue)
    row = queue.locator(".row[aria-current]")
    before = place_of(row)
    arrive(client, "Newcomer")
    let_pass(queue)
    expect(queue.locator(".row").first).to_contain_text("Newcomer")
    expect(row).to_contain_text("Reader 3")
    assert abs(place_of(row) - before) < 1
    expect(queue.locator(".item h1")).to_have_text("Reader 3")
    queue.get_by_role("button", name="1 new").click()
    expect(queue.locator(".row").first).to_be_in_viewport(ratio=1)
    expect(queue.get_by_role("button", name="1 new")).to_be_hidden()


def test_a_decision_above_the_pointer_moves_nothing(queue: Page, moderator: Caller) -> None:
    pointed = queue.locator(".row", has_text="Reader 3")
    pointed.hover()
    before = place_of(pointed)
    assert moderator.decide(id_of("Reader 2"), "approve").status_code == 201
    let_pass(queue)
    expect(queue.locator(".row", has_text="Reader 2")).to_have_count(0)
    assert abs(place_of(pointed) - before) < 1
    queue.locator("#q").hover()
    assert place_of(pointed) < before


def test_a_filter_without_matches_keeps_the_typed_text_until_one_arrives(
    queue: Page, url: str, client: Client
) -> None:
    queue.goto(f"{url}/console/?tab=review&q=newcomer")
    expect(queue.locator("html.scripted .nothing")).to_contain_text("Nothing found.")
    queue.locator("#q").fill("half a wo")
    for _ in range(10):
        let_pass(queue)
    expect(queue.locator("#q")).to_have_value("half a wo")
    arrive(client, "Newcomer")
    let_pass(queue)
    expect(queue.locator(".item h1")).to_have_text("Newcomer")
    expect(queue.locator("#q")).to_have_value("half a wo")


def test_the_open_comment_stays_unchanged_and_names_a_colleagues_decision(
    queue: Page, moderator: Caller
) -> None:
    queue.locator("summary", has_text="Write a note").click()
    queue.locator("[data-note]").fill("Half a note")
    assert moderator.decide(id_of("Reader 1"), "reject").status_code == 201
    let_pass(queue)
    expect(queue.locator(".changed")).to_contain_text("rejected it just now.")
    expect(queue.locator("[data-note]")).to_have_value("Half a note")
    expect(queue.locator(".row[aria-current].settled")).to_contain_text("Reader 1")
    queue.get_by_role("button", name="Show the current version").click()
    expect(queue.locator(".item .status.rejected")).to_have_count(1)
    queue.keyboard.press("j")
    expect(queue.locator(".item h1")).to_have_text("Reader 2")
    expect(queue.locator(".row")).to_have_count(3)


def test_a_decided_comment_does_not_reappear_before_the_decision_is_sent(queue: Page) -> None:
    with queue.expect_request("**/console/decisions"):
        queue.route("**/console/decisions", lambda route: None, times=1)
        press(queue, "a")
    let_pass(queue)
    let_pass(queue)
    expect(queue.locator(".row")).to_have_count(3)
    assert statuses()["Reader 1"] == "flagged"


def test_an_idle_page_costs_little(queue: Page) -> None:
    with queue.expect_response("**/console/changes*"):
        let_pass(queue)
    with queue.expect_response("**/console/changes*") as answer:
        let_pass(queue)
    assert answer.value.status == 304
    asked: list[str] = []
    queue.on("request", lambda request: asked.append(request.url))
    queue.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    let_pass(queue, 60_000)
    assert asked == []
    queue.evaluate("delete document.hidden")
    with queue.expect_response("**/console/changes*"):
        queue.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
