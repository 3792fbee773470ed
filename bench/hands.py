"""`python -m bench.hands`: the console in Chromium, under hands that are faster than the line.

200 sequences of random clicks and keys with a latency of 5 s must decide no comment that was not on
the screen. Without latency, the next comment must be painted within 50 ms of the key (median), and
a colleague's decision must reach the list within 5 s.
"""

from __future__ import annotations

import sys
from statistics import median, quantiles
from time import perf_counter

import click
from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table

from bench.moderating import filled, sign_in_by_form
from bench.reading import Row
from tests.browser import hands
from tests.browser.chromium import chromium
from tests.browser.console import press, ready, served, sign_in
from tests.caller import Client

STEPS, KEYS, ROUNDS = 20, 100, 10
MOST_MEDIAN_MS, MOST_P95_MS, MOST_SECONDS = 50, 100, 5.0


def measure(sequences: int, first: int = 0) -> list[Row]:
    with filled("SQLite") as client, served(client.application) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(hands.WITNESS)
        sign_in(page, url, "hands@paper.example")
        address = f"{url}/console/"
        return [
            _random_hands(page, address, range(first, first + sequences)),
            *_key_to_next_comment(page, address),
            _colleagues_decision(page, address, client),
        ]


def _random_hands(page: Page, url: str, sequences: range) -> Row:
    decided, wrong = 0, []
    for sequence in sequences:
        outcome = hands.play(page, url, sequence=sequence, steps=STEPS)
        decided += outcome.decided
        wrong += outcome.wrong
    for each in wrong:
        print(each)
    figure = f"{len(wrong)} of {decided} comments decided, in {len(sequences)} sequences"
    return Row("random hands, 5 s of latency", figure, len(wrong), "0", not wrong)


def _key_to_next_comment(page: Page, url: str) -> list[Row]:
    page.goto(url)
    for _ in range(KEYS):
        ready(page)
        page.wait_for_timeout(250)  # nobody decides faster
        press(page, "a")
    ready(page)
    hands.finish(page)
    times = page.evaluate("witness.times")
    middle, p95 = median(times), quantiles(times, n=20)[-1]
    figure = f"median {middle:.0f} ms, p95 {p95:.0f} ms, of {len(times)}"
    return [
        _row("key to the next comment: median ÷ 50 ms", figure, middle / MOST_MEDIAN_MS),
        _row("key to the next comment: p95 ÷ 100 ms", figure, p95 / MOST_P95_MS),
    ]


def _colleagues_decision(page: Page, url: str, client: Client) -> Row:
    page.goto(url)
    csrf = sign_in_by_form(client)
    times = []
    for _ in range(ROUNDS):
        row = page.locator(".row:not([aria-current])").nth(1)
        id_, version = row.get_attribute("data-id"), row.get_attribute("data-version")
        began = perf_counter()
        answer = client.post(
            "/console/decisions",
            json={"verdict": "reject", "items": [{"id": id_, "version": int(version or 0)}]},
            headers={"X-Greenroom-CSRF": csrf},
        )
        assert answer.json["done"], answer.text
        page.wait_for_selector(f'.row[data-id="{id_}"]', state="detached")
        times.append(perf_counter() - began)
    figure = f"median {median(times):.1f} s, longest {max(times):.1f} s, of {ROUNDS}"
    return _row("a colleague's decision in the list ÷ 5 s", figure, max(times) / MOST_SECONDS)


def _row(work: str, figure: str, ratio: float) -> Row:
    return Row(work, figure, ratio, "≤ 1", ratio <= 1)


@click.command()
@click.option("--sequences", default=200, show_default=True, help="How many random sequences.")
@click.option("--first", default=0, show_default=True, help="The seed of the first of them.")
def main(sequences: int, first: int) -> None:
    rows = measure(sequences, first)
    table = Table("work", "measured", "ratio", "bar", "")
    for row in rows:
        is_met = "met" if row.is_met else "[red]not met[/red]"
        table.add_row(row.work, row.figure, f"{row.ratio:.2f}", row.bar, is_met)
    Console().print(table)
    sys.exit(not all(row.is_met for row in rows))


if __name__ == "__main__":
    main()
