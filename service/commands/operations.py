"""`greenroom doctor`, `publish`, `backup`, `restore` and `keys`: the operators' commands."""

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
    """Show a progress bar for each step on a terminal, and nothing elsewhere."""
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
@click.option("--mend", is_flag=True, help="Fix what can be fixed automatically, then check again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(ctx: click.Context, mend: bool, as_json: bool) -> None:
    """Check the database, check the published pages against it, and print the command that fixes
    each problem.

    Exit status 0: no problems. 1: problems, one per line, each with the command that fixes it. 2:
    the check could not run.
    """
    try:
        found = _examined(mend)
    except Exception as error:
        click.echo(f"Error: the check could not run: {_first_line(error)}", err=True)
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
            "the database does not exist or its schema is out of date; run `greenroom migrate`"
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
    ):  # the database's own message names its host and port
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
    said = {0: "no problems", 1: "1 problem"}.get(
        total := found.counts.total(), f"{total:,} problems"
    )
    return "\n".join([*lines, f"{looked}: {said}"])


@click.command()
@click.argument("threads", nargs=-1, metavar="THREAD…")
@click.option(
    "--site",
    "site_key",
    metavar="KEY",
    help="The site of the THREADs, to name them by their keys, like /harbour.",
)
@click.option("--all", "all_threads", is_flag=True, help="Publish every thread.")
def publish(threads: tuple[str, ...], site_key: str | None, all_threads: bool) -> None:
    """Rewrite the pages of THREADs, in this process. Name threads by their numbers, as `doctor`
    prints them, or by their keys with --site.
    """
    from service.operations import publishing

    if bool(threads) == all_threads:
        raise click.UsageError("Name threads, or give --all.")
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
            f"Not published: {len(owed)} of {len(wanted)} threads ({ids}). A worker will retry "
            "them; see its log."
        )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Include the keys (secrets.json). Protect such a file like the keys themselves.",
)
@click.option("--replace", is_flag=True, help="Overwrite FILE if it exists.")
def backup(file: Path, with_secrets: bool, replace: bool) -> None:
    """Back up everything to FILE, as of this moment, while the service runs.

    Only you can read FILE. Without --with-secrets it does not contain the keys: you need
    secrets.json to restore it, so keep that file somewhere else. It does not contain published
    pages either, because Greenroom writes them again from the database.
    """
    from service.operations.backup import backup as write

    need_database()
    with _watched() as step:
        manifest = write(file, with_secrets=with_secrets, replace=replace, step=step)
    click.echo(f"{manifest.tables['comments'].rows:,} comments in {file}", err=True)
    if not with_secrets:
        click.echo(
            (
                "The file does not contain the keys. Keep secrets.json too: without it nobody "
                "can read the email addresses."
            ),
            err=True,
        )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Restore FILE into an empty database made by `greenroom migrate`. The backup may
    come from SQLite or PostgreSQL.
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
            "Next, start a worker or run `greenroom publish --all` to write the pages. Then "
            "run `greenroom doctor`."
        ),
        err=True,
    )


@click.group()
def keys() -> None:
    """Manage the keys that encrypt email addresses."""


@keys.command("rotate-email")
def rotate_email() -> None:
    """Encrypt every email address with a new key, and delete the old key. The service may keep
    running.

    This takes half a minute or more. If it is interrupted, run it again to continue. To restore an
    older backup, you need the secrets.json from that time.

    If you provide the keys yourself (GREENROOM_SECRETS or GREENROOM_SECRETS_FILE), first add a key
    with `greenroom secrets add-key` and give the result to every process. Then run this command and
    remove the old key.
    """
    from service.operations import rotation

    need_database()
    with _watched() as step:
        done = rotation.rotate_email(step)
    retired = ", ".join(done.retired) or "none"
    click.echo(
        (
            f"{done.moved:,} addresses are now encrypted with key {done.key}. Retired keys: "
            f"{retired}."
        ),
        err=True,
    )
    if done.to_remove:
        old = ", ".join(done.to_remove)
        click.echo(f"Remove from email_keys once no process uses it: {old}.", err=True)


@click.group()
def secrets() -> None:
    """Manage the keys of this installation: JSON for GREENROOM_SECRETS or for the file that
    GREENROOM_SECRETS_FILE names.
    """


@secrets.command("generate")
def generate_secrets() -> None:
    """Print keys for a new installation. They can't replace the keys of an existing database."""
    from models.store.secrets import as_json, generated

    click.echo(as_json(generated()))


@secrets.command("add-key")
def add_key() -> None:
    """Print the keys with a new email key added and selected for encryption. This saves nothing:
    give the output to every process.
    """
    from models.store.secrets import as_json, from_source, with_new_email_key

    click.echo(as_json(with_new_email_key(from_source())))


@secrets.command("check")
def check_secrets() -> None:
    """Check that the keys can be read and belong to the database. Exit status 1 if not."""
    from models.store.keyring import check_keys
    from models.store.secrets import from_source, readable_by_others, source

    kept = from_source()
    need_database(keys=False)
    check_keys(kept, may_record=False)
    if words := readable_by_others():
        click.echo(f"Warning: {words}", err=True)
    click.echo(
        f"The keys in {source()} belong to this database. Current key for addresses: "
        f"{kept.email_key}."
    )


@secrets.command("replace-lost")
@click.option(
    "--yes",
    is_flag=True,
    help="Confirm that you give up everything that only the lost keys can decrypt.",
)
def replace_lost(yes: bool) -> None:
    """Continue with new keys after the old ones are permanently lost.

    This deletes every stored email address, second factor, webhook secret and author block.
    Comments, decisions and pages stay. Stop the service first.
    """
    from service.operations.lost_keys import replace_lost_keys

    need_database(keys=False)
    if not yes:
        raise click.UsageError(
            "This deletes every stored email address: add --yes if the keys are permanently lost."
        )
    loss = replace_lost_keys()
    click.echo(
        f"Deleted: {loss.addresses:,} addresses, {loss.second_factors} second factors, "
        f"{loss.webhooks} webhook secrets, {loss.author_blocks} author blocks.",
        err=True,
    )
    click.echo(
        "Webhooks are disabled: rotate the secret of each one, then enable it.",
        err=True,
    )
