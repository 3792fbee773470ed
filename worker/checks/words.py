"""The owner's words and patterns, found in what a stranger wrote however it is dressed up.

Words are compared as `fold` leaves them and only whole: "cialis" is not in "specialist". Scripts that put no blanks
between words (Chinese, Japanese, Thai …) are searched for the word anywhere. All of a list's words cost one look into
a table per word of the comment, so 5,000 of them are as quick as five; patterns go through RE2, which is never slow.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from unicodedata import category

import re2

from models.evidence import Evidence, Outcome
from models.folding import fold
from models.markdown import shown
from models.policy import WordsPolicy
from models.text import normalized
from worker.checks.candidate import Candidate

# Letters, digits and the marks of scripts that write vowels as marks (no \w to Python); "_" is Markdown, not a letter.
_MARKS = "".join(chr(code) for code in range(0x0300, 0x3100) if category(chr(code)).startswith("M"))
_WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_DRESSED = re.compile(r"[*`~\\[&]")  # what Markdown takes away or makes another letter of: c**asi**no, c&#97;sino
_SPELLED_OUT = 4  # letters: "c.a.s.h" and "c a s h" are cash
_SHOWN = 5


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    return [_evidence(candidate) for candidate in batch]


def problems(words: WordsPolicy) -> list[str]:
    """What is wrong with a site's lists, in words for their owner; empty if all of it can be looked for."""
    return [
        *(problem for entry in (*words.blocked, *words.held) if (problem := _entry_problem(entry))),
        *(
            f"“{pattern}” is not a pattern RE2 understands: {error}"
            for pattern in (*words.blocked_patterns, *words.held_patterns)
            if (error := _pattern_error(pattern))
        ),
    ]


def _evidence(candidate: Candidate) -> Evidence:
    words = candidate.policy.words
    listed = any((words.blocked, words.held, words.blocked_patterns, words.held_patterns))
    seen = shown(candidate.body) if listed and _DRESSED.search(candidate.body) else ""
    text = _Text((candidate.body, seen, candidate.name, candidate.website or ""))
    blocked, held = _List.of(words.blocked, words.blocked_patterns), _List.of(words.held, words.held_patterns)
    sentences = {
        kind: _sentence(kind, entries.words_in(text), entries.patterns_in(text))
        for kind, entries in (("blocked", blocked), ("held", held))
    }
    found = {kind: sentence for kind, sentence in sentences.items() if sentence}
    broken = [*blocked.broken, *held.broken]
    if found:
        return Evidence(check="words", outcome=Outcome.FOUND, detail="; ".join(found.values()), found=found)
    if broken:
        detail = f"could not look for {_quoted(broken)}: not a pattern RE2 understands"
        return Evidence(check="words", outcome=Outcome.UNAVAILABLE, detail=detail)
    detail = "none of this site's words" if listed else "this site has no list of words"
    return Evidence(check="words", outcome=Outcome.CLEAR, detail=detail)


def _sentence(kind: str, words: list[str], patterns: list[str]) -> str:
    parts = []
    if words:
        parts.append(f"uses the {kind} {'word' if len(words) == 1 else 'words'} {_quoted(words)}")
    if patterns:
        parts.append(f"matches the {kind} {'pattern' if len(patterns) == 1 else 'patterns'} {_quoted(patterns)}")
    return " and ".join(parts)


def _quoted(entries: Sequence[str]) -> str:
    rest = len(entries) - _SHOWN
    return ", ".join(f"“{entry}”" for entry in entries[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


class _Text:
    """What a comment says, prepared for looking. No phrase runs from one field into the next."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = [field for field in fields if field]
        self._folded = [fold(field) for field in self._fields]
        self._words = [_WORD.findall(folded) for folded in self._folded]
        self._grams: dict[int, set[str]] = {}

    def grams(self, length: int) -> set[str]:
        """Every run of so many words; single ones also as they read once "c.a.s.h" is closed up."""
        if length not in self._grams:
            self._grams[length] = {
                " ".join(words[at : at + length]) for words in self._words for at in range(len(words) - length + 1)
            }
            if length == 1:
                self._grams[1].update(spelled for words in self._words for spelled in _closed_up(words))
        return self._grams[length]

    def unspaced(self) -> bytes:
        return "\n".join("".join(folded.split()) for folded in self._folded).encode()

    def original(self) -> list[bytes]:
        return [normalized("NFC", field).encode() for field in self._fields]


def _closed_up(words: Sequence[str]) -> Iterable[str]:
    """Runs of single letters as the word they spell."""
    run = ""
    for word in (*words, ""):
        if len(word) == 1:
            run += word
            continue
        if len(run) >= _SPELLED_OUT:
            yield run
        run = ""


class _List:
    """One list, ready to be looked for: entries by their number of words, beginnings also by their length."""

    @staticmethod
    @lru_cache(maxsize=128)
    def of(entries: tuple[str, ...], patterns: tuple[str, ...]) -> _List:
        return _List(entries, patterns)

    def __init__(self, entries: tuple[str, ...], patterns: tuple[str, ...]) -> None:
        self._whole: dict[int, dict[str, str]] = defaultdict(dict)
        self._starts: dict[int, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
        self._anywhere: dict[bytes, str] = {}
        for entry in entries:
            self._add(entry)
        longest_first = sorted(self._anywhere, key=len, reverse=True)
        self._any = re2.compile(b"|".join(map(re2.escape, longest_first)), _options()) if longest_first else None
        self._patterns = {pattern: _compiled(pattern) for pattern in patterns if not _pattern_error(pattern)}
        self.broken = [pattern for pattern in patterns if pattern not in self._patterns]

    def _add(self, entry: str) -> None:
        words = _WORD.findall(fold(entry))
        if not words:
            return
        if _UNSPACED.search(entry):
            self._anywhere["".join(words).encode()] = entry
        elif entry.endswith("*"):
            start = " ".join(words)
            self._starts[len(words)][len(start)][start] = entry
        else:
            self._whole[len(words)][" ".join(words)] = entry

    def words_in(self, text: _Text) -> list[str]:
        """The entries that the text uses, as the owner wrote them."""
        found = {entry for length, entries in self._whole.items() for entry in _at(entries, text.grams(length))}
        for length, starts in self._starts.items():
            for size, entries in starts.items():
                found.update(_at(entries, {gram[:size] for gram in text.grams(length)}))
        if self._any:
            found.update(self._anywhere[match.group()] for match in self._any.finditer(text.unspaced()))
        return sorted(found)

    def patterns_in(self, text: _Text) -> list[str]:
        return [
            pattern
            for pattern, compiled in self._patterns.items()
            if any(compiled.search(field) for field in text.original())
        ]


def _at(entries: dict[str, str], keys: set[str]) -> Iterable[str]:
    return [entries[key] for key in entries.keys() & keys]


def _entry_problem(entry: str) -> str:
    if "*" in entry.removesuffix("*"):
        return f"“{entry}”: * may stand only at the end"
    return "" if _WORD.search(fold(entry)) else f"“{entry}” has no letter or digit to look for"


def _pattern_error(pattern: str) -> str:
    try:
        _compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return ""


def _compiled(pattern: str) -> re2._Regexp:
    """Compiled as bytes: the wrapper then need not count characters."""
    return re2.compile(normalized("NFC", pattern).encode(), _options())


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options
