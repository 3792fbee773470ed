"""A second factor: codes by time, each valid once, and recovery codes in case the phone is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from models.records import Act, Moderator
from models.store.database import reading
from service.people import accounts, second_factor

NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def ann(data: object) -> str:
    accounts.add_moderator("ann@paper.example", "demo", "owner", "correct horse battery")
    with reading() as session:
        return session.scalars(select(Moderator.id)).one()


def code(secret: str, at: datetime = NOON) -> str:
    return pyotp.TOTP(secret).at(at)


def turned_on(moderator_id: str) -> tuple[str, list[str]]:
    secret = second_factor.new_secret()
    with time_machine.travel(NOON, tick=False):
        codes = second_factor.begin(moderator_id, secret, code(secret))
    assert codes is not None
    return secret, codes


def admits(moderator_id: str, typed: str, *, at: datetime = NOON) -> bool:
    with time_machine.travel(at, tick=False):
        return second_factor.admit(moderator_id, typed) is not None


def test_it_begins_with_a_right_code_only(ann: str) -> None:
    secret = second_factor.new_secret()
    with time_machine.travel(NOON, tick=False):
        assert second_factor.begin(ann, secret, "000000") is None
    assert second_factor.recovery_codes_left(ann) is None
    _, codes = turned_on(ann)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert second_factor.recovery_codes_left(ann) == second_factor.RECOVERY_CODES


def test_a_code_counts_once_and_so_does_the_one_it_began_with(ann: str) -> None:
    secret, _ = turned_on(ann)
    assert not admits(ann, code(secret))
    later = NOON + timedelta(seconds=60)
    assert admits(ann, code(secret, later), at=later)
    assert not admits(ann, code(secret, later), at=later)


@pytest.mark.parametrize(("seconds", "counts"), [(-30, True), (0, True), (30, True), (-90, False)])
def test_a_clock_may_differ_by_one_step(ann: str, seconds: int, counts: bool) -> None:
    secret, _ = turned_on(ann)
    at = NOON + timedelta(hours=1)
    assert admits(ann, code(secret, at + timedelta(seconds=seconds)), at=at) is counts


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "１２３４５６", "abcdef", "12 34 5"])
def test_a_wrong_code_lets_nobody_in(ann: str, typed: str) -> None:
    turned_on(ann)
    assert not admits(ann, typed, at=NOON + timedelta(hours=1))


def test_a_recovery_code_works_once_as_it_is_printed(ann: str) -> None:
    _, codes = turned_on(ann)
    assert admits(ann, f"  {codes[0].upper()} ")
    assert not admits(ann, codes[0])
    assert second_factor.recovery_codes_left(ann) == second_factor.RECOVERY_CODES - 1


def test_the_stored_row_reveals_neither_the_secret_nor_the_codes(ann: str) -> None:
    secret, codes = turned_on(ann)
    with reading() as session:
        row = session.get_one(Moderator, ann)
    assert row.second_factor is not None
    assert secret.encode() not in row.second_factor
    assert not set(codes) & set(row.recovery_codes or [])


def test_without_a_second_factor_no_code_lets_anyone_in(ann: str) -> None:
    secret, codes = turned_on(ann)
    second_factor.end(ann)
    later = NOON + timedelta(minutes=5)
    assert not admits(ann, code(secret, later), at=later)
    assert not admits(ann, codes[0], at=later)


def test_the_log_lists_actions_on_the_moderators_account(ann: str) -> None:
    _, codes = turned_on(ann)
    admits(ann, codes[0])
    second_factor.end(ann)
    with reading() as session:
        acts = session.scalars(select(Act).order_by(Act.id)).all()
    assert [act.what for act in acts] == [
        "turned on a second factor",
        "signed in with a recovery code",
        "turned off the second factor",
    ]
    assert {(act.by, act.site_id, act.kind) for act in acts} == {
        (f"moderator:{ann}", None, "people")
    }


def test_an_app_reads_who_it_is_for_from_the_drawing() -> None:
    address = second_factor.address(second_factor.new_secret(), "ann@paper.example")
    parsed = pyotp.parse_uri(address)
    assert (parsed.name, parsed.issuer) == ("ann@paper.example", "Greenroom")
