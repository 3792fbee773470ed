"""Everything that a worker does with one comment: language, every check on a database,
fingerprints, links and HTML.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.fuzz.measuring import seconds
from bench.fuzz.readers import candidate
from models.identifiers import new_id
from models.judgement.evidence import CHECKS
from models.records import Block, Comment, Thread
from models.store.database import begin, now
from models.store.secrets import secrets
from models.text import markdown
from models.text.language import detect
from service.sites.lookup import find_site
from worker.checks.hosts import rows as linked_hosts
from worker.checks.repeats import fingerprints
from worker.screening import examine

# times the cost of an ordinary comment: 50 ms if that takes 7.7, most of it the database's
MOST = 6.5
ATTEMPTS = 6

# About as long as a comment on a newspaper's site.
ORDINARY = (
    "I walked along the harbour last night, and the new cranes are louder than the article "
    "says. My neighbour measured "
    "62 decibels at her window: see https://paper.example/2026/harbour for the limits that the "
    "city promised. Does "
    "anyone know whom to write to? The council's page has been down since Monday, which is no "
    "wonder."
)


# The checks that have a reader's text among much else, all of them run by `screen`.
_CHECKS = [name for name in CHECKS if name not in {"form", "words", "page", "language"}]
READS = (
    *(f"worker.checks.{name}.check" for name in _CHECKS),
    "worker.checks.title_and_address.check",
    *(f"models.judgement.{name}.check" for name in ("form", "words", "language")),
    "worker.checks.scores.judge",
    *(
        "worker.screening.examination.examine",
        "worker.checks.hosts.rows",
        "worker.screening.__init__.examine",
    ),
)


def prepare() -> None:
    """Make a site with rules of each kind, which makes the checks do the most work."""
    secrets()  # made first: a database with comments gets no new keys
    site = find_site("demo")
    assert site is not None
    with begin() as session:
        session.add(Thread(id=1, site_id=site.id, key="/a"))
        session.flush()
        earlier = Comment(
            id=new_id(), site_id=site.id, thread_id=1, top_id=new_id(), body=ORDINARY, **_row()
        )
        session.add(earlier)
        session.flush()
        for kind, value in (("host", "casino.example"), ("word", "casino"), ("like", earlier.id)):
            stance = "flag" if kind == "like" else "block"
            session.add(
                Block(
                    id=new_id(),
                    site_id=site.id,
                    kind=kind,
                    stance=stance,
                    value=value,
                    label=value,
                    by="policy",
                )
            )


def _row() -> dict[str, Any]:
    return {
        "status": "approved",
        "version": 1,
        "name": "Ann",
        "email_index": "",
        "html": "",
        "avatar": "",
        "screenings": 1,
    }


def screen(body: str) -> None:
    """Do everything with a comment up to the moment when the result would be written."""
    [language] = detect([body])
    about = {
        "page": "https://paper.example/a",
        "new_title": body[:300],
        "new_address": "https://paper.example/a",
    }
    comment = candidate(body, language=language, **about)
    examine([comment], now())
    fingerprints([comment])
    linked_hosts([comment])
    markdown.render(body)


class Cost(NamedTuple):
    """Processor time in seconds, for a comment and for the ordinary comment screened right after
    it.
    """

    comment: float
    ordinary: float

    @property
    def ratio(self) -> float:
        return self.comment / self.ordinary


def cost(body: str) -> Cost:
    """Measure the cost of screening a comment. A cost that is too high is measured again, because
    the machine may have been busy; the lowest counts.
    """
    costs: list[Cost] = []
    while len(costs) < ATTEMPTS and (not costs or costs[-1].ratio > MOST):
        costs.append(Cost(seconds(lambda: screen(body)), seconds(lambda: screen(ORDINARY))))
    return min(costs, key=lambda each: each.ratio)
