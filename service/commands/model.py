"""`greenroom train` and `greenroom evaluate`: the base models, from labelled comments in CSV
files.
"""

# ruff: noqa: PLC0415 — scikit-learn is imported only by the commands that need it

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.judgement.scores import ABUSE, SCORES, SPAM
from models.settings import settings

if TYPE_CHECKING:
    from models.abuse.training import measuring as measuring_of_abuse
    from models.classifier.training.corpus import Row
    from models.classifier.training.figures import Figures
    from models.spam.training.measuring import Measured

T = TypeVar("T")


def _weights(
    ctx: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> dict[str, float]:
    """Parse `x_posts=0.2`, once for each --weight."""
    weights = {}
    for item in given:
        name, _, factor = item.partition("=")
        try:
            weights[name] = float(factor)
        except ValueError:
            raise click.BadParameter(
                f"{item!r}: expected NAME=FACTOR, for example x_posts=0.2"
            ) from None
        if not 1e-6 <= weights[name] <= 1e6:  # outside, a training does not end
            raise click.BadParameter(
                f"{item!r}: the factor must be between 0.000001 and 1,000,000. To give a file no "
                "weight, leave it out."
            )
    return weights


def _pages(
    ctx: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> dict[str, list[str]]:
    """Parse `bridge=https://paper.example/bridge`, once for each --page."""
    pages: dict[str, list[str]] = {}
    for item in given:
        thread, _, address = item.partition("=")
        if "//" not in address:
            raise click.BadParameter(
                f"{item!r}: expected THREAD=URL, for example bridge=https://paper.example/bridge"
            )
        pages.setdefault(thread, []).append(address)
    return pages


def _out(ctx: click.Context, parameter: click.Parameter, given: Path | None) -> Path | None:
    """Refuse the names of files that are written next to a model."""
    if given and given.suffix in {".json", ".md", ".svg"}:
        raise click.BadParameter(
            f"{given}: {given.suffix} is for the model's card. Choose a name like model.npz."
        )
    return given


def _card(ctx: click.Context, parameter: click.Parameter, given: Path | None) -> Path | None:
    """Refuse a file that is not a card before measuring, which takes minutes."""
    if given is None:
        return None
    from models.abuse.training.card import Card as AbuseCard
    from models.spam.training.card import Card

    card = AbuseCard if ctx.params.get("score") == ABUSE else Card
    try:
        card.load(given)
    except ValueError:
        raise click.BadParameter(
            f"{given} is not a model's card: name a .json file that greenroom train wrote."
        ) from None
    return given


_SCORE_OPTION = click.option(
    "--score",
    is_eager=True,  # the card is read by its score
    type=click.Choice(SCORES),
    default=SPAM,
    show_default=True,
    help="The score that the model gives. For abuse, the labels are toxic and ok.",
)
_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)
_WEIGHT_OPTION = click.option(
    "--weight",
    "weights",
    multiple=True,
    callback=_weights,
    metavar="NAME=FACTOR",
    help="Weight of the rows of NAME.csv; may be repeated.  [default: 1]",
)
_PAGE_OPTION = click.option(
    "--page",
    "pages",
    multiple=True,
    callback=_pages,
    metavar="THREAD=URL",
    help=(
        "The URL of a thread's page, so that links to it do not count as external links; may "
        "be repeated."
    ),
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILES)
@_SCORE_OPTION
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_out,
    help="Where to write the model.  [default: var/spam.npz or var/abuse.npz]",
)
@click.option(
    "--without-thread",
    multiple=True,
    metavar="NAME",
    help="Leave a thread's comments out; may be repeated.",
)
@_WEIGHT_OPTION
@_PAGE_OPTION
def train(  # noqa: PLR0913, PLR0917 — click passes each option as an argument
    files: Sequence[Path],
    score: str,
    out: Path | None,
    without_thread: Sequence[str],
    weights: Mapping[str, float],
    pages: Mapping[str, list[str]],
) -> None:
    """Train a base model on FILES: CSV with text,label[,thread,at,lang], label spam or ham; for
    abuse text,label,lang, label toxic or ok.
    """
    console = Console()
    out = out or settings().data / f"{score}.npz"
    if score == ABUSE:
        _train_abuse(files, out, console)
        return
    with _in_plain_words():
        from models.classifier.training import base_model, corpus
        from models.spam.training.card import card, held_out

        out.parent.mkdir(parents=True, exist_ok=True)  # if this fails, it fails before the training
        rows = _without(corpus.read(files), without_thread)
        if unknown := set(weights) - {row.source for row in rows}:
            raise click.UsageError(
                f"--weight names {', '.join(sorted(unknown))}, which is not one of the files"
            )
        trained = base_model.train(
            rows, weights, pages=pages, counts_too=True, each=_watched("Training", console)
        )
        trained.model.save(out)
        card_path = out.with_suffix(".json")
        card(trained, rows, weights, out).save(card_path)
    console.print(_trained_table(held_out(trained)))
    languages = ", ".join(sorted(trained.model.languages)) or "none with enough rows"
    repeats, megabytes = len(rows) - len(trained.rows), out.stat().st_size / 1e6
    console.print(
        f"{len(trained.rows)} comments, {repeats} repeats dropped; languages: {languages}"
    )
    console.print(
        f"Model {trained.model.version}: {out} ({megabytes:.2f} MB), its card {card_path}",
        soft_wrap=True,
        highlight=False,
    )


def _train_abuse(files: Sequence[Path], out: Path, console: Console) -> None:
    with _in_plain_words():
        from models.abuse.training import own, sources
        from models.abuse.training.card import card
        from models.abuse.training.training import train as train_abuse

        out.parent.mkdir(parents=True, exist_ok=True)
        rows = [*sources.read(files), *own.read()]
        trained = train_abuse(rows, _watched("Training", console))
        trained.model.save(out, trained.attributes.arrays())
        card_path = out.with_suffix(".json")
        card(trained, rows, out).save(card_path)
    console.print(
        f"Model {trained.model.version}: {out} ({out.stat().st_size / 1e6:.2f} MB), "
        f"its card {card_path}",
        soft_wrap=True,
        highlight=False,
    )


@click.command()
@click.argument("files", nargs=-1, type=_FILES)
@_SCORE_OPTION
@click.option(
    "--sentences",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --score abuse: the folder of sentences that no model learned.",
)
@click.option(
    "--site",
    "site_key",
    metavar="KEY",
    help="Instead of FILES: measure how often a site's automatic decisions were wrong.",
)
@click.option(
    "--also",
    multiple=True,
    type=_FILES,
    help="A file with another kind of text to train on as well; may be repeated.",
)
@_WEIGHT_OPTION
@_PAGE_OPTION
@click.option(
    "--peers",
    is_flag=True,
    help="Also measure bogofilter and SpamAssassin's Bayes, if they are installed.",
)
@click.option(
    "--card",
    "card_path",
    type=_FILES,
    callback=_card,
    help="Write the results into this model's card (.json, .md, .svg).",
)
def evaluate(  # noqa: PLR0913, PLR0917 — click passes each option as an argument
    files: Sequence[Path],
    score: str,
    sentences: Path | None,
    site_key: str | None,
    also: Sequence[Path],
    weights: Mapping[str, float],
    pages: Mapping[str, list[str]],
    peers: bool,
    card_path: Path | None,
) -> None:
    """Measure a base model on comments that it has not seen: for each thread in FILES, train a
    model on the other threads. For abuse, the model keeps a part of FILES for this.
    """
    if site_key:
        from service.commands.error_rates import print_error_rates

        print_error_rates(site_key)
        return
    if not files:
        raise click.UsageError("Give FILES of labelled comments, or a site with --site.")
    console = Console()
    if score == ABUSE:
        if sentences is None:
            raise click.UsageError("--score abuse needs --sentences.")
        _evaluate_abuse(files, sentences, card_path, console)
        return
    with _in_plain_words():
        from models.classifier.training import corpus
        from models.spam.training import measuring

        rows = corpus.read(files)
        spam = sum(row.spam for row in rows)
        if not 0 < spam < len(rows):
            raise corpus.BadCorpus(
                f"{spam} spam and {len(rows) - spam} ham: measuring needs both kinds"
            )
        found = measuring.measure(
            rows,
            others=measuring.Others(corpus.read(also), weights),
            pages=pages,
            with_peers=peers,
            watched=lambda doing: _watched(doing, console),
        )
        if card_path:
            _write_card(found, card_path)
    console.print(_measured_table(found))


def _evaluate_abuse(
    files: Sequence[Path], sentences: Path, card_path: Path | None, console: Console
) -> None:
    """Measure the model beside the card, or the one that this installation uses."""
    with _in_plain_words():
        from models.abuse.training import measuring, own, sources
        from models.classifier.file import model_path
        from models.classifier.model import LinearModel

        path = card_path.with_suffix(".npz") if card_path else model_path(ABUSE)
        rows = [*sources.read(files), *own.read()]
        found = measuring.measure(
            LinearModel.load(path), rows, sentences, lambda doing: _watched(doing, console)
        )
        if card_path:
            _write_abuse_card(found, card_path)
    for table in found.tables:
        console.print(_abuse_table(table))


def _write_abuse_card(found: measuring_of_abuse.Measured, path: Path) -> None:
    from models.abuse.training.card import add_measured
    from models.classifier.training.drawing import draw

    add_measured(found, path)
    drawing = draw(found.calibration, found.judged, bad="toxic", good="ok")
    path.with_suffix(".svg").write_text(drawing, encoding="utf-8")


def _abuse_table(found: measuring_of_abuse.Table) -> Table:
    from models.abuse.training.measuring import cell

    table = Table(title=found.title, caption=found.note, title_justify="left")
    for name in found.columns:
        table.add_column(name, no_wrap=True)
    for row in found.rows:
        table.add_row(*map(cell, row))
    return table


def _write_card(found: Measured, path: Path) -> None:
    from models.classifier.training.drawing import draw
    from models.spam.training.card import add_measured

    add_measured(found, path)
    drawing = draw(found.calibration, found.judged)
    path.with_suffix(".svg").write_text(drawing, encoding="utf-8")


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Print one line, not a traceback, for a file that the user has to correct."""
    from models.classifier.training.base_model import Untrainable
    from models.classifier.training.corpus import BadCorpus

    try:
        yield
    except (BadCorpus, Untrainable, OSError) as error:
        raise click.ClickException(str(error)) from error


def _without(rows: list[Row], threads: Sequence[str]) -> list[Row]:
    if unknown := set(threads) - {row.thread for row in rows}:
        raise click.UsageError(f"no comment belongs to the thread {', '.join(sorted(unknown))}")
    return [row for row in rows if row.thread not in threads]


def _watched(doing: str, console: Console) -> Callable[[Iterable[T]], Iterable[T]]:
    return partial(track, description=doing, console=console, transient=True)


def _trained_table(results: Mapping[str, Figures]) -> Table:
    title = "Judged by models that had not seen them or their thread"
    table = Table(title=title, caption_justify="left", title_justify="left")
    table.add_column("file", no_wrap=True)
    for name in ("rows", "AUC", "F1", "recall"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, result in results.items():
        figures = (_figure(value) for value in (result.auc, result.f1, result.recall))
        table.add_row(name, str(result.rows), *figures)
    return table


def _measured_table(found: Measured) -> Table:
    from models.spam.training.measuring import COLUMNS

    title = f"{found.made.on}: each part judged by a model of the others, {found.made.day}"
    table = Table(title=title, caption_justify="left", title_justify="left")
    table.add_column("left out", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for line in found.lines:
        if line.figures:
            style = "bold" if line.what.startswith("mean") else None
            cells = (_cell(name, line.figures) for name in COLUMNS)
            table.add_row(line.what, *cells, style=style)
    words = "\n".join(f"{line.what}: {line.words}" for line in found.lines if line.words)
    table.caption = (
        "recall: the share of spam found when 1 % of ham may be called spam. dedup: without "
        "near-duplicates of the training rows. Other filters' F1 is at the threshold that suits "
        f"them best.\n{words}\n{found.made.software}"
    )
    return table


def _cell(name: str, figures: Mapping[str, float]) -> str:
    if name not in figures:
        return ""
    return f"{figures[name]:.0f}" if name == "rows" else _figure(figures[name])


def _figure(value: float) -> str:
    return "–" if isnan(value) else f"{value:.3f}"
