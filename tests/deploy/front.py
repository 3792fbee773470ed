"""A real nginx with the configuration of deploy/front/: only hosts, ports and folders are exchanged."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.asking import ask
from tests.greenroom import free_port, until

CONFIGURED = Path(__file__).parents[2] / "deploy" / "front"
IN_COMPOSE = "/etc/nginx/greenroom"
COMMAND = ["nginx", "-c", f"{IN_COMPOSE}/nginx.conf", "-g", "daemon off;"]


@contextmanager
def front(
    published: Path, *, web_port: int, command: Sequence[str] = COMMAND, environment: dict[str, str] | None = None
) -> Iterator[int]:
    """Its port, while it runs. `published` is the folder that the workers write to, of that name."""
    assert published.name == "published"
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="greenroom-front-") as place:
        folder = Path(place)
        _configure(folder, published.parent, port=port, web_port=web_port)
        words = [word.replace(IN_COMPOSE, place) for word in command]
        if os.geteuid() == 0:
            words[-1] += " user root;"  # its workers would be `nobody`, who may not enter a test's folder
        variables = {"PATH": f"{os.environ['PATH']}:/usr/sbin"} | (environment or {})
        program = shutil.which(words[0], path=variables["PATH"])
        assert program, "nginx is missing: make test installs it, or names the packages"
        with subprocess.Popen([program, *words[1:]], env=variables) as process:
            try:
                until(lambda: process.poll() is not None or _answers(port), 10)
                assert process.poll() is None
                yield port
            finally:
                process.send_signal(signal.SIGQUIT)
                process.wait(15)


def _configure(folder: Path, root: Path, *, port: int, web_port: int) -> None:
    shutil.copytree(CONFIGURED, folder, dirs_exist_ok=True)
    text = (folder / "nginx.conf").read_text()
    for ours, here in {
        " /tmp/": f" {folder}/",
        "web:8000": f"127.0.0.1:{web_port}",
        "listen 8080": f"listen 127.0.0.1:{port}",
        "root /;": f"root {root};",
    }.items():
        assert ours in text, ours
        text = text.replace(ours, here)
    (folder / "nginx.conf").write_text(text)


def _answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/health/front").status == 204
    except OSError:
        return False
