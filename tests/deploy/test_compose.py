"""Whether the container files do what they claim, as far as a test can tell without a container
engine.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from tests.deploy.composed import (
    DOCKERFILE,
    FILE,
    ROOT,
    filled,
    image_command,
    instructions,
    services,
)

VARIABLES = {
    "POSTGRES_PASSWORD": "secretofpostgres",
    "VALKEY_PASSWORD": "secretofvalkey",
    "GREENROOM_PUBLIC_URL": "https://comments.paper.example",
}
OURS = ("web", "worker", "migrate")


@pytest.fixture
def composed() -> dict[str, Any]:
    return services(VARIABLES)


def test_the_compose_file_holds_to_the_specification() -> None:
    merged = yaml.safe_load(filled(FILE.read_text(), VARIABLES))
    compose_spec.PyCompose.from_json(json.dumps(merged)).to_spec()


def test_compose_itself_takes_it_where_it_is_installed(tmp_path: Path) -> None:
    if (compose := _compose()) is None:
        pytest.skip("docker compose is not installed: on Debian, the package docker-compose")
    version = subprocess.run(
        [*compose, "version", "--short"], capture_output=True, text=True, check=True
    ).stdout
    file = _for_compose_1(tmp_path / FILE.name) if version.startswith("1.") else FILE
    command = [*compose, "--file", str(file), "config", "--quiet"]
    done = subprocess.run(command, env=VARIABLES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _compose() -> list[str] | None:
    """Return Docker's plugin, or the standalone program."""
    for command in (["docker", "compose"], ["docker-compose"]):
        program = shutil.which(command[0])
        if (
            program
            and not subprocess.run(
                [program, *command[1:], "version"], capture_output=True, check=False
            ).returncode
        ):
            return [program, *command[1:]]
    return None


def _for_compose_1(file: Path) -> Path:
    """Debian 12 has Python's compose, which knows everything in our file except two keys."""
    text = FILE.read_text()
    for newer in ("name: greenroom\n", ", restart: true"):
        assert text.count(newer) == 1
        text = text.replace(newer, "")
    file.write_text(text)
    return file


def test_the_dockerfile_has_no_lint() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_variables_without_a_safe_default_are_required(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        services({key: value for key, value in VARIABLES.items() if key != name})


def test_no_secret_is_in_a_file() -> None:
    for line in (FILE.read_text() + DOCKERFILE.read_text()).splitlines():
        if (
            re.search(r"password|secret|auth", line.partition("#")[0], re.IGNORECASE)
            and "no-new-priv" not in line
        ):
            assert "_PASSWORD:?}" in line or line.strip() == "- --requirepass", line


def test_every_service_has_limits_a_health_check_and_time_to_end(composed: dict[str, Any]) -> None:
    for name, service in composed.items():
        assert "mem_limit" in service, name
        if name != "migrate":  # it ends by itself
            assert "stop_grace_period" in service, name
            assert service.get("restart") == "unless-stopped", name
            assert name == "web" or "test" in service["healthcheck"], name  # the image has web's


def test_services_that_strangers_reach_write_only_to_volumes_and_have_no_privileges(
    composed: dict[str, Any],
) -> None:
    for name in ("front", *OURS):
        service = composed[name]
        assert service["read_only"], name
        assert service["tmpfs"] == ["/tmp"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert composed["front"]["user"] == "nginx"
    assert instructions()["USER"] == "10001:10001"
    assert all(volume.endswith(":ro") for volume in composed["front"]["volumes"])


def test_only_the_front_is_reachable_and_the_stores_reach_no_network(
    composed: dict[str, Any],
) -> None:
    assert [name for name, service in composed.items() if "ports" in service] == ["front"]
    assert composed["front"]["ports"] == ["127.0.0.1:8000:8080"]
    for name in ("postgres", "valkey"):
        assert composed[name]["networks"] == ["stores"]
    assert "networks:\n  outside:\n  stores: {internal: true}" in FILE.read_text()


def test_stored_data_is_in_named_volumes(composed: dict[str, Any]) -> None:
    assert composed["postgres"]["volumes"] == [
        "database:/var/lib/postgresql"
    ]  # the folder that postgres:18 wants
    assert composed["valkey"]["volumes"] == ["queue:/data"]
    for name in OURS:
        assert composed[name]["volumes"] == ["keys:/data", "published:/published"]


def test_the_image_takes_the_locked_versions_only() -> None:
    text = DOCKERFILE.read_text()
    assert "ARG PYTHON_VERSION=" in text
    assert "--require-hashes -r requirements.lock" in text
    assert (image_command("ENTRYPOINT"), image_command("CMD")) == (["greenroom"], ["serve"])
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()  # everything else is left out


def test_readme_sets_variables_without_default_and_names_existing_services(
    composed: dict[str, Any],
) -> None:
    readme = (ROOT / "README.md").read_text()
    given = re.findall(
        r"^([A-Z_]+)=", readme.partition("cat > .env <<END")[2].partition("END")[0], re.MULTILINE
    )
    assert set(VARIABLES) <= set(given)
    assert all(f"${{{name}:" in FILE.read_text() for name in given)
    pages = readme + "".join(page.read_text() for page in (ROOT / "operations").glob("*.md"))
    named = re.findall(
        (
            r"docker compose (?:exec|restart|logs(?: --since \w+)?|run --rm(?: -T --entrypoint "
            r"sh)?) (\w+)"
        ),
        pages,
    )
    assert {"web", "worker"} <= set(named) <= set(composed)
