"""Where the model's file is, for those who only ask: this loads no scikit-learn."""

from __future__ import annotations

from pathlib import Path

from models.settings import settings

BASE = Path(__file__).with_name("base.npz")


def model_path() -> Path:
    """The model that comes with Greenroom, or the one that `GREENROOM_SPAM_MODEL` names."""
    return Path(settings().spam_model or BASE)
