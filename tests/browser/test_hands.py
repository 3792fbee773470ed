"""Hands that are faster than the connection: keys, buttons and clicks decide only what is on the
screen.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import hands
from tests.browser.console import press, ready, sign_in, statuses, wait_in_line
from tests.caller import Client

# What the console asks of either database is tested in tests/service.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
AWAY = '{"detail": "The database is away."}'
WIDE = {"width": 1440, "height": 900}


class Held:
    """Answers that do not arrive until they are released."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._routes: list[Route] = []
        self._is_released = False
        page.route(pattern, self._hold)

    def _hold(self, route: Route) -> None:
        if self._is_released:
            route.continue_()
        else:
            self._routes.append(route)

    def release(self) -> None:
        self._is_released = True
        for route in self._routes:
            route.continue_()


def fail(page: Page, pattern: str) -> None:
    page.route(pattern, lambda route: route.fulfill(status=503, body=AWAY))


ROW_THEN_APPROVE = """() => {
    document.querySelectorAll(".row > a")[3].click();
    document.querySelector(".actions button[value=approve]").click();
}"""


@pytest.fixture
def queue(client: Client, url: str, open_page: Callable[..., Page]) -> Page:
    """Four comments wait, and someone who may decide looks at the first."""
    return _with_waiting(client, url, open_page, 4)


def _with_waiting(client: Client, url: str, open_page: Callable[..., Page], count: int) -> Page:
    wait_in_line(client, count)
    page = open_page("about:blank", viewport=WIDE)
    sign_in(page, url)
    ready(page)
    return page


@pytest.mark.parametrize("way", ["key", "button"])
def test_nothing_is_decided_while_the_comment_is_still_loading(queue: Page, way: str) -> None:
    items = Held(queue, "**/console/items/*")
    queue.reload()
    ready(queue)
    if way == "key":
        queue.locator(".row > a").nth(3).click()
        queue.keyboard.press("a")
    else:  # in one step, because the page soon takes the buttons of the comment before away
        queue.evaluate(ROW_THEN_APPROVE)
    expect(queue.locator("#hint")).to_have_text(
        "Nothing was done: the comment by Reader 4 was not on the screen."
    )
    expect(queue.locator("#open")).to_have_text("Loading the comment by Reader 4…")
    queue.keyboard.press("s")
    queue.keyboard.press("n")
    queue.keyboard.press("e")
    expect(queue.locator(".row")).to_have_count(4)
    items.release()
    ready(queue)
    expect(queue.locator(".item h1")).to_have_text("Reader 4")
    with queue.expect_response("**/console/decisions"):
        press(queue, "a")
    assert statuses() == dict.fromkeys(["Reader 1", "Reader 2", "Reader 3"], "flagged") | {
        "Reader 4": "approved"
    }


def test_nothing_is_decided_while_the_comment_is_scrolled_away(queue: Page) -> None:
    queue.set_viewport_size({"width": 360, "height": 400})
    queue.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    queue.keyboard.press("a")
    expect(queue.locator("#hint")).to_contain_text("the comment by Reader 1 was not on the screen.")
    expect(queue.locator(".row")).to_have_count(4)


def test_a_comment_that_could_not_be_loaded_can_be_loaded_again(queue: Page) -> None:
    fail(queue, "**/console/items/*")
    queue.reload()
    ready(queue)
    queue.keyboard.press("j")
    expect(queue.locator("#open")).to_contain_text(
        "The comment by Reader 2 could not be loaded. The database is away."
    )
    queue.unroute("**/console/items/*")
    queue.get_by_role("button", name="Try again").click()
    expect(queue.locator(".item h1")).to_have_text("Reader 2")


def test_keys_and_buttons_act_on_the_selection_and_say_so(queue: Page) -> None:
    for nth in (2, 3):
        queue.locator(".row input").nth(nth).check()
    expect(queue.get_by_role("button", name="Approve 2 selected a")).to_be_visible()
    press(queue, "a")
    expect(queue.locator("#said-so")).to_contain_text("Approved 2 comments")
    expect(queue.locator(".item h1")).to_have_text("Reader 1")
    expect(queue.get_by_role("button", name="Approve a", exact=True)).to_be_visible()
    expect(queue.locator(".row")).to_have_count(2)
    queue.locator(".row input").nth(1).check()
    with queue.expect_response("**/console/decisions"):
        queue.get_by_role("button", name="Spam 1 selected").click()
    assert statuses() == {
        "Reader 1": "flagged",
        "Reader 2": "rejected",
        "Reader 3": "approved",
        "Reader 4": "approved",
    }


def test_the_question_for_the_reason_ends_with_the_comment_that_it_is_about(queue: Page) -> None:
    press(queue, "r")
    expect(queue.get_by_role("group", name="Why?")).to_be_visible()
    queue.locator(".row > a").nth(1).click()
    ready(queue)
    with queue.expect_response("**/console/decisions"):
        press(queue, "a")
    assert statuses()["Reader 1"] == "flagged"
    assert statuses()["Reader 2"] == "approved"


def test_random_hands_over_a_slow_line_decide_nothing_that_was_not_on_the_screen(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    wait_in_line(client, 60)
    page = open_page("about:blank", viewport=WIDE)
    page.add_init_script(hands.WITNESS)
    sign_in(page, url)
    decided = 0
    for sequence in range(8):
        outcome = hands.play(page, f"{url}/console/", sequence=sequence, steps=20)
        assert outcome.wrong == []
        decided += outcome.decided
    assert decided > 8, "the hands had something to decide"


@pytest.fixture
def long_queue(client: Client, url: str, open_page: Callable[..., Page]) -> Page:
    """More comments than one page of the list shows."""
    return _with_waiting(client, url, open_page, 60)


def test_all_is_the_whole_list_or_nothing(long_queue: Page) -> None:
    rows = Held(long_queue, "**/console/rows?*")
    long_queue.keyboard.press("x")
    long_queue.get_by_role("button", name="All", exact=True).click()
    long_queue.keyboard.press("Shift+A")
    expect(long_queue.locator("#hint")).to_have_text("Nothing was done: the list is still loading.")
    rows.release()
    expect(long_queue.locator(".chosen")).to_contain_text("60 selected")
    long_queue.keyboard.press("Shift+A")
    expect(long_queue.locator("#said-so")).to_contain_text("Approved 60 comments")


def test_all_selects_nothing_if_the_list_does_not_load_to_its_end(long_queue: Page) -> None:
    fail(long_queue, "**/console/rows?*")
    long_queue.keyboard.press("x")
    long_queue.get_by_role("button", name="All", exact=True).click()
    expect(long_queue.locator("#said-so")).to_contain_text("Nothing is selected")
    expect(long_queue.locator(".chosen")).to_be_hidden()


AZERTY = """
const letters = new Map([["KeyA", "q"], ["KeyQ", "a"], ["KeyJ", "j"], ["Slash", "!"]]);
Object.defineProperty(navigator, "keyboard", { value: { getLayoutMap: async () => letters } });
"""
UNKNOWN = "Object.defineProperty(navigator, 'keyboard', { value: undefined });"


def type_key(page: Page, code: str, key: str, *, shift: bool = False) -> None:
    """A key of another keyboard."""
    session = page.context.new_cdp_session(page)
    modifiers = 8 if shift else 0
    for kind in ("keyDown", "keyUp"):
        session.send(
            "Input.dispatchKeyEvent",
            {"type": kind, "code": code, "key": key, "text": key, "modifiers": modifiers},
        )


def test_a_key_cap_shows_the_letter_that_is_printed_on_the_keyboard(queue: Page) -> None:
    queue.add_init_script(AZERTY)
    queue.reload()
    expect(queue.locator(".actions button[value=approve] kbd")).to_have_text("q")
    expect(queue.locator(".chosen [data-key=approve_selected]")).to_have_text("⇧Q")
    ready(queue)
    with queue.expect_response("**/console/decisions"):
        type_key(queue, "KeyA", "q")
    assert statuses()["Reader 1"] == "approved"


def test_a_letter_that_the_browser_does_not_tell_is_learned_from_typing(queue: Page) -> None:
    queue.add_init_script(UNKNOWN)
    queue.reload()
    approve = queue.locator(".actions button[value=approve] kbd")
    expect(approve).to_have_text("a")
    queue.locator("#q").focus()
    type_key(queue, "KeyA", "q")
    expect(approve).to_have_text("q")
    queue.reload()
    expect(approve).to_have_text("q")


@pytest.mark.parametrize(("code", "key"), [("Minus", "?"), ("KeyM", "?"), ("Slash", "؟")])
def test_a_question_mark_opens_the_help_on_any_keyboard(queue: Page, code: str, key: str) -> None:
    type_key(queue, code, key, shift=True)
    expect(queue.get_by_role("dialog")).to_be_visible()
