"""The author check reports what became of earlier comments under an email address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from models.identifiers import new_id
from models.judgement.candidate import Candidate
from models.judgement.evidence import RESERVED_NAME, Evidence, Outcome
from models.judgement.policy import Policy, ReadersPolicy, Verdict, decide
from models.records import Reader
from models.store.database import begin, engine, reading
from models.text.names import name_key
from tests.worker.checks.conftest import MINUTE, NOON, Comes
from worker.checks import author

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_first_comment_is_called_one(kept: Comes) -> None:
    evidence = _author(kept())
    assert (evidence.outcome, evidence.detail) == (
        Outcome.CLEAR,
        "first comment from this email address",
    )


def test_a_good_record_is_shown_and_earns_nothing(kept: Comes) -> None:
    for n in range(7):
        kept(status="approved", at=NOON - (n + 1) * HOUR)
    kept(status="rejected", at=NOON - 72 * HOUR)
    evidence = _author(kept())
    assert (
        evidence.detail
        == "earlier comments from this email address since 2026-02-28: 7 approved and 1 rejected; the address is not verified"
    )
    assert evidence.counts == {"approved": 7, "rejected": 1, "flagged": 0}
    assert evidence.found == {"rejected": "1 earlier comment from this email address was rejected"}


def test_a_second_rejection_holds_back(kept: Comes) -> None:
    for n in range(2):
        kept(status="rejected", at=NOON - (n + 1) * HOUR)
    assert decide([_author(kept())], Policy()).reasons == (
        "2 earlier comments from this email address were rejected",
    )


@pytest.mark.parametrize(
    "other", [{"site_id": 2}, {"email_index": "bob"}, {"erased": True}, {"at": NOON + MINUTE}]
)
def test_comments_that_do_not_belong_to_the_record(kept: Comes, other: dict[str, object]) -> None:
    kept(**{"status": "rejected", "at": NOON - HOUR, **other})
    assert _author(kept()).detail == "first comment from this email address"


def test_looking_again_does_not_count_the_comment_itself(kept: Comes) -> None:
    assert _author(kept(status="rejected")).counts["rejected"] == 0


def test_of_a_long_record_only_the_newest_are_read(
    kept: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(author, "MOST", 3)
    monkeypatch.setattr(
        author, "_of_addresses", author._of_addresses.__wrapped__
    )  # statements are built once, and contain MOST
    for n in range(6):
        kept(status="approved", at=NOON - (n + 1) * HOUR)
    assert _author(kept()).counts["approved"] == 3


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        (["pending"], "1 waiting"),
        (["flagged", "flagged"], "2 held"),
        (["approved", "flagged"], "1 approved and 1 held"),
        (["rejected", "flagged", "approved"], "1 approved, 1 rejected and 1 held"),
    ],
)
def test_the_record_is_one_sentence(kept: Comes, statuses: list[str], words: str) -> None:
    for n, status in enumerate(statuses):
        kept(status=status, at=NOON - (n + 1) * MINUTE)
    since = "earlier comments from this email address since 2026-03-03"
    assert _author(kept()).detail == f"{since}: {words}; the address is not verified"


def test_comments_without_an_email_share_no_record(kept: Comes) -> None:
    kept(status="rejected", at=NOON - HOUR, email_index="")
    assert _author(kept(email_index="")).detail == "first comment from this email address"


def test_each_comment_of_a_batch_gets_its_own_record(kept: Comes) -> None:
    kept(status="rejected", at=NOON - HOUR, email_index="bad")
    batch = [kept(email_index=""), kept(email_index="bad"), kept(email_index="good")]
    with reading() as session:
        found = author.check(batch, session, NOON)
    assert [item.counts["rejected"] for item in found] == [0, 1, 0]


def test_a_known_reader_has_a_record_of_their_own(kept: Comes) -> None:
    ann, bob = _reader("Ann Reed"), _reader("Bob Ray")
    kept(status="approved", at=NOON - HOUR, reader_id=ann)
    kept(status="rejected", at=NOON - 91 * DAY, reader_id=ann)
    kept(status="rejected", at=NOON - HOUR, reader_id=bob)
    kept(status="rejected", at=NOON - HOUR)
    evidence = _author(kept(reader_id=ann))
    assert evidence.counts == {
        "approved": 1,
        "rejected": 1,
        "flagged": 0,
        "known": 1,
        "approved_lately": 1,
        "rejected_lately": 0,
    }
    assert evidence.detail == (
        "earlier comments from this reader since 2025-12-02: 1 approved and 1 rejected; "
        "the reader is known"
    )
    assert _author(kept(reader_id=_reader("New Reader"))).detail == "first comment from this reader"


def test_trust_must_be_earned_by_a_known_reader(kept: Comes) -> None:
    """The same record under an address that anyone can type earns nothing."""
    ann = _reader("Ann Reed")
    for n in range(3):
        kept(status="approved", at=NOON - (n + 1) * HOUR, reader_id=ann)
        kept(status="approved", at=NOON - (n + 1) * HOUR)
    policy = Policy(readers=ReadersPolicy(trust_after=3))
    spam = Evidence("spam", Outcome.FOUND, "looks like spam", score=0.8)
    for reader_id, verdict in ((ann, Verdict.APPROVE), (None, Verdict.FLAG)):
        assert decide([spam, _author(kept(reader_id=reader_id))], policy).verdict is verdict
    kept(status="rejected", at=NOON - MINUTE, reader_id=ann)
    assert decide([spam, _author(kept(reader_id=ann))], policy).verdict is Verdict.FLAG


@pytest.mark.parametrize(
    ("holder", "name", "is_taken"),
    [
        ({"name": "Ann Reed"}, "ÁNN  reed ✓", True),
        ({"name": "Ann Reed", "kind": "proven"}, "Ann Reed", True),
        ({"name": "Ann Reed"}, "Ann", False),
        ({"name": "Ann Reed"}, "AnnReed", True),
        ({"name": "Ann Reed"}, "A n n\u200b R e e d", True),
        ({"name": "Annreed"}, "Ann Reed", False),
        ({"name": "Ann"}, "Ann", False),
        ({"name": "Ann", "badges": ["expert"]}, "Ann", False),
        ({"name": "Ann", "badges": ["staff"]}, "Аnn", True),
        ({"name": "Ann", "badges": ["staff"], "site_id": 2}, "Ann", False),
        ({"name": "Ann", "badges": ["staff"], "erased_at": NOON}, "Ann", False),
        ({"name": "Ann", "badges": ["staff"]}, "A.n.n", True),
        ({"name": "Bob Ray"}, "The Editors!", True),
        ({"name": "Bob Ray"}, "TheEditors", True),
    ],
)
def test_nobody_takes_the_name_of_staff_or_of_a_known_reader(
    kept: Comes, holder: dict[str, Any], name: str, is_taken: bool
) -> None:
    _reader(**holder)
    policy = Policy(readers=ReadersPolicy(reserved_names=("the editors",)))
    evidence = _author(kept(name=name, site_has_readers=True, policy=policy))
    assert (RESERVED_NAME in evidence.found) == is_taken
    assert decide([evidence], policy).verdict is (Verdict.FLAG if is_taken else Verdict.APPROVE)


@pytest.mark.parametrize(
    ("kind", "badges", "is_taken"),
    [
        ("signed_on", ["staff"], False),
        ("proven", None, False),
        ("proven", ["staff"], True),
    ],
)
def test_a_known_reader_may_share_a_name_but_not_with_staff(
    kept: Comes, kind: str, badges: list[str] | None, is_taken: bool
) -> None:
    _reader("Ann Reed", badges=badges)
    namesake = _reader("Ann Reed", kind=kind)
    evidence = _author(kept(name="Ann Reed", reader_id=namesake, site_has_readers=True))
    assert (RESERVED_NAME in evidence.found) == is_taken


def test_a_site_without_known_readers_costs_no_query_for_names(kept: Comes) -> None:
    comment = kept(name="Ann Reed")
    with reading() as session, counted_statements() as statements:
        author.check([comment], session, NOON)
    assert len(statements) == 1


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    yield statements
    event.remove(engine(), "before_cursor_execute", note)


def _reader(name: str, *, kind: str = "signed_on", site_id: int = 1, **more: Any) -> str:
    reader_id = new_id()
    folded = name_key(name)
    with begin() as session:
        session.add(
            Reader(
                id=reader_id,
                site_id=site_id,
                kind=kind,
                subject=reader_id,
                name=name,
                folded_name=folded,
                **more,
            )
        )
    return reader_id


def _author(comment: Candidate) -> Evidence:
    with reading() as session:
        [evidence] = author.check([comment], session, NOON)
    return evidence
