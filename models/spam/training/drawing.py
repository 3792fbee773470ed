"""Two curves as an SVG written by hand: how true the probabilities are, and how much spam is found
at what price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TypeAlias

from sklearn.metrics import roc_curve

from models.spam.training.evaluation import Calibration, Judged

Point: TypeAlias = tuple[float, float]

_SIDE, _LEFT, _TOP, _GAP = 300, 60, 40, 110
_COLOURS = ("#0b6e4f", "#b5541c", "#5b4b9a", "#777777")
_MOST_FALSE = 0.1  # more of ham held back is of no interest
_STYLE = "text{font:12px sans-serif;fill:#222}.title{font-size:14px}path{fill:none}"


def draw(calibration: Calibration, judged: Mapping[str, Judged]) -> str:
    """An SVG document: reliability on the left, recall against false positives on the right."""
    width, height = 2 * _SIDE + _LEFT + _GAP + 20, _SIDE + _TOP + 60
    right = _LEFT + _SIDE + _GAP
    said = [(expected, was) for expected, was, _ in calibration.bins]
    body = [
        *_frame(_LEFT, "How true the probabilities are", "said to be spam", "was spam", ("0", "1")),
        _path([(0, 0), (1, 1)], _LEFT, "#bbb"),
        _path(said, _LEFT, _COLOURS[0]),
        *(_dot(point, _LEFT) for point in said),
        *_frame(right, "Spam found", "ham called spam", "spam found", ("0", f"{_MOST_FALSE:.0%}")),
        *_curves(judged, right),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    title = (
        "<title>Reliability, and recall against false positives, on threads that were "
        "left out</title>"
    )
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *body, "</svg>\n"])


def _frame(left: int, title: str, across: str, up: str, ends: tuple[str, str]) -> Iterable[str]:
    bottom, middle = _TOP + _SIDE, left + _SIDE // 2
    yield (
        f'<rect x="{left}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="#fff" stroke="#999"/>'
    )
    yield f'<text class="title" x="{left}" y="{_TOP - 14}">{escape(title)}</text>'
    yield f'<text x="{middle}" y="{bottom + 40}" text-anchor="middle">{escape(across)}</text>'
    turned = f'transform="rotate(-90 {left - 34} {_TOP + _SIDE // 2})"'
    yield (
        f'<text x="{left - 34}" y="{_TOP + _SIDE // 2}" text-anchor="middle" '
        f"{turned}>{escape(up)}</text>"
    )
    for at, word in zip((left, left + _SIDE), ends, strict=True):
        yield f'<text x="{at}" y="{bottom + 18}" text-anchor="middle">{word}</text>'
    for at, word in ((bottom, "0"), (_TOP, "1")):
        yield f'<text x="{left - 8}" y="{at + 4}" text-anchor="end">{word}</text>'


def _curves(judged: Mapping[str, Judged], left: int) -> Iterable[str]:
    for number, (name, found) in enumerate(judged.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        false, true, _ = roc_curve(found.spam, found.log_odds)
        points = [
            (x / _MOST_FALSE, y)
            for x, y in zip(false.tolist(), true.tolist(), strict=True)
            if x <= _MOST_FALSE
        ]
        yield _path(points, left, colour)
        y = _TOP + _SIDE - 16 - 18 * (len(judged) - 1 - number)
        yield (
            f'<text x="{left + _SIDE - 10}" y="{y}" text-anchor="end" '
            f'style="fill:{colour}">{escape(name)}</text>'
        )


def _path(points: Sequence[Point], left: int, colour: str) -> str:
    places = " L".join(f"{left + x * _SIDE:.1f} {_TOP + (1 - y) * _SIDE:.1f}" for x, y in points)
    return f'<path d="M{places}" stroke="{colour}" stroke-width="2"/>'


def _dot(point: Point, left: int) -> str:
    x, y = left + point[0] * _SIDE, _TOP + (1 - point[1]) * _SIDE
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_COLOURS[0]}"/>'
