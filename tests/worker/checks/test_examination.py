"""Every check runs, whatever happens to the others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, sleep

import pytest
import structlog
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from models.classifier.features import features_of
from models.classifier.sparse import Sparse
from models.classifier.text import Token
from models.judgement.candidate import Candidate, Form
from models.judgement.evidence import CHECKS, Evidence, Outcome
from models.judgement.policy import Policy, Verdict, decide
from models.judgement.scores import SCORES
from tests.fakes.dns_server import DnsServer, Mode
from tests.worker.checks.conftest import NOON, Comes, CountingModel
from worker.screening import examination, examine

ORDER = [*CHECKS]
CAME = Form(token="valid", seconds=40)


def test_each_comment_has_one_piece_of_evidence_of_each_check(
    model: CountingModel, dns: DnsServer, kept: Comes
) -> None:
    found = examine(
        [kept("a walk", form=CAME), kept("casino casino casino https://shop.net", form=CAME)], NOON
    )
    assert [[item.check for item in row] for row in found] == [ORDER, ORDER]
    assert [decide(row, Policy()).verdict for row in found] == [Verdict.APPROVE, Verdict.FLAG]
    assert all(item.ms > 0 for row in found for item in row)


def test_an_empty_batch_has_no_evidence(records: None) -> None:
    assert examine([], NOON) == []


@pytest.mark.parametrize("mode", [Mode.NXDOMAIN, Mode.SERVFAIL, Mode.SILENCE])
def test_a_network_without_dns_never_causes_a_rejection(
    model: CountingModel,
    dns: DnsServer,
    kept: Comes,
    set_env: Callable[[str, str], None],
    mode: Mode,
) -> None:
    dns.mode = mode
    if mode is Mode.SILENCE:
        set_env("GREENROOM_DNS_SECONDS", "0.4")
    [found] = examine([kept("a walk", form=CAME)], NOON)
    decision = decide(found, Policy())
    assert (decision.verdict, decision.again) == (Verdict.FLAG, True)
    assert len(decision.reasons) == 1
    assert decide(found, Policy(could_not_run={"email": "wait"})).verdict is None
    assert decide(found, Policy(could_not_run={"email": "approve"})).verdict is Verdict.APPROVE


def test_a_poisonous_comment_does_not_take_its_neighbours_down(
    model: CountingModel, dns: DnsServer, kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _replace(monkeypatch, "links", _choking_on("poison"))
    # A logger that another test has used is bound to its place, and would not be captured.
    monkeypatch.setattr(examination, "_log", structlog.get_logger())
    bodies = ["a walk", "poison, sold by secretive@paper.test", "a river"]
    with capture_logs() as logs:
        found = examine([kept(body, form=CAME) for body in bodies], NOON)
    outcomes = [row[ORDER.index("links")].outcome for row in found]
    assert outcomes == [Outcome.CLEAR, Outcome.UNAVAILABLE, Outcome.CLEAR]
    assert (
        found[1][ORDER.index("links")].detail
        == "the links check could not run: unexpected error (ValueError)"
    )
    assert [decide(row, Policy()).verdict for row in found] == [
        Verdict.APPROVE,
        Verdict.FLAG,
        Verdict.APPROVE,
    ]
    assert [(entry["check"], entry["count"]) for entry in logs] == [("links", 3), ("links", 1)]
    assert "secretive" not in str(logs) + str(found)
    assert "poison" not in str(logs)


def test_an_error_that_no_comment_caused_is_not_tried_again_for_each(
    model: CountingModel, dns: DnsServer, kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def check(batch: Sequence[Candidate], **_: object) -> list[Evidence]:
        asked.append(len(batch))
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setitem(examination._ON_THE_RECORDS, "pace", check)
    found = examine([kept(), kept()], NOON)
    assert asked == [2]
    assert [row[ORDER.index("pace")].detail for row in found] == [
        "the pace check could not run: the database did not respond"
    ] * 2
    assert found[0][ORDER.index("author")].outcome is Outcome.CLEAR


def test_a_database_that_is_down_is_reported_and_the_other_checks_still_run(
    model: CountingModel, dns: DnsServer, comes: Comes
) -> None:
    [found] = examine(
        [comes("I walked along the river this morning.")], NOON
    )  # there are no tables
    assert [item.check for item in found if item.outcome is Outcome.UNAVAILABLE] == [
        "repeats",
        "pace",
        "author",
        "blocks",
    ]
    assert decide(found, Policy()).verdict is Verdict.FLAG


def test_a_model_that_does_not_load_is_reported(
    model: CountingModel, dns: DnsServer, kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "models.classifier.model", None)
    [found] = examine([kept("a walk")], NOON)
    assert [found[ORDER.index(name)].detail for name in SCORES] == [
        "the spam check could not run: a file is missing",
        "the abuse check could not run: a file is missing",
    ]


def test_the_features_of_a_batch_are_computed_once_for_both_scores(
    models: dict[str, CountingModel],
    dns: DnsServer,
    kept: Comes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: list[Sequence[str]] = []

    def counting(texts: Sequence[str], tokens: Sequence[Sequence[Token]]) -> Sparse:
        computed.append(texts)
        return features_of(texts, tokens)

    monkeypatch.setattr("models.classifier.rows.features_of", counting)
    examine([kept("a walk"), kept("you idiot")], NOON)
    assert computed == [["a walk", "you idiot"]]
    assert [model.asked for model in models.values()] == [[2], [2]]


def test_a_check_that_loses_a_comment_has_failed(
    model: CountingModel, dns: DnsServer, kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _replace(monkeypatch, "language", lambda batch: [])
    [found] = examine([kept()], NOON)
    assert found[-1].outcome is Outcome.UNAVAILABLE


def test_time_is_shared_out_over_the_batch(
    model: CountingModel, dns: DnsServer, kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(batch: Sequence[Candidate]) -> list[Evidence]:
        sleep(0.1)
        return [Evidence(check="form", outcome=Outcome.CLEAR, detail="") for _ in batch]

    _replace(monkeypatch, "form", check)
    batch = [kept() for _ in range(4)]
    began = perf_counter()
    found = examine(batch, NOON)
    lasted = 1000 * (perf_counter() - began)
    [share] = {row[ORDER.index("form")].ms for row in found}
    assert 25 <= share <= lasted / 4


def test_importing_the_checks_loads_neither_numpy_nor_dns() -> None:
    heavy = "{'numpy', 'dns', 're2', 'sqlalchemy', 'sklearn'}"
    code = f"import sys, worker.checks; print(sorted({heavy} & set(sys.modules)))"
    root = Path(__file__).parents[3]
    env = {**os.environ, "PYTHONPATH": str(root)}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root, env=env
    )
    assert ran.stdout.strip() == "[]"


def _replace(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    check: Callable[[Sequence[Candidate]], list[Evidence]],
) -> None:
    monkeypatch.setitem(examination._ON_THE_TEXT, name, check)


def _choking_on(word: str) -> Callable[[Sequence[Candidate]], list[Evidence]]:
    def check(batch: Sequence[Candidate]) -> list[Evidence]:
        for candidate in batch:
            if word in candidate.body:
                raise ValueError(f"cannot read {candidate.body!r}")
        return [Evidence(check="links", outcome=Outcome.CLEAR, detail="no links") for _ in batch]

    return check
