"""`python -m worker.screening.isolated`: an isolator as a separate program, which reads requests
from standard input.
"""

from __future__ import annotations

import os
import sys

from models.logs import configure_logs
from models.store import deadlines
from worker.screening.isolation import serve
from worker.screening.screening import IN_ISOLATION, load_late_parts, warm

if __name__ == "__main__":
    answers = os.dup(sys.stdout.fileno())
    os.dup2(
        sys.stderr.fileno(), sys.stdout.fileno()
    )  # printed text must not be mistaken for an answer
    configure_logs()
    deadlines.be_patient(deadlines.WORKER_PATIENCE)
    warm()
    load_late_parts()
    serve(sys.stdin.fileno(), answers, IN_ISOLATION)
