"""The lines that `up` prints when everything answers."""

from __future__ import annotations

import io

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def banner(url: str, *, owner: tuple[str, str] | None = None, colours: bool = False) -> str:
    """Return the addresses to open; at the very first start, also the owner's email and one-time
    password.
    """
    rows = Table.grid(padding=(0, 3))
    rows.add_row(Text("Demo page", "dim"), Text(f"{url}/demo", "bold"))
    rows.add_row(Text("Console", "dim"), Text(f"{url}/console/", "bold"))
    if owner:
        email, password = owner
        rows.add_row(Text("Sign in", "dim"), Text(email, "bold"))
        rows.add_row(
            Text("Password", "dim"),
            Text(password, "bold green") + Text("  shown only once", "not bold dim"),
        )
    console = Console(
        file=io.StringIO(), force_terminal=colours, no_color=not colours, width=200, highlight=False
    )
    console.print("\n  [green]●[/] [bold]Greenroom is ready[/]\n")
    console.print(Padding.indent(rows, 4))
    console.print("\n  [dim]Ctrl-C stops everything.[/]\n")
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n"))
