"""Whether the links, headings, and paths in the guides exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = [
    *(ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").glob("*.md")),
    *sorted((ROOT / "operations").glob("*.md")),
    ROOT / "models" / "spam" / "base.md",
]
TOPS = "service|worker|models|tests|bench|docs|deploy|operations|examples"
by_name = pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))


@by_name
def test_every_path_that_a_guide_names_exists(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{TOPS})/[\w./-]*)[`:]", text)
    assert [path for path in named if not _is_there(path)] == []


@by_name
def test_every_link_of_a_guide_leads_somewhere(guide: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", guide.read_text(encoding="utf-8")):
        if target.startswith(("https://", "http://")):
            continue
        name, _, heading = target.partition("#")
        page = (guide.parent / name) if name else guide
        assert page.exists(), target
        assert not heading or heading in _headings(page), target


def test_every_decision_is_in_the_index_with_its_own_number() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    assert len({page.name[:4] for page in pages}) == len(pages)
    for page in pages:
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"| [{page.name[:4]}]({page.name}) | {title} |" in index


def _is_there(path: str) -> bool:
    """Whether it exists. NAME is a placeholder."""
    return "NAME" in path or (ROOT / path).exists()


def _headings(page: Path) -> set[str]:
    """Return the headings as GitHub's fragments."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
