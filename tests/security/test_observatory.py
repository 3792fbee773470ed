"""MDN's HTTP Observatory, run here, gives every kind of page its best grade."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.fakes.tls_front import tls_front
from tests.greenroom import PATIENCE, Running, free_port, running
from tests.npm_packages import npm_package

SCRIPT = Path(__file__).with_name("observatory.mjs")
GRADED = {
    "console": "/console/sign-in",
    "plain page": "/sites/demo/thread?thread=/x",
    "API": "/v1/sites/demo/form",
}


class Secure(NamedTuple):
    up: Running
    port: int
    authority: Path


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """Greenroom behind TLS, with settings that say so."""
    npm_package("@mdn/mdn-http-observatory")
    folder = tmp_path_factory.mktemp("observatory")
    with (
        running(folder / "var", GREENROOM_PUBLIC_URL="https://comments.paper.example") as up,
        tls_front(folder, up.port) as (port, authority),
    ):
        yield Secure(up, port, authority)


def observe(secure: Secure, path: str) -> Any:
    """Nothing listens for http: redirecting from http to https is the task of the proxy with the
    certificate.
    """
    node = shutil.which("node") or shutil.which("nodejs")
    assert node, "node is missing: make test installs it, or names the package"
    packaged = npm_package("@mdn/mdn-http-observatory")
    done = subprocess.run(
        [node, SCRIPT, packaged, "127.0.0.1", str(free_port()), str(secure.port), path],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "NODE_EXTRA_CA_CERTS": str(secure.authority),
            "ABORT_TIMEOUT": str(1000 * PATIENCE),
            "CLIENT_TIMEOUT": str(1000 * PATIENCE),
        },
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", GRADED)
def test_the_observatory_gives_an_a_plus(secure: Secure, kind: str) -> None:
    seen = observe(secure, GRADED[kind])
    assert (seen["status"], seen["verified"]) == (200, True)
    failed = {name: test["result"] for name, test in seen["tests"].items() if not test["pass"]}
    assert not failed
    assert (seen["grade"], seen["score"] >= 100) == ("A+", True), seen
