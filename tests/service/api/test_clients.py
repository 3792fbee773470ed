"""Clients generated from `/openapi.json` go through a moderator's day with a running Greenroom."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.answers import calls_of
from tests.fakes.dns_server import DnsServer
from tests.fakes.receiver import Receiver
from tests.greenroom import Running, running
from tests.npm_packages import npm_package

CLIENTS = Path(__file__).parent / "clients"
ZONE = {"test": {"NS": ["ns.test."]}, "example.org": {"MX": ["10 mail.example.org."]}}
SECONDS = 250  # only a failing test takes this long


@pytest.fixture(scope="module")
def greenroom(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Running]:
    with DnsServer(ZONE) as dns:
        environment = dns.environment | {
            "GREENROOM_RATE_LIMITS": "off",
            "GREENROOM_WEBHOOK_ALLOW_PRIVATE": "true",
        }
        with running(
            tmp_path_factory.mktemp("clients") / "var", like=sqlite_template, **environment
        ) as up:
            yield up


@pytest.fixture(scope="module")
def document(greenroom: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    with urllib.request.urlopen(f"{greenroom.url}/openapi.json") as answer:
        file.write_bytes(answer.read())
    return file


def test_the_python_client_is_whole_and_walks_the_journey(
    app: Flask, greenroom: Running, document: Path, tmp_path: Path
) -> None:
    client = tmp_path / "greenroom_client"
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"post_hooks": []}))
    generated = _run(
        [
            *(sys.executable, "-c", "from openapi_python_client.cli import app; app()"),
            *("generate", "--meta", "none", "--config", settings),
            *("--path", document, "--output-path", client),
        ]
    )
    assert "WARNING" not in generated, generated
    modules = {path.stem for path in client.glob("api/*/*.py")} - {"__init__"}
    assert modules == {call.operation for call in calls_of(app).values()}
    for path in client.glob("api/*/*.py"):
        assert "-> Any | None:" not in path.read_text(), f"{path.stem} answers Any"
    with Receiver() as receiver:
        journey = [sys.executable, CLIENTS / "journey.py", greenroom.url, greenroom.key()]
        _run([*journey, receiver.url], PYTHONPATH=str(tmp_path))


def test_the_typescript_client_is_typed_and_walks_the_journey(
    greenroom: Running, document: Path, tmp_path: Path
) -> None:
    generator = npm_package("openapi-typescript") / "bin" / "cli.js"
    compiler = npm_package("typescript") / "bin" / "tsc"
    npm_package("openapi-fetch")
    schema = tmp_path / "schema.d.ts"
    _run(["node", generator, document, "-o", schema])
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", schema.read_text(), flags=re.DOTALL)
    assert not re.search(r"\bany\b", re.sub(r'"[^"]*"', '""', code))
    (tmp_path / "node_modules").symlink_to(generator.parents[2])
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "journey.ts").write_text((CLIENTS / "journey.ts").read_text())
    options = {
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "exactOptionalPropertyTypes": False,
        "target": "es2022",
        "module": "nodenext",
        "lib": ["es2023", "dom", "dom.iterable"],
        "types": [],
        "skipLibCheck": True,
    }
    (tmp_path / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": options, "files": ["journey.ts"]})
    )
    _run(["node", compiler, "--project", tmp_path])
    with Receiver() as receiver:
        _run(["node", tmp_path / "journey.js", greenroom.url, greenroom.key(), receiver.url])


def _run(command: list[str | Path], **environment: str) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
