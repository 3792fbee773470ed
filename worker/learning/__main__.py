"""`python -m worker.learning SITE`: train a site's own model, in a process that ends when it is
done, because scikit-learn takes memory that no worker should keep.
"""

from __future__ import annotations

import os
import sys

from models.logs import configure_logs
from worker.learning.training import learn
from worker.lifeline import watch_parent


def main() -> None:
    configure_logs()
    watch_parent()
    os.nice(10)  # readers and moderators come first
    learn(int(sys.argv[1]))


if __name__ == "__main__":
    main()
