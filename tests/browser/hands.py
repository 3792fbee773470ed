"""Random hands on the console: clicks and keys over a slow line, and a witness in the page.

The witness notes what the browser has drawn, and which rows each click or key took out of the list.
It delays every call by `LATENCY` milliseconds of a clock that only `elapse` moves, so that a slow
line takes no time.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from playwright.sync_api import Page

LATENCY = 5_000
PAUSES = (0, 0, 0, 40, 300, 1_200, 2_600, 6_000, 6_000, 6_000)
KEYS = {
    "j": 14,
    "k": 5,
    "a": 14,
    "s": 8,
    "r": 8,
    "1": 4,
    "Enter": 3,
    "Escape": 1,
    "u": 5,
    "x": 6,
    "f": 4,
    "Shift+X": 1,
    "Shift+A": 2,
    "Shift+R": 2,
}
CLICKS = {
    ".row > a": 24,
    ".row input": 4,
    ".actions form[data-do] button": 10,
    ".reasons button": 3,
    "[data-do=next]": 2,
    "[data-do=choose-all]": 1,
    "[data-do=choose-none]": 2,
}
WITNESS = """
const witness = window.witness = { acts: [], sent: [], times: [], drawn: null };
const rowIds = () => [...document.querySelectorAll(".row:not(.settled)")].map((row) => row.dataset.id);
const isSettled = (id) => Boolean(document.querySelector(`.row.settled[data-id="${id}"]`));
const chosenIds = () => [...document.querySelectorAll(".row:has(:checked)")].map((row) => row.dataset.id);
const isAsking = () => Boolean(document.querySelector(".reasons:not([hidden])"));

// What the browser draws: noted in an animation frame, true once the frame is over.
let pressed = null;
const look = () => requestAnimationFrame(() => {
  const item = document.querySelector("#open > .item");
  const seen = item && { id: item.dataset.id, version: Number(item.dataset.version) };
  setTimeout(() => {
    if (pressed !== null && seen && seen.id !== witness.drawn?.id) {
      witness.times.push(performance.now() - pressed);
      pressed = null;
    }
    witness.drawn = seen;
  });
  look();
});
look();

// What a hand does: the state before the page hears of it, and after.
let before = null, asked = null;
for (const kind of ["keydown", "click", "submit"]) {
  addEventListener(kind, (event) => {
    if (kind === "keydown") pressed = event.timeStamp;
    const chosen = chosenIds();
    const isSelection = chosen.length > 0;
    const meant = isSelection ? chosen : witness.drawn ? [witness.drawn.id] : [];
    before = { ids: rowIds(), meant, isSelection, drawn: witness.drawn, wasAsking: isAsking(),
      drawnIsSettled: isSettled(witness.drawn?.id) };
  }, true);
  addEventListener(kind, () => {
    const { ids, drawn, wasAsking } = before;
    const { meant, isSelection } = wasAsking ? asked : before;
    const now = new Set(rowIds());
    const gone = ids.filter((id) => !now.has(id));
    if (gone.length) witness.acts.push({ gone, meant, isSelection, drawn });
    // A colleague decided the open comment. A decision on it is sent all the same, and refused.
    if (before.drawnIsSettled && !isSettled(drawn.id)) {
      witness.acts.push({ gone: [drawn.id], meant: [drawn.id], isSelection: false, drawn });
    }
    if (!wasAsking && isAsking()) asked = { meant, isSelection };
  });
}

// A slow line.
let clock = 0, latency = 0, unanswered = 0;
const late = [];
const later = (ms) => new Promise((go) => (ms ? late.push({ at: clock + ms, go }) : go()));
const fetched = window.fetch;
window.fetch = async (address, options) => {
  if (address === "/console/decisions") witness.sent.push(...JSON.parse(options.body).items);
  const half = latency / 2;
  unanswered += 1;
  try {
    await later(half);
    const answer = await fetched(address, options);
    await later(half);
    return answer;
  } finally {
    unanswered -= 1;
  }
};
window.slowDown = (ms) => { latency = ms; };
window.elapse = (ms) => {
  clock += ms;
  for (const each of [...late]) if (each.at <= clock) late.splice(late.indexOf(each), 1)[0].go();
  return unanswered;
};
"""
# The middle of one of these elements, if it can be hit there.
SPOT = """([selector, n]) => {
  const spots = [...document.querySelectorAll(selector)].map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return { one, x: x + width / 2, y: y + height / 2 };
  }).filter(({ one, x, y }) => one.contains(document.elementFromPoint(x, y)));
  if (!spots.length) return null;
  const { x, y } = spots[n % spots.length];
  return [x, y];
}"""


class Wrong(NamedTuple):
    """A decision that nobody can have meant."""

    sequence: int
    comments: list[str]
    meant: list[str]
    sent_version: int | None = None


class Outcome(NamedTuple):
    """What a sequence did: how many comments it decided, and which of these were wrong."""

    decided: int
    wrong: list[Wrong]


def play(page: Page, url: str, *, sequence: int, steps: int) -> Outcome:
    """One sequence of random clicks and keys over the slow line."""
    random = Random(sequence)
    page.goto(url)
    page.wait_for_selector("html.scripted")
    page.evaluate("ms => slowDown(ms)", LATENCY)
    for _ in range(steps):
        _act(page, random)
        page.evaluate("ms => elapse(ms)", random.choice(PAUSES))
    witness = page.evaluate("witness")
    page.evaluate("slowDown(0)")
    finish(page)
    return Outcome(len(witness["sent"]), _judge(witness, sequence))


def finish(page: Page) -> None:
    """Wait until every call is answered. Between two calls in a row there is a moment without one."""
    quiet = 0
    while quiet < 5:
        quiet = 0 if page.evaluate("ms => elapse(ms)", LATENCY) else quiet + 1
        page.wait_for_timeout(10)


def _act(page: Page, random: Random) -> None:
    if random.random() < 0.55:
        page.keyboard.press(_one_of(random, KEYS))
        return
    spot = page.evaluate(SPOT, [_one_of(random, CLICKS), random.randrange(40)])
    if spot:
        page.mouse.click(*spot)


def _one_of(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _judge(witness: Any, sequence: int) -> list[Wrong]:
    """A decision is right for the comment that was drawn, in the version that was drawn, or for the
    selection.
    """
    wrong: list[Wrong] = []
    selected: set[str] = set()
    drawn: set[tuple[str, int]] = set()
    for act in witness["acts"]:
        if {*act["gone"]} != {*act["meant"]}:
            wrong.append(Wrong(sequence, act["gone"], act["meant"]))
        if act["isSelection"]:
            selected |= {*act["gone"]}
        elif act["drawn"]:
            drawn.add((act["drawn"]["id"], act["drawn"]["version"]))
    for item in witness["sent"]:
        is_meant = item["id"] in selected or (item["id"], item["version"]) in drawn
        if not is_meant:
            wrong.append(Wrong(sequence, [item["id"]], [], item["version"]))
    return wrong
