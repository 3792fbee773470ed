"""Write lines of CSV that no spreadsheet runs. Every cell that a stranger may have written goes
through here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

# Characters that begin a formula, including full-width and other forms: some programs read ＝ as =.
_FORMULA = r"=+\-@＝＋－＠﹦﹢﹣﹫⁼₌⁺₊⁻₋−﬩⩵⩶"
# Programs of other countries take a semicolon or a tab for the end of a cell, even inside quotes.
_SEPARATORS = r";|\t\r\n\v\f\x85\u2028\u2029"
# White space and characters that draw nothing, which programs remove before they look.
_UNSEEN = (
    r"\x00-\x08\x0e-\x20\x7f-\x84\x86-\xa0\u00ad\u034f\u061c\u115f\u1160\u1680\u180e\u2000-\u200f\u202a-\u202f"
    r"\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0'\""
)
_STARTS = re.compile(
    rf"\A(?=[{_UNSEEN}{_SEPARATORS}]*[{_FORMULA}])|\A(?=[\t\r\n])|(?<=[{_SEPARATORS}])(?=[{_UNSEEN}]*[{_FORMULA}])"
)


def line(values: Sequence[str]) -> str:
    """Return one line. A quotation mark turns a cell that a spreadsheet would take for a formula
    into text.
    """
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in values])
    return out.getvalue()


def cell(value: str) -> str:
    return _STARTS.sub("'", value)
