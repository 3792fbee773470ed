"""A model's card as a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel


class Saved(BaseModel):
    """What the cards of all scores share. `indent` is how deep the JSON is indented."""

    indent: ClassVar[int] = 2

    def save(self, path: Path) -> None:
        """Write the card as JSON."""
        content = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        written = json.dumps(content, indent=self.indent, ensure_ascii=False)
        path.write_text(f"{written}\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a card. Raises ValueError if it is none."""
        return cls.model_validate_json(path.read_bytes())
