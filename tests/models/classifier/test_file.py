"""The choice of the model file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.classifier.file import BASE, model_path
from models.classifier.model import base_model, loaded
from models.classifier.training.base_model import train
from models.judgement.scores import SCORES
from models.settings import settings
from tests.models.classifier.training.made_up_rows import few_rows


@pytest.fixture(autouse=True)
def _settings_anew() -> Iterator[None]:
    settings.cache_clear()
    loaded.cache_clear()
    yield
    settings.cache_clear()
    loaded.cache_clear()


def test_without_a_setting_it_is_the_one_that_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GREENROOM_SPAM_MODEL", raising=False)

    assert model_path() == BASE
    assert BASE.is_file()


def test_another_model_can_be_named_in_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = train(few_rows()).model
    model.save(tmp_path / "own.npz")
    monkeypatch.setenv("GREENROOM_SPAM_MODEL", str(tmp_path / "own.npz"))

    assert model_path() == tmp_path / "own.npz"
    assert base_model().version == model.version


def test_each_score_has_a_model_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_ABUSE_MODEL", "/own/abuse.npz")

    assert {score: model_path(score) for score in SCORES} == {
        "spam": BASE,
        "abuse": Path("/own/abuse.npz"),
    }


def test_a_missing_file_is_no_reason_to_fail_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GREENROOM_SPAM_MODEL", "/none/model.npz")

    assert model_path() == Path("/none/model.npz")
    with pytest.raises(FileNotFoundError):
        base_model()


def test_asking_for_the_path_imports_no_numpy() -> None:
    code = "import sys; from models.classifier.file import model_path; model_path(); print('numpy' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout == "False\n"
