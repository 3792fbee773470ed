"""`greenroom webhook listen`: a tiny receiver that verifies and prints, for people who build a real
one.
"""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click

from models.text.numbers import digits_to_int
from models.webhooks.signatures import is_secret, wrong

MOST_BYTES = 1024 * 1024


@click.group()
def webhook() -> None:
    """Receive webhooks on this machine, to try them out."""


@webhook.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    required=True,
    help="Port to listen on; 0 picks a free port.",
)
@click.option(
    "--secret", required=True, envvar="WEBHOOK_SECRET", help="The webhook's secret, whsec_…"
)
def listen(port: int, secret: str) -> None:
    """Verify and print every webhook message until you press Ctrl-C."""
    if not is_secret(secret):
        raise click.ClickException(
            "A secret begins with whsec_. Greenroom shows it when you create or rotate a webhook."
        )
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _printing(secret))
    except OSError as error:
        raise click.ClickException(f"Can't listen on port {port}: {error.strerror}.") from None
    click.echo(f"Listening on http://127.0.0.1:{server.server_address[1]}/")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("")


def _printing(secret: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_POST(self) -> None:
            length = digits_to_int(self.headers.get("Content-Length"))
            if length is None or length > MOST_BYTES:
                self.send_error(411)
                return
            content = self.rfile.read(length)
            named = {name.lower(): value for name, value in self.headers.items()}
            why = wrong(secret, named, content, at=time.time())
            click.echo(
                _told(named, content) if why is None else click.style(f"refused: {why}", fg="red")
            )
            self.send_response(204 if why is None else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Do nothing: each message is printed once, in our own form."""

    return Handler


def _told(named: dict[str, str], content: bytes) -> str:
    """Return the message as JSON escapes it, so that no stranger's text can control this
    terminal.
    """
    body = json.loads(content)
    return f"verified: {body.get('type')} {named['webhook-id']}\n{json.dumps(body, indent=2)}"
