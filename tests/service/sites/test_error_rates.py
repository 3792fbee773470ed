"""Error rates come only from blind reviews that a human closed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from models.records import Site
from models.store.database import reading
from service.commands.main import main
from service.sites.error_rates import ErrorRates, error_rates
from tests.caller import Caller, Client, posted, screen_all

LINKS = "https://a.example https://b.example https://c.example https://d.example"


def rates() -> ErrorRates:
    with reading() as session:
        return error_rates(session, session.scalars(select(Site.id)).one())


@pytest.fixture
def sampled(client: Client, moderator: Caller) -> list[str]:
    """Two comments that Greenroom approved and two that it flagged, all of them for blind
    review.
    """
    moderator.call("PATCH", "/policy", json={"sample": {"share": 1}})
    bodies = ("The ferry was late.", "The bus was late.", f"One {LINKS}", f"Two {LINKS}")
    ids = [posted(client, body=body, email=f"r{n}@example.org") for n, body in enumerate(bodies)]
    screen_all()
    return ids


def test_without_reviews_there_are_no_error_rates(sampled: list[str]) -> None:
    found = rates()
    assert found.judged == 0
    assert (found.good_held_back.wrong, found.good_held_back.of) == (0, 0)


def test_each_rate_counts_its_own_mistakes(moderator: Caller, sampled: list[str]) -> None:
    for id_, verdict in zip(sampled, ("approve", "reject", "approve", "reject"), strict=True):
        assert moderator.decide(id_, verdict).status_code == 201
    found = rates()
    assert found.judged == 4
    pairs = {
        "good_held_back": (1, 2),
        "bad_let_through": (1, 2),
        "approvals_wrong": (1, 2),
        "rejections_wrong": (0, 0),
        "flags_needless": (1, 2),
    }
    for name, (wrong, of) in pairs.items():
        rate = getattr(found, name)
        assert (name, rate.wrong, rate.of) == (name, wrong, of)


def test_a_verdict_that_decides_nothing_and_a_comment_seen_before_do_not_count(
    client: Client, moderator: Caller, sampled: list[str]
) -> None:
    moderator.decide(sampled[0], "flag")
    moderator.call("PATCH", "/policy", json={"sample": {"share": 0}})
    plain = posted(client, body=f"Three {LINKS}", email="other@example.org")
    screen_all()
    moderator.decide(plain, "approve")
    assert rates().judged == 0


def test_the_command_prints_the_rates(moderator: Caller, sampled: list[str]) -> None:
    moderator.decide(sampled[0], "approve")
    result = CliRunner().invoke(main, ["evaluate", "--site", "demo"])
    assert result.exit_code == 0, result.output
