"""Read docker-compose.yml and the Dockerfile, and run the same commands with the same variables as
plain processes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
_VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def filled(text: str, variables: dict[str, str]) -> str:
    """Fill `${NAME:?}` and `${NAME:-default}` as compose does. Raises KeyError for a variable
    missing from .env.
    """

    def fill(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        return variables.get(name) or default if kind == "-" else variables[name]

    return _VARIABLE.sub(fill, text)


def services(variables: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(filled(FILE.read_text(), variables))["services"]
    return found


def instructions() -> dict[str, str]:
    """Return the last instruction of each kind in the Dockerfile, which is the image's."""
    lines = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text()).splitlines()
    pairs = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return dict(pair for pair in pairs if len(pair) == 2)


def image_environment() -> dict[str, str]:
    return dict(word.split("=", 1) for word in instructions()["ENV"].split())


def image_command(name: str) -> list[str]:
    """Return ENTRYPOINT, CMD or HEALTHCHECK as lists."""
    words: list[str] = json.loads(instructions()[name][instructions()[name].index("[") :])
    return words


@dataclass(frozen=True)
class Here:
    """Replaces what exists only among containers (hosts, ports, folders) by its counterpart on this
    machine.
    """

    instead: dict[str, str]

    def text(self, text: str) -> str:
        for there, here in self.instead.items():
            text = text.replace(there, here)
        return text

    def environment(self, service: dict[str, Any]) -> dict[str, str]:
        """Return the image's variables and the service's. From this process it takes only where
        programs are.
        """
        told = image_environment() | service.get("environment", {}) | {"PATH": os.environ["PATH"]}
        return {name: self.text(str(value)) for name, value in told.items()}

    def start(self, service: dict[str, Any], *, log: Path) -> subprocess.Popen[bytes]:
        command = [*image_command("ENTRYPOINT"), *service["command"]]
        with log.open("ab") as file:
            return subprocess.Popen(
                self.words(command),
                env=self.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def run(self, service: dict[str, Any], command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the container of a service, as `docker compose exec` would."""
        return subprocess.run(
            self.words(command),
            env=self.environment(service),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def words(self, command: list[str]) -> list[str]:
        programs = {
            "greenroom": [sys.executable, "-m", "service.commands.main"],
            "python": [sys.executable],
        }
        return [*programs.get(command[0], command[:1]), *(self.text(word) for word in command[1:])]
