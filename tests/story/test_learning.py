"""A site with unusual spam, everything real: gambling spam in a language that the base model never
learned.

After 50 decisions the model is good, a command goes back to the old one, and an erased comment is
forgotten.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.fakes.postgres import TEMPLATE, PostgreSQL
from tests.greenroom import PATIENCE, Running, running
from tests.harbour_in_indonesian import GAMBLING, LETTERS
from tests.story.test_story import ask, eventually

UNSEEN = 30
_shuffled = random.Random(7)
SPAM, HAM = _shuffled.sample(GAMBLING, 70), _shuffled.sample(LETTERS, 70)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def greenroom(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with ExitStack() as database:
        environment = {
            "GREENROOM_DNS": "127.0.0.1:1",
            "GREENROOM_RATE_LIMITS": "off",
            "GREENROOM_SWEEP_SECONDS": "0.5",
        }
        environment |= {"GREENROOM_LEARN_SECONDS": "1", "GREENROOM_OVERDUE_SECONDS": "0.5"}
        like = None
        if request.param == "postgresql":
            server: PostgreSQL = request.getfixturevalue("postgres")
            environment["GREENROOM_DATABASE_URL"] = database.enter_context(
                server.database("learning", like=TEMPLATE)
            )
        else:
            like = request.getfixturevalue("sqlite_template")
        with running(tmp_path_factory.mktemp("learning") / "var", like=like, **environment) as up:
            yield up


class Paper:
    """The site `demo`, its readers and its moderator."""

    def __init__(self, up: Running) -> None:
        self.up, self.key, self.readers = up, up.key("admin"), 0
        # Leave out repeats, and addresses whose domain nobody can look up: this story is not about
        # them.
        policy = {
            "repeats": {"max_same": 1000, "max_similar": 1000},
            "could_not_run": {"email": "approve"},
            "sample": {"share": 0},
        }
        assert self.call("PATCH", "/policy", policy)[0] == 200

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return ask(self.up, method, f"/v1/sites/demo{path}", body, self.key)

    def screened(self, bodies: list[str]) -> list[dict[str, Any]]:
        """Return the records, once the workers have decided."""
        ids = []
        for body in bodies:
            self.readers += 1
            comment = {
                "thread": "/demo",
                "name": "Budi",
                "email": f"reader{self.readers}@example.org",
                "body": body,
            }
            status, accepted = self.call("POST", "/comments", comment)
            assert status == 202, accepted
            ids.append(accepted["id"])
        return [eventually(lambda comment=comment: self.settled(comment)) for comment in ids]

    def settled(self, comment: str) -> dict[str, Any] | None:
        record = self.call("GET", f"/comments/{comment}")[1]
        return record if record["status"] != "pending" else None

    def teach(self, bodies: list[str], verdict: str) -> list[str]:
        ruling = {"verdict": verdict, "learn": True}
        if verdict == "reject":
            ruling["reason"] = "spam"
        records = self.screened(bodies)
        for record in records:
            status, said = self.call("POST", f"/comments/{record['id']}/decisions", ruling)
            assert status == 201, said
        return [record["id"] for record in records]

    def live_after(self, decisions: int) -> str | None:
        """Return the live version, once it is one that learned from this many decisions."""
        for model in self.call("GET", "/models")[1]["models"]:
            if (
                model["live"]
                and model["decisions"]["approved"] + model["decisions"]["rejected"] == decisions
            ):
                return str(model["version"])
        return None

    def erase(self, comment: str) -> None:
        wanted = Request(f"{self.up.url}/v1/sites/demo/comments/{comment}", method="DELETE")
        wanted.add_header("Authorization", f"Bearer {self.key}")
        with urlopen(wanted, timeout=PATIENCE) as answer:
            assert answer.status == 204

    def right(self, spam: list[str], ham: list[str]) -> float:
        """Return the share of comments that the machine decides as a moderator would: spam held,
        the rest published.
        """
        held = [record["status"] == "flagged" for record in self.screened([*spam, *ham])]
        return sum(held[: len(spam)] + [not each for each in held[len(spam) :]]) / len(held)

    def judged_by(self, body: str) -> str:
        [record] = self.screened([body])
        return str(
            next(found for found in record["evidence"] if found["check"] == "spam")["version"]
        )


def test_a_site_learns_goes_back_on_command_and_forgets(greenroom: Running) -> None:
    paper = Paper(greenroom)
    assert (
        paper.right(SPAM[:5], HAM[:4]) <= 0.6
    )  # a language that it never learned: nothing is published

    rejected = paper.teach(SPAM[10:35], "reject")
    paper.teach(HAM[10:35], "approve")
    learned = eventually(lambda: paper.live_after(50))
    assert paper.right(SPAM[-UNSEEN // 2 :], HAM[-UNSEEN // 2 :]) >= 0.9
    assert (
        paper.judged_by("Kemarin kami makan ikan bakar di warung dekat pelabuhan dan rasanya enak.")
        == learned
    )

    assert greenroom.command("model", "back", "--site", "demo").endswith(
        "scores the comments of demo from now on.\n"
    )
    assert (
        paper.judged_by("Kemarin kami makan ikan goreng di warung dekat dermaga dan rasanya enak.")
        != learned
    )
    greenroom.command("model", "use", learned, "--site", "demo")

    paper.erase(rejected[0])
    eventually(lambda: paper.live_after(49))
    card = paper.call("GET", "/models")[1]["models"][0]
    assert (card["live"], card["why"]) == (
        True,
        "the previous model had learned from a comment that was erased",
    )
    assert card["left"]["comments"] == [{"comment": rejected[0], "why": "erased"}]
    assert card["left"]["last seen by"] == learned
    assert paper.right(SPAM[-UNSEEN // 2 :], HAM[-UNSEEN // 2 :]) >= 0.9
