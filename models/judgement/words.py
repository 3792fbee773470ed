"""Find the owner's words and patterns in a stranger's text, however they are disguised.

Words are compared in the form that `readings` returns, and only as a whole: "cialis" is not in
"specialist". In scripts without spaces between words (Chinese, Japanese, Thai …) the word may be
anywhere. All words of a list together cost one look into a table per word of the comment, so 5,000
are as fast as five. Patterns go through RE2, which is never slow.

| written | found as "viagra" |
|---|---|
| v.i.a.g.r.a, v i a g r a, via-gra, via_gra_, v*iagra | yes: signs between pieces do not count |
| viagras | with `plurals`: one ending, -s, -es or -ies |
| v1agra, vi@gra, viagra2 | with `digits_as_letters` |
| via gra | as `split` says: the space may be innocent, so the default is to hold |
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain

import re2

from models.judgement import disguises
from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import WordsPolicy
from models.text.cleaning import normalized
from models.text.folding import fold, readings
from models.text.markdown import shown

_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_DRESSED = re.compile(
    r"[*`~\\[&]"
)  # characters that Markdown removes or turns into a letter: c**asi**no, c&#97;sino
_SHOWN = 5
# If a table has only this many entries for each length, searching for them one by one takes less
# time than looking up each piece of the text.
_FEW = 8
_PLURAL = 3  # an entry needs this many letters to have a plural: "as" does not match "ass"
_UNDIGITED = 3  # an entry needs this many letters to be found written with digits


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    return [_evidence(candidate) for candidate in batch]


def problems(words: WordsPolicy) -> list[str]:
    """Return what is wrong with a site's lists, in words for their owner; empty if everything can
    be searched for.
    """
    return [
        *(problem for entry in (*words.blocked, *words.held) if (problem := _entry_problem(entry))),
        *(
            f"“{pattern}” is not a valid RE2 pattern: {error}"
            for pattern in (*words.blocked_patterns, *words.held_patterns)
            if (error := _pattern_error(pattern))
        ),
    ]


def uses(entries: Sequence[str], fields: Sequence[str], words: WordsPolicy) -> list[str]:
    """Return the entries that a text uses, as the list spells them, except those split by a
    space.
    """
    return _List.of(tuple(entries), (), words.plurals, words.digits_as_letters).words_in(
        _Text(fields)
    )


def _evidence(candidate: Candidate) -> Evidence:
    words = candidate.policy.words
    if not any((words.blocked, words.held, words.blocked_patterns, words.held_patterns)):
        return Evidence(check="words", outcome=Outcome.CLEAR, detail="this site has no word lists")
    seen = shown(candidate.body) if _DRESSED.search(candidate.body) else ""
    text = _Text((candidate.body, seen, candidate.name, candidate.website or ""))
    plurals, digits = words.plurals, words.digits_as_letters
    blocked = _List.of(words.blocked, words.blocked_patterns, plurals, digits)
    held = _List.of(words.held, words.held_patterns, plurals, digits)
    found = _found(text, blocked, held, looks_across_blanks=words.split != "ignore")
    if found:
        return Evidence(
            check="words", outcome=Outcome.FOUND, detail="; ".join(found.values()), found=found
        )
    if broken := [*blocked.broken, *held.broken]:
        detail = f"could not look for {_quoted(broken)}: not a valid RE2 pattern"
        return Evidence(check="words", outcome=Outcome.UNAVAILABLE, detail=detail)
    return Evidence(check="words", outcome=Outcome.CLEAR, detail="no listed words")


def _found(
    text: _Text, blocked: _List, held: _List, *, looks_across_blanks: bool
) -> dict[str, str]:
    """Return a sentence for each kind of word that the text uses."""
    in_blocked, in_held = blocked.words_in(text), held.words_in(text)
    split: list[str] = []
    if looks_across_blanks:
        whole = {*in_blocked, *in_held}
        across = (*blocked.split_in(text), *held.split_in(text))
        split = [entry for entry in across if entry not in whole]
    sentences = {
        "blocked": _sentence("blocked", in_blocked, blocked.patterns_in(text)),
        "held": _sentence("held", in_held, held.patterns_in(text)),
        "split": _split_sentence(split),
    }
    return {kind: sentence for kind, sentence in sentences.items() if sentence}


def _sentence(kind: str, words: list[str], patterns: list[str]) -> str:
    parts = []
    if words:
        parts.append(f"uses the {kind} {'word' if len(words) == 1 else 'words'} {_quoted(words)}")
    if patterns:
        parts.append(
            f"matches the {kind} {'pattern' if len(patterns) == 1 else 'patterns'} "
            f"{_quoted(patterns)}"
        )
    return " and ".join(parts)


def _split_sentence(words: list[str]) -> str:
    noun = "word" if len(words) == 1 else "words"
    return f"may contain the listed {noun} {_quoted(words)} with a space inside" if words else ""


def _quoted(entries: Sequence[str]) -> str:
    rest = len(entries) - _SHOWN
    return ", ".join(f"“{entry}”" for entry in entries[:_SHOWN]) + (
        f" and {rest} more" if rest > 0 else ""
    )


class _Reading:
    """One reading of a text, split into words."""

    def __init__(self, folded: str) -> None:
        self.folded = folded
        self.in_order, odd = disguises.parts(folded)
        self._odd = " ".join(odd)

    @cached_property
    def words(self) -> set[str]:
        """Every word, including those that result from closing up "c.a.s.h" and "ca-sh"."""
        return {*self.in_order, *self.spelled_out, *self._joined}

    @cached_property
    def skeletons(self) -> set[str]:
        """The possible readings of the words in which digits stand for letters."""
        words = chain(disguises.signed_words(self._odd), self._joined, self.spelled_out)
        return set().union(*map(disguises.undigited, words))

    @cached_property
    def skeleton_words(self) -> list[str]:
        return disguises.skeletons(self.folded)

    @cached_property
    def spelled_out(self) -> list[str]:
        return disguises.spelled_out(self.in_order)

    @cached_property
    def may_stand_for_letters(self) -> bool:
        return any(map(disguises.may_stand_for_letters, (self._odd, *self.spelled_out)))

    @cached_property
    def _joined(self) -> set[str]:
        return {whole for chunk in self._odd.split() for whole in disguises.joined(chunk)}


@lru_cache(32)  # two checks ask for the same comment
def _reading(folded: str) -> _Reading:
    return _Reading(folded)


class _Text:
    """A comment's text, prepared for searching. No phrase extends from one field into the next."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = list(dict.fromkeys(field for field in fields if field))
        folded = chain.from_iterable(map(readings, self._fields))
        self._readings = list(map(_reading, dict.fromkeys(folded)))
        self.in_order = [reading.in_order for reading in self._readings]

    @cached_property
    def words(self) -> set[str]:
        return set().union(*(reading.words for reading in self._readings))

    @cached_property
    def skeletons(self) -> set[str]:
        return set().union(*(reading.skeletons for reading in self._readings))

    @cached_property
    def skeleton_words(self) -> list[list[str]]:
        return [reading.skeleton_words for reading in self._readings]

    @cached_property
    def spelled_out(self) -> list[str]:
        return list(chain.from_iterable(reading.spelled_out for reading in self._readings))

    @cached_property
    def across_blanks(self) -> set[str]:
        return set().union(*map(disguises.across_blanks, self.in_order))

    @cached_property
    def rare_across_blanks(self) -> set[str]:
        return set().union(*map(disguises.rare_across_blanks, self.in_order))

    @cached_property
    def may_stand_for_letters(self) -> bool:
        return any(reading.may_stand_for_letters for reading in self._readings)

    @cached_property
    def unspaced(self) -> bytes:
        """The text without spaces; empty if it uses no script without spaces between words."""
        unspaced = "\n".join("".join(reading.folded.split()) for reading in self._readings)
        return unspaced.encode() if _UNSPACED.search(unspaced) else b""

    @cached_property
    def original(self) -> list[bytes]:
        return [normalized("NFC", field).encode() for field in self._fields]


@dataclass
class _Table:
    """Single words, phrases by their number of words, and beginnings also by their length."""

    whole: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    starts: dict[int, dict[int, dict[str, str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    firsts: set[str] = field(default_factory=set)

    def add(self, words: Sequence[str], entry: str) -> None:
        text = " ".join(words)
        if entry.endswith("*"):
            self.starts[len(words)][len(text)][text] = entry
        else:
            self.whole[len(words)].setdefault(text, entry)
        if len(words) > 1:
            self.firsts.add(words[0])

    def words_in(self, words: set[str]) -> set[str]:
        return self._at(1, words)

    def phrases_in(self, lists: Iterable[Sequence[str]]) -> set[str]:
        places = [
            (words, at) for words in lists for at, word in enumerate(words) if word in self.firsts
        ]
        found: set[str] = set()
        for length in {*self.whole, *self.starts} - {1}:
            found |= self._at(length, {" ".join(words[at : at + length]) for words, at in places})
        return found

    def _at(self, length: int, runs: set[str]) -> set[str]:
        found = set(_at(self.whole[length], runs)) if length in self.whole else set()
        for size, entries in self.starts[length].items() if length in self.starts else ():
            found.update(_at(entries, {run[:size] for run in runs}))
        return found

    def entries_within(self, runs: Sequence[str]) -> set[str]:
        """Return the single words that a run of letters contains anywhere."""
        entries, letters = self._single
        sizes = {len(entry) for entry in entries if len(entry) >= disguises.SPELLED_OUT}
        if len(entries) <= _FEW * len(sizes):
            return _entries_in(" ".join(runs), entries, sizes)
        own = [part for run in runs for part in "".join(_or_blank(run, letters)).split()]
        pieces = {
            run[at : at + size]
            for run in own
            for size in sizes
            for at in range(len(run) - size + 1)
        }
        return set(_at(entries, pieces))

    @cached_property
    def _single(self) -> tuple[dict[str, str], set[str]]:
        """Return the single words, and the letters that they use. Call this when the table is
        complete.
        """
        starts = list(self.starts[1].values()) if 1 in self.starts else []
        entries = dict(chain(self.whole.get(1, {}).items(), *(each.items() for each in starts)))
        return entries, set().union(*entries)


def _entries_in(text: str, entries: dict[str, str], sizes: set[int]) -> set[str]:
    return {entry for word, entry in entries.items() if len(word) in sizes and word in text}


def _or_blank(run: str, letters: set[str]) -> Iterable[str]:
    return (letter if letter in letters else " " for letter in run)


class _List:
    """One list, prepared for searching."""

    @staticmethod
    @lru_cache(maxsize=128)
    def of(
        entries: tuple[str, ...], patterns: tuple[str, ...], plurals: bool, digits: bool
    ) -> _List:
        return _List(entries, patterns, plurals=plurals, digits=digits)

    def __init__(
        self, entries: tuple[str, ...], patterns: tuple[str, ...], *, plurals: bool, digits: bool
    ) -> None:
        self._table, self._skeletons = _Table(), _Table()
        self._plurals, self._digits = plurals, digits
        self._anywhere: dict[bytes, str] = {}
        for entry in entries:
            self._add(entry)
        longest_first = sorted(self._anywhere, key=len, reverse=True)
        self._any = (
            re2.compile(b"|".join(map(re2.escape, longest_first)), _options())
            if longest_first
            else None
        )
        self._patterns = {
            pattern: _compiled(pattern) for pattern in patterns if not _pattern_error(pattern)
        }
        self.broken = [pattern for pattern in patterns if pattern not in self._patterns]

    def _add(self, entry: str) -> None:
        words = _words(entry)
        if not words:
            return
        if _UNSPACED.search(entry):
            self._anywhere["".join(words).encode()] = entry
            return
        *first, last = words
        endings = [last, *_plurals(last)] if self._plurals and not entry.endswith("*") else [last]
        for ending in endings:
            self._table.add([*first, ending], entry)
            if self._digits and sum(map(len, words)) >= _UNDIGITED:
                self._skeletons.add([disguises.skeleton(word) for word in (*first, ending)], entry)

    def words_in(self, text: _Text) -> list[str]:
        """Return the entries that the text uses, as the owner wrote them."""
        found = self._table.words_in(text.words)
        if not self._table.firsts.isdisjoint(text.words):
            found |= self._table.phrases_in(text.in_order)
        if text.spelled_out:
            found |= self._table.entries_within(text.spelled_out)
        if self._digits and text.may_stand_for_letters:
            found |= self._skeletons.words_in(text.skeletons)
            if self._skeletons.firsts:
                found |= self._skeletons.phrases_in(text.skeleton_words)
            found |= self._skeletons.entries_within(
                [disguises.skeleton(run) for run in text.spelled_out]
            )
        if self._any and text.unspaced:
            found.update(
                self._anywhere[match.group()] for match in self._any.finditer(text.unspaced)
            )
        return sorted(found)

    def split_in(self, text: _Text) -> list[str]:
        """Return the entries that the text may use with a space inside."""
        entries = self._table.whole.get(1, {})
        wholes = [
            whole for whole in entries.keys() & text.across_blanks if len(whole) >= disguises.SPLIT
        ]
        return sorted({entries[whole] for whole in wholes if whole in text.rare_across_blanks})

    def patterns_in(self, text: _Text) -> list[str]:
        return [
            pattern
            for pattern, compiled in self._patterns.items()
            if any(compiled.search(field) for field in text.original)
        ]


def _at(entries: dict[str, str], keys: set[str]) -> Iterable[str]:
    return [entries[key] for key in entries.keys() & keys]


def _words(entry: str) -> list[str]:
    return disguises.parts(fold(entry)).words


def _plurals(word: str) -> list[str]:
    """Return a word's plural by its ending: casinos, boxes, lotteries."""
    if len(word) < _PLURAL or not (word.isascii() and word.isalpha()):
        return []
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return [f"{word}es"]
    if word.endswith("y") and word[-2] not in "aeiou":
        return [f"{word}s", f"{word[:-1]}ies"]
    return [f"{word}s", f"{word}es"] if word.endswith("o") else [f"{word}s"]


def _entry_problem(entry: str) -> str:
    if "*" in entry.removesuffix("*"):
        return f"“{entry}”: * is allowed only at the end"
    return "" if _words(entry) else f"“{entry}” must contain a letter or a digit"


def _pattern_error(pattern: str) -> str:
    try:
        _compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return ""


def _compiled(pattern: str) -> re2._Regexp:
    """Compile the pattern as bytes, so that the wrapper need not count characters."""
    return re2.compile(normalized("NFC", pattern).encode(), _options())


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options
