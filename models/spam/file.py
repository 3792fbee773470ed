"""The path of the model file, for processes that never score: this module imports no numpy."""

from __future__ import annotations

from pathlib import Path

from models.settings import settings

BASE = Path(__file__).with_name("base.npz")


def model_path() -> Path:
    """Return the path that `GREENROOM_SPAM_MODEL` names, or that of the model that ships."""
    return Path(settings().spam_model or BASE)
