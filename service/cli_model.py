"""`greenroom train` and `greenroom evaluate`: the spam classifier, from labelled comments in CSV files."""

# ruff: noqa: PLC0415 — scikit-learn is loaded by the command that needs it

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.settings import settings

if TYPE_CHECKING:
    from models.spam.corpus import Row
    from models.spam.evaluation import Cost, Unseen
    from models.spam.figures import Figures

T = TypeVar("T")
_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


def _weights(ctx: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, float]:
    """`x_posts=0.2` for each --weight."""
    weights = {}
    for item in given:
        name, _, factor = item.partition("=")
        try:
            weights[name] = float(factor)
        except ValueError:
            raise click.BadParameter(f"{item!r}: NAME=FACTOR is meant, like x_posts=0.2") from None
        if not 0 < weights[name] < 1e6:
            raise click.BadParameter(f"{item!r}: the factor is above 0; leave a file out to give it none")
    return weights


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILES)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the model goes.  [default: var/spam.skops]"
)
@click.option("--without-thread", multiple=True, metavar="NAME", help="Leave a thread's comments out; may be repeated.")
@click.option(
    "--weight", "weights", multiple=True, callback=_weights, metavar="NAME=FACTOR",
    help="How much the rows of NAME.csv count; may be repeated.  [default: 1]",
)  # fmt: skip
def train(files: Sequence[Path], out: Path | None, without_thread: Sequence[str], weights: dict[str, float]) -> None:
    """Train the spam model on FILES: CSV with text,label[,thread,at,lang], label spam or ham."""
    console = Console()
    out = out or settings().data / "spam.skops"
    with _in_plain_words():
        from models.spam import card, corpus, training

        rows = _without(corpus.read(files), without_thread)
        if unknown := set(weights) - {row.source for row in rows}:
            raise click.UsageError(f"--weight names {', '.join(sorted(unknown))}, which is none of the files")
        trained = training.train(rows, weights, each=_watched("Training", console))
        trained.model.save(out)
        where = card.save(card.card(trained, rows, weights, out), out)
        results = card.held_out(trained)
    console.print(_trained_table(results))
    languages = ", ".join(sorted(trained.model.languages)) or "none with enough rows"
    repeats, size = len(rows) - len(trained.rows), _size(out.stat().st_size)
    console.print(f"{len(trained.rows)} comments, {repeats} repeats dropped; languages: {languages}")
    console.print(f"Model {trained.model.version}: {out} ({size}), its card {where}", soft_wrap=True, highlight=False)


@click.command()
@click.argument("files", nargs=-1, type=_FILES)
@click.option("--site", "site_key", metavar="KEY", help="Instead: how often a site's automatic decisions were wrong.")
def evaluate(files: Sequence[Path], site_key: str | None) -> None:
    """Measure the classifier on threads it has not seen: each of FILES' threads judged by a model of the others."""
    if site_key:
        from service.cli_error_rates import print_error_rates

        print_error_rates(site_key)
        return
    if not files:
        raise click.UsageError("Name FILES of labelled comments, or a site with --site.")
    console = Console()
    with _in_plain_words():
        from models.spam import corpus, evaluation, training

        rows = corpus.read(files)
        results = evaluation.leave_one_out(rows, each=_watched("Evaluating", console))
        cost = evaluation.cost(training.train(rows).model, [row.text for row in rows])
    console.print(_evaluated_table(rows, results, cost))


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """A file that is no corpus, or too small a one, is the user's to mend: one line, no traceback."""
    from models.spam.corpus import BadCorpus

    try:
        yield
    except (BadCorpus, OSError) as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        if type(error).__name__ != "Untrainable":
            raise
        raise click.ClickException(str(error)) from error


def _without(rows: list[Row], threads: Sequence[str]) -> list[Row]:
    if unknown := set(threads) - {row.thread for row in rows}:
        raise click.UsageError(f"no comment belongs to the thread {', '.join(sorted(unknown))}")
    return [row for row in rows if row.thread not in threads]


def _watched(doing: str, console: Console) -> Callable[[Iterable[T]], Iterable[T]]:
    return partial(track, description=doing, console=console, transient=True)


def _trained_table(results: dict[str, Figures]) -> Table:
    table = _table("Judged by models that had not seen them or their thread", "file")
    for name, result in results.items():
        table.add_row(name, *_cells(result))
    return table


def _evaluated_table(rows: Sequence[Row], results: Sequence[Unseen], cost: Cost) -> Table:
    from models.spam.figures import mean

    threads = len({row.thread for row in rows if row.thread}) > 1
    title = "Each thread" if threads else "No threads named, so each of five parts"
    table = _table(f"{title}, judged by a model of the others", "left out", " dedup")
    for name, raw, deduplicated in results:
        table.add_row(name, *_cells(raw), *_cells(deduplicated))
    table.add_section()
    means = (*_cells(mean([r.raw for r in results])), *_cells(mean([r.deduplicated for r in results])))
    table.add_row("mean", *means, style="bold")
    table.caption = (
        "recall: of spam, when 1 % of ham may be called spam. dedup: without near-duplicates of what was trained on.\n"
        f"{cost.alone_ms:.2f} ms for a comment alone, {cost.per_second:,.0f} comments/s in a batch on one core; "
        f"the file has {_size(cost.file_bytes)}"
    )
    return table


def _table(title: str, first: str, *more: str) -> Table:
    table = Table(title=title, caption_justify="left", title_justify="left")
    table.add_column(first, no_wrap=True)
    for kind in ("", *more):
        for name in ("rows", "AUC", "F1", "recall"):
            table.add_column(f"{name}\n{kind.strip()}" if more else name, justify="right", no_wrap=True)
    return table


def _cells(result: Figures) -> list[str]:
    return [str(result.rows), *("–" if isnan(x) else f"{x:.3f}" for x in result[1:])]


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB"
