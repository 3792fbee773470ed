"""Draw two diagrams as SVG: how accurate the probabilities are, and how much spam is found at which
share of false positives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TypeAlias

from sklearn.metrics import roc_curve

from models.classifier.training.evaluation import Calibration, Judged

Point: TypeAlias = tuple[float, float]

_SIDE, _LEFT, _TOP, _GAP = 300, 60, 40, 110
_COLOURS = ("#0b6e4f", "#b5541c", "#5b4b9a", "#777777")
_MOST_FALSE = 0.1  # nobody would accept a larger share of ham held back
_STYLE = "text{font:12px sans-serif;fill:#222}.title{font-size:14px}path{fill:none}"


def draw(
    calibration: Calibration, judged: Mapping[str, Judged], bad: str = "spam", good: str = "ham"
) -> str:
    """Return an SVG document: reliability on the left, recall against false positives on the
    right. `bad` and `good` are the names of the labels.
    """
    width, height = 2 * _SIDE + _LEFT + _GAP + 20, _SIDE + _TOP + 60
    right = _LEFT + _SIDE + _GAP
    points = [(each.said, each.was) for each in calibration.bins]
    body = [
        *_frame(
            _LEFT, "How true the probabilities are", f"said to be {bad}", f"was {bad}", ("0", "1")
        ),
        _path([(0, 0), (1, 1)], _LEFT, "#bbb"),
        _path(points, _LEFT, _COLOURS[0]),
        *(_dot(point, _LEFT) for point in points),
        *_frame(
            right,
            f"{bad.capitalize()} found",
            f"{good} called {bad}",
            f"{bad} found",
            ("0", f"{_MOST_FALSE:.0%}"),
        ),
        *_curves(judged, right),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    title = (
        "<title>Reliability, and recall against false positives, on comments that were "
        "left out</title>"
    )
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *body, "</svg>\n"])


def _frame(left: int, title: str, across: str, up: str, ends: tuple[str, str]) -> Iterable[str]:
    """Yield the axes of a diagram: `across` and `up` are their names, `ends` the ticks below."""
    bottom, middle, side = _TOP + _SIDE, left + _SIDE // 2, left - 34
    turned = f'transform="rotate(-90 {side} {_TOP + _SIDE // 2})"'
    yield (
        f'<rect x="{left}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="#fff" stroke="#999"/>'
    )
    yield f'<text class="title" x="{left}" y="{_TOP - 14}">{escape(title)}</text>'
    yield _text(middle, bottom + 40, "middle", across)
    yield _text(side, _TOP + _SIDE // 2, "middle", up, turned)
    yield _text(left, bottom + 18, "middle", ends[0])
    yield _text(left + _SIDE, bottom + 18, "middle", ends[1])
    yield _text(left - 8, bottom + 4, "end", "0")
    yield _text(left - 8, _TOP + 4, "end", "1")


def _curves(judged: Mapping[str, Judged], left: int) -> Iterable[str]:
    """Yield a curve for each filter, and its name in the same colour."""
    for number, (name, found) in enumerate(judged.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        yield _path(_points(found), left, colour)
        y = _TOP + _SIDE - 16 - 18 * (len(judged) - 1 - number)
        yield _text(left + _SIDE - 10, y, "end", name, f'style="fill:{colour}"')


def _points(judged: Judged) -> list[Point]:
    false_positives, true_positives, _ = roc_curve(judged.spam, judged.log_odds)
    shown = false_positives <= _MOST_FALSE
    x, y = false_positives[shown] / _MOST_FALSE, true_positives[shown]
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _text(x: int, y: int, anchor: str, words: str, more: str = "") -> str:
    attributes = f'x="{x}" y="{y}" text-anchor="{anchor}"'
    return f"<text {f'{attributes} {more}'.strip()}>{escape(words)}</text>"


def _path(points: Sequence[Point], left: int, colour: str) -> str:
    places = " L".join(f"{left + x * _SIDE:.1f} {_TOP + (1 - y) * _SIDE:.1f}" for x, y in points)
    return f'<path d="M{places}" stroke="{colour}" stroke-width="2"/>'


def _dot(point: Point, left: int) -> str:
    x, y = left + point[0] * _SIDE, _TOP + (1 - point[1]) * _SIDE
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_COLOURS[0]}"/>'
