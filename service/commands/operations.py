"""`greenroom doctor`, `publish`, `backup`, `restore` and `keys`: what those who run
Greenroom type.
"""

# ruff: noqa: PLC0415 — what is heavy is loaded by the command that needs it

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TaskID

from models.store.faults import in_words
from service.commands.database import is_ready, need_database

if TYPE_CHECKING:
    from service.operations.doctor import Examination

WELL, ILL, COULD_NOT_LOOK = 0, 1, 2
Step = Callable[[str, int, int], None]


@contextmanager
def _watched() -> Iterator[Step]:
    """A bar for each kind of thing, on a terminal; elsewhere silence."""
    from models.logs import configure_logs

    configure_logs("warning")
    console = Console(stderr=True)
    with Progress(
        *Progress.get_default_columns()[:2], MofNCompleteColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        bars: dict[str, TaskID] = {}

        def step(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done, total=total)

        yield step


@click.command()
@click.option(
    "--mend", is_flag=True, help="Mend what can be mended without a human, then look again."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(ctx: click.Context, mend: bool, as_json: bool) -> None:
    """Check what must be true of the data: the rows among themselves, and the published pages
    against them.

    Exit status 0: all is well; 1: something is not, a line each, with the command that mends it; 2:
    could not look.
    """
    try:
        found = _examined(mend)
    except Exception as error:
        click.echo(f"Error: could not look: {_first_line(error)}", err=True)
        ctx.exit(COULD_NOT_LOOK)
    click.echo(
        orjson.dumps(_as_json(found), option=orjson.OPT_INDENT_2).decode()
        if as_json
        else _as_text(found)
    )
    ctx.exit(ILL if found.found else WELL)


def _examined(mend: bool) -> Examination:
    from service.operations import doctor

    if not is_ready():
        raise click.ClickException(
            "there is no database at the newest schema; run `greenroom migrate`"
        )
    with _watched() as step:
        found = doctor.examine(step)
        if mend and found.found:
            doctor.mend(found.found)
            found = doctor.examine(step)
    return found


def _first_line(error: Exception) -> str:
    if isinstance(error, click.ClickException):
        return error.message
    if not hasattr(error, "orig") and (
        words := in_words(error)
    ):  # a database's own words name its host and port
        return words
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]


def _as_json(found: Examination) -> dict[str, object]:
    told = [violation._asdict() for violation in found.found]
    return {
        "well": not told,
        "comments": found.comments,
        "threads": found.threads,
        "seconds": round(found.seconds, 1),
        "counts": dict(found.counts),
        "violations": told,
    }


def _as_text(found: Examination) -> str:
    looked = f"{found.comments:,} comments in {found.threads:,} threads, {found.seconds:.1f} s"
    lines = [str(violation) for violation in found.found]
    untold = found.counts.total() - len(lines)
    lines += [f"… and {untold:,} more of the same kinds"] if untold else []
    said = {0: "all is well", 1: "1 violation"}.get(
        total := found.counts.total(), f"{total:,} violations"
    )
    return "\n".join([*lines, f"{looked}: {said}"])


@click.command()
@click.argument("threads", nargs=-1, metavar="THREAD…")
@click.option(
    "--site",
    "site_key",
    metavar="KEY",
    help="Whose THREADs these are, named as their site does: /harbour.",
)
@click.option("--all", "all_threads", is_flag=True, help="Every thread.")
def publish(threads: tuple[str, ...], site_key: str | None, all_threads: bool) -> None:
    """Write the pages of THREADs anew, here and now: by their numbers, as `doctor` names them, or
    by --site.
    """
    from service.operations import publishing

    if bool(threads) == all_threads:
        raise click.UsageError("Name threads, or say --all.")
    need_database()
    try:
        wanted = (
            list(publishing.every_thread())
            if all_threads
            else publishing.numbered(threads, site_key)
        )
    except LookupError as error:
        raise click.ClickException(str(error)) from error
    with _watched() as step:
        done = 0

        def count(some: int) -> None:
            nonlocal done
            done += some
            step("threads", done, len(wanted))

        owed = publishing.publish(wanted, count)
    if owed:
        ids = " ".join(map(str, owed[:20]))
        raise click.ClickException(
            f"Still owed: {len(owed)} of {len(wanted)} threads ({ids}). A worker tries them "
            "again; see its log."
        )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Put the keys (secrets.json) in as well: guard such a file like them.",
)
@click.option("--replace", is_flag=True, help="Write over FILE if it is there already.")
def backup(file: Path, with_secrets: bool, replace: bool) -> None:
    """Write everything that is kept into FILE, as it is at this moment, while the service runs.

    FILE is yours alone to read. Without --with-secrets the keys are not in it: to restore it,
    secrets.json is needed, so keep that somewhere else. Published pages are not in it either: they
    are made anew from the rows.
    """
    from service.operations.backup import backup as write

    need_database()
    with _watched() as step:
        manifest = write(file, with_secrets=with_secrets, replace=replace, step=step)
    click.echo(f"{manifest.tables['comments'].rows:,} comments in {file}", err=True)
    if not with_secrets:
        click.echo(
            (
                "The keys are not in it: keep secrets.json too, or nobody can read an email "
                "address again."
            ),
            err=True,
        )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database, made by `greenroom migrate`, from FILE. The database may be of
    another kind.
    """
    from service.operations.restore import restore as fill

    need_database(keys=False)  # the backup's keys count
    with _watched() as step:
        manifest = fill(file, step)
    click.echo(
        f"{manifest.tables['comments'].rows:,} comments as of {manifest.made:%Y-%m-%d %H:%M} UTC.",
        err=True,
    )
    click.echo(
        (
            "Pages are owed: a worker writes them, or `greenroom publish --all`; then `greenroom "
            "doctor`."
        ),
        err=True,
    )


@click.group()
def keys() -> None:
    """The keys that addresses are sealed with."""


@keys.command("rotate-email")
def rotate_email() -> None:
    """Seal every email address anew under a new key, and forget the old one. The service may run
    meanwhile.

    It takes half a minute and more; interrupted, it goes on when called again. A backup made before
    needs the secrets.json of its time.

    If you bring the keys yourself (GREENROOM_SECRETS or GREENROOM_SECRETS_FILE), first add a key
    with `greenroom secrets add-key`, give the result to every process, then run this command, then
    remove the old key.
    """
    from service.operations import rotation

    need_database()
    with _watched() as step:
        done = rotation.rotate_email(step)
    retired = ", ".join(done.retired) or "none"
    click.echo(f"{done.moved:,} addresses moved to key {done.key}; retired: {retired}.", err=True)
    if done.to_remove:
        old = ", ".join(done.to_remove)
        click.echo(
            f"Remove from email_keys, once no process seals with it any more: {old}.", err=True
        )


@click.group()
def secrets() -> None:
    """The keys of this installation, as JSON for GREENROOM_SECRETS or the file that
    GREENROOM_SECRETS_FILE names.
    """


@secrets.command("generate")
def generate_secrets() -> None:
    """Print fresh keys for a new installation. They replace no keys that a database
    was used with.
    """
    from models.store.secrets import as_json, generated

    click.echo(as_json(generated()))


@secrets.command("add-key")
def add_key() -> None:
    """Print the present keys with one more for email addresses, which becomes the current one.
    Changes nothing.
    """
    from models.store.secrets import as_json, from_source, with_new_email_key

    click.echo(as_json(with_new_email_key(from_source())))


@secrets.command("check")
def check_secrets() -> None:
    """Check that the keys can be read and are those of the database. Exit status 1 if not."""
    from models.store.keyring import check_keys
    from models.store.secrets import from_source, readable_by_others, source

    kept = from_source()
    need_database(keys=False)
    check_keys(kept, may_record=False)
    if words := readable_by_others():
        click.echo(f"Warning: {words}", err=True)
    click.echo(
        f"The keys in {source()} are those of this database. Current key for addresses: "
        f"{kept.email_key}."
    )


@secrets.command("replace-lost")
@click.option("--yes", is_flag=True, help="Really give up what only the lost keys open.")
def replace_lost(yes: bool) -> None:
    """Go on with new keys when the old ones are lost for good.

    Gives up every stored email address, second factor, webhook secret and block of an author.
    Comments, decisions and pages stay. Stop the service before.
    """
    from service.operations.lost_keys import replace_lost_keys

    need_database(keys=False)
    if not yes:
        raise click.UsageError(
            "This gives up every stored email address: say --yes if the keys are lost for good."
        )
    loss = replace_lost_keys()
    click.echo(
        f"Given up: {loss.addresses:,} addresses, {loss.second_factors} second factors, "
        f"{loss.webhooks} webhook secrets, {loss.author_blocks} blocks of authors.",
        err=True,
    )
    click.echo(
        "Webhooks are disabled: rotate the secret of each, then enable it.",
        err=True,
    )
