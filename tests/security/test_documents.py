"""The claims of the security documents, as far as a machine can check them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs/security").glob("*.md")), ROOT / "SECURITY.md"]


def known_tests() -> set[str]:
    return {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", page.read_text("utf-8")))
    assert named - known_tests() == set()


def test_every_line_of_the_tables_names_a_test_or_a_reason() -> None:
    for page in (ROOT / "docs/security/threat-model.md", ROOT / "docs/security/asvs.md"):
        rows = re.findall(r"^\|([^|]*)\|([^|]*)\|([^|]*)\|$", page.read_text("utf-8"), re.MULTILINE)
        claims = [
            proof.strip() for *_, proof in rows if not proof.strip().startswith(("test", "-"))
        ]
        assert len(claims) > 20
        for proof in claims:
            assert "`test_" in proof or "Reason" in proof, proof


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), target


def test_the_list_of_parts_is_cyclonedx_and_names_every_locked_package(tmp_path: Path) -> None:
    """The list is written as `make sbom` writes it."""
    file = tmp_path / "sbom.cdx.json"
    command = next(
        line
        for line in (ROOT / "Makefile").read_text("utf-8").splitlines()
        if "cyclonedx_py" in line
    )
    words = (
        command.strip()
        .removeprefix("@")
        .replace("$(BIN)/python", sys.executable)
        .replace("build/", "")
    )
    words = words.replace("sbom.cdx.json", str(file)).replace(
        "requirements.lock", str(ROOT / "requirements.lock")
    )
    words = words.replace("pyproject.toml", str(ROOT / "pyproject.toml"))
    subprocess.run(words.split(), check=True, capture_output=True)
    content = file.read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content) is None
    listed = {part["name"].lower() for part in orjson.loads(content)["components"]}
    locked = set(
        re.findall(
            r"^([a-z0-9_.-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE
        )
    )
    assert locked == listed
