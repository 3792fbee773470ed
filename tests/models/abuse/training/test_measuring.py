"""What is measured of the abuse model, and the card that keeps it."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.abuse.training import own
from models.abuse.training.measuring import NEWS, cell
from models.classifier.model import LinearModel
from models.classifier.training.corpus import Row
from service.commands.model import evaluate, train
from tests.models.abuse.training.made_up import made_up_rows

SENTENCES = Path(__file__).parents[1]


def _rows() -> list[Row]:
    kinds = ("identity_attack", "profanity", "sexual")
    return made_up_rows(1200) + [
        Row(f"{kind} words {name}", True, f"{kind} {name}", "en", "own", kinds=frozenset({kind}))
        for kind in kinds
        for name in "abcdefghijklmnopqrstuvwxyz"
    ]


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(own, "read", _rows)
    path = tmp_path / f"{NEWS}.csv"
    lines = [
        f'"{row.text} in the news",{"toxic" if row.spam else "ok"},en' for row in made_up_rows(200)
    ]
    path.write_text("\n".join(["text,label,lang", *lines, ""]), encoding="utf-8")
    return path


def run(*arguments: object) -> str:
    command = {"train": train, "evaluate": evaluate}[str(arguments[0])]
    given = [str(argument) for argument in arguments[1:]]
    result = CliRunner().invoke(command, ["--score", "abuse", *given], env={"COLUMNS": "120"})
    return f"{result.exit_code} {result.output}"


def test_train_writes_a_model_and_evaluate_completes_its_card(news: Path, tmp_path: Path) -> None:
    out = tmp_path / "abuse.npz"
    trained = run("train", news, "--out", out)
    assert trained.startswith("0 "), trained
    assert f"Model {LinearModel.load(out).version}: {out}" in trained
    card = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["sha256"] == sha256(out.read_bytes()).hexdigest()
    assert sum(card["parts"].values()) == sum(
        source["toxic"] + source["ok"] for source in card["sources"]
    )

    output = run("evaluate", news, "--sentences", SENTENCES, "--card", out.with_suffix(".json"))
    assert output.startswith("0 "), output
    tables = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["measured"]["tables"]
    page = out.with_suffix(".md").read_text(encoding="utf-8")
    for table in tables:
        assert table["title"] in output
        assert f"### {table['title']}" in page
    by_title = {table["title"]: table["rows"] for table in tables}
    [left_out] = by_title["One news source left out"]
    assert left_out[:3] == [NEWS, 200, 100]
    assert left_out[3] > 0.99
    assert by_title["Harmless sentences that name a group of people"][0][:2] == ["all", 800]
    assert out.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg")


def test_evaluate_needs_the_sentences(news: Path) -> None:
    assert "--score abuse needs --sentences" in run("evaluate", news)


def test_a_cell_shows_shares_with_three_decimals_and_counts_whole() -> None:
    shown = [cell(value) for value in (0.12345, 12, 12345.6, "de", None)]
    assert shown == ["0.123", "12", "12,346", "de", ""]
