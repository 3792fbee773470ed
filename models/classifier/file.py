"""The paths of the model files, for processes that never score: this module imports no numpy."""

from __future__ import annotations

from pathlib import Path

from models.judgement.scores import ABUSE, SPAM
from models.settings import settings

_MODELS = Path(__file__).parents[1]
BASE = _MODELS / SPAM / "base.npz"


def shipped(score: str) -> Path:
    """Return the path of the base model that ships with Greenroom."""
    return _MODELS / score / "base.npz"


def model_path(score: str = SPAM) -> Path:
    """Return the path that `GREENROOM_SPAM_MODEL` or `GREENROOM_ABUSE_MODEL` names, or that of the
    model that ships.
    """
    named = {SPAM: settings().spam_model, ABUSE: settings().abuse_model}
    return Path(named[score] or shipped(score))
