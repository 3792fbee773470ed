"""Granian's main process only supervises the one that answers: each module that it loads is in
memory twice.
"""

import subprocess
import sys


def test_granians_main_process_loads_neither_flask_nor_the_database() -> None:
    code = "import sys, service.gate.serving; print(*{'flask', 'sqlalchemy'} & sys.modules.keys())"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert loaded.stdout.split() == []
