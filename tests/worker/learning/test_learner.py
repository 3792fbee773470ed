"""The thread that starts a process for each training."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from models.store.database import now
from tests.greenroom import PATIENCE, until
from tests.worker.learning.stored import add_model, change_demo, demo, let_score, packed_model
from worker.learning import learner
from worker.learning.learner import learn_now, learn_soon, owe_learning


class Trainings:
    """Takes the place of the process, and waits in each training until it may continue."""

    def __init__(self) -> None:
        self.sites: list[int] = []
        self.may_go_on = threading.Event()

    def learn_now(self, site_id: int) -> bool:
        self.sites.append(site_id)
        assert self.may_go_on.wait(PATIENCE)
        return True


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    found = Trainings()
    monkeypatch.setattr(learner, "learn_now", found.learn_now)
    monkeypatch.setattr(learner, "is_due", lambda site_id: True)
    started = learner._Learner()
    started.start()
    monkeypatch.setattr(learner, "_learner", lambda: started)
    return found


def test_trainings_come_one_after_the_other_and_each_site_waits_once(trainings: Trainings) -> None:
    learn_soon([1])
    until(lambda: trainings.sites == [1])

    learn_soon([2, 3, 2, 3])
    learn_soon([2])
    assert trainings.sites == [1]  # the first one still runs

    trainings.may_go_on.set()
    until(lambda: trainings.sites == [1, 2, 3])


def test_a_site_that_is_being_trained_may_wait_for_the_next(trainings: Trainings) -> None:
    learn_soon([1])
    until(lambda: trainings.sites == [1])
    learn_soon([1])

    trainings.may_go_on.set()
    until(lambda: trainings.sites == [1, 1])


def test_a_full_queue_takes_no_more(trainings: Trainings, monkeypatch: pytest.MonkeyPatch) -> None:
    learn_soon([0])
    until(lambda: trainings.sites == [0])

    learn_soon(range(1, learner.MOST_WAITING + 50))

    trainings.may_go_on.set()
    until(lambda: len(trainings.sites) == learner.MOST_WAITING + 1)
    learn_soon([999])
    until(lambda: trainings.sites[-1] == 999)
    assert trainings.sites[:-1] == list(range(learner.MOST_WAITING + 1))


def test_a_site_that_is_not_due_starts_no_process(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner, "is_due", lambda site_id: site_id == 2)
    trainings.may_go_on.set()

    learn_soon([1, 2])

    until(lambda: trainings.sites == [2])


def test_the_thread_survives_a_database_that_is_down(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(site_id: int) -> bool:
        if site_id == 1:
            raise OperationalError("select", {}, Exception("away"))
        return True

    monkeypatch.setattr(learner, "is_due", away)
    trainings.may_go_on.set()

    learn_soon([1, 2])

    until(lambda: trainings.sites == [2])


@pytest.mark.usefixtures("data")
def test_the_process_ends_well_if_nothing_is_due() -> None:
    assert learn_now(demo().id)


def python(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_process_gets_the_site_and_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "written"
    script = f'echo "$* $OPENBLAS_NUM_THREADS" > {written}'
    monkeypatch.setattr(sys, "executable", python(tmp_path, script))

    assert learn_now(7)
    assert written.read_text(encoding="utf-8") == "-m worker.learning 7 1\n"


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$"])
def test_a_process_that_fails_is_no_success(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", python(tmp_path, script))

    assert not learn_now(7)


def test_a_process_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", python(tmp_path, "exec sleep 600"))
    monkeypatch.setattr(learner, "MOST_SECONDS", 0.1)

    assert not learn_now(7)


def test_a_process_that_cannot_be_started_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))

    assert not learn_now(7)


@pytest.mark.usefixtures("data")
def test_a_site_whose_model_was_made_for_another_base_model_is_due_for_training() -> None:
    at = now()
    owe_learning(at)
    assert demo().learn_due is None  # it has no model of its own

    let_score(add_model(packed_model()))
    owe_learning(at)
    assert demo().learn_due is None  # its model was made for this base model

    other = add_model(packed_model(base="other"), version="site-b", card={"base": "other"})
    let_score(other)
    owe_learning(at)
    assert demo().learn_due == at


@pytest.mark.usefixtures("data")
def test_a_training_that_is_due_already_keeps_its_time() -> None:
    later = now() + timedelta(minutes=1)
    other = add_model(packed_model(base="other"), card={"base": "other"})
    let_score(other)
    change_demo(learn_due=later)

    owe_learning(now())

    assert demo().learn_due == later
