"""A real nginx with the configuration of deploy/front/. Only hosts, ports and folders are
replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.asking import ask
from tests.greenroom import PATIENCE, free_port, until

CONFIGURED = Path(__file__).parents[2] / "deploy" / "front"
IN_COMPOSE = "/etc/nginx/greenroom"
COMMAND = ["nginx", "-c", f"{IN_COMPOSE}/nginx.conf", "-g", "daemon off;"]


@contextmanager
def front(
    published: Path,
    *,
    web_port: int,
    more_web_ports: Sequence[int] = (),
    command: Sequence[str] = COMMAND,
    environment: dict[str, str] | None = None,
) -> Iterator[int]:
    """Run it and yield its port. `published` is the folder of that name that the workers write to.

    With `more_web_ports` the name `web` has several addresses.
    """
    assert published.name == "published"
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="greenroom-front-") as place:
        folder = Path(place)
        _configure(folder, published.parent, port=port, web_ports=[web_port, *more_web_ports])
        words = [word.replace(IN_COMPOSE, place) for word in command]
        if os.geteuid() == 0:
            words[-1] += " user root;"  # `nobody` may not read a test's folder
        variables = {"PATH": f"{os.environ['PATH']}:/usr/sbin"} | (environment or {})
        program = shutil.which(words[0], path=variables["PATH"])
        assert program, "nginx is missing: make test installs it, or names the packages"
        with subprocess.Popen([program, *words[1:]], env=variables) as process:
            try:
                until(lambda: process.poll() is not None or _answers(port))
                assert process.poll() is None
                yield port
            finally:
                process.send_signal(signal.SIGQUIT)
                process.wait(PATIENCE)


def _configure(folder: Path, root: Path, *, port: int, web_ports: Sequence[int]) -> None:
    shutil.copytree(CONFIGURED, folder, dirs_exist_ok=True)
    text = (folder / "nginx.conf").read_text()
    text, times = re.subn("server web:8000(.*;)", _servers(web_ports), text)
    assert times == 1
    for ours, here in {
        " /tmp/": f" {folder}/",
        "listen 8080": f"listen 127.0.0.1:{port}",
        "root /;": f"root {root};",
        "proxy_cache_valid 204 5s": "proxy_cache_valid 204 1s",
        "client_body_timeout 10s": "client_body_timeout 4s",
    }.items():
        assert ours in text, ours
        text = text.replace(ours, here)
    (folder / "nginx.conf").write_text(text)


def _servers(ports: Sequence[int]) -> str:
    """Return one line per address, as nginx itself makes of a name."""
    return "\n".join(rf"server 127.0.0.1:{port}\1" for port in ports)


def _answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/health/front").status == 204
    except OSError:
        return False
