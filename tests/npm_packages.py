"""Test suites by others, which make test installs with npm (tests/npm/package.json)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(sys.prefix) / "npm" / "node_modules"


def npm_package(name: str) -> Path:
    """Return the folder of a package. Skip the test if npm is missing."""
    folder = FOLDER / name
    if not folder.is_dir():
        pytest.skip(
            f"{name} is not installed: on Debian, install the packages nodejs and npm, then "
            "run make test"
        )
    return folder
