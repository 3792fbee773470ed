"""The output of `greenroom evaluate --site KEY`."""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from service.commands.database import need_database

if TYPE_CHECKING:
    from models.judgement.promises import Interval
    from service.sites.error_rates import ErrorRates

_ROWS = {
    "good_held_back": "good comments held back",
    "bad_let_through": "bad comments let through",
    "approvals_wrong": "wrongly approved",
    "rejections_wrong": "wrongly rejected",
    "flags_needless": "wrongly flagged",
}


def print_error_rates(site_key: str) -> None:
    """Print the error rates of one site. Raises ClickException if there is no such site."""
    from models.store.database import reading
    from service.commands.site_model import site_id_of
    from service.sites.error_rates import error_rates

    need_database()
    with reading() as session:
        rates = error_rates(session, site_id_of(session, site_key))
    Console().print(_table(site_key, rates))


def _table(site_key: str, rates: ErrorRates) -> Table:
    table = Table(
        title=f"Automatic decisions on {site_key} that moderators judged blindly: {rates.judged}"
    )
    for name in ("", "wrong", "of", "share", "95 % interval"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for name, words in _ROWS.items():
        table.add_row(words, *_cells(getattr(rates, name)))
    table.caption = "" if rates.judged else "None yet: the samples wait for review in the queue."
    return table


def _cells(rate: Interval) -> tuple[str, ...]:
    share = "–" if rate.share is None else f"{rate.share:.1%}"
    return (
        str(rate.wrong),
        str(rate.of),
        share,
        f"{rate.low:.1%} – {rate.high:.1%}" if rate.of else "–",
    )
