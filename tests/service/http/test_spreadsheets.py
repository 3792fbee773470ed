"""No spreadsheet takes a cell of a CSV for a formula, whatever a stranger wrote."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.http.spreadsheets import cell, line


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),  # full width
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠SUM(A1)", "'＠SUM(A1)"),
        ("﹦1", "'﹦1"),
        ("−1", "'−1"),  # a minus sign
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\tword", "'\tword"),
        ("  =1", "'  =1"),
        ("\u00a0\u3000=1", "'\u00a0\u3000=1"),
        ("\u200b\ufeff=1", "'\u200b\ufeff=1"),  # characters that draw nothing
        ("\x00=1", "'\x00=1"),
        ("'=1", "''=1"),
        ('"=1', "'\"=1"),
        ("a;=1", "a;'=1"),  # where a semicolon ends a cell
        ("a; ＝1", "a;' ＝1"),
        ("a\t=1", "a\t'=1"),
        ("a\n=1", "a\n'=1"),
        ("a|=1", "a|'=1"),
        ("", ""),
        ("Ann", "Ann"),
        ("a = b - c + d", "a = b - c + d"),
        ("ann@paper.example", "ann@paper.example"),
        ("well; fine", "well; fine"),
        ("e-mail", "e-mail"),
    ],
)
def test_a_cell_that_would_be_a_formula_becomes_text(written: str, kept: str) -> None:
    assert cell(written) == kept


def test_every_form_of_the_signs_that_begin_a_formula_is_known() -> None:
    signs = map(chr, range(sys.maxunicode + 1))
    forms = [sign for sign in signs if unicodedata.normalize("NFKC", sign)[:1] in set("=+-@")]
    assert len(forms) > 15
    assert [sign for sign in forms if cell(f"{sign}1") != f"'{sign}1"] == []


def test_a_line_is_csv() -> None:
    written = ["Ann", 'said "no", twice', "=1", "two\nlines", "a;b"]
    assert list(csv.reader(io.StringIO(line(written)))) == [
        ["Ann", 'said "no", twice', "'=1", "two\nlines", "a;b"]
    ]
    assert line(["at", "who"]) == "at,who\r\n"


@given(st.lists(st.text(), min_size=2))
def test_no_cell_starts_a_formula_and_nothing_is_lost(written: list[str]) -> None:
    for value in written:
        shown = cell(value)
        assert shown[:1] not in set("=+-@\t\r\n＝＋－＠")
        assert shown.replace("'", "") == value.replace("'", "")


def test_only_one_place_writes_csv() -> None:
    root = Path(__file__).parents[3]
    sources = [
        path for folder in ("service", "worker", "models") for path in (root / folder).rglob("*.py")
    ]
    writing = [
        path.name
        for path in sources
        if "csv.writer" in path.read_text() or "DictWriter" in path.read_text()
    ]
    assert writing == ["spreadsheets.py"]
