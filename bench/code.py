"""Measure how readable the code is: `make measure-code`, or `python -m bench.code [PATH …]`.

Each PATH is a checkout of any project and becomes a column, so that you can compare before and
after. Code is every Python file outside folders named `tests`. Migrations, hidden folders and
virtual environments are left out. Lines are lines that are not blank. Only the standard library is
needed.
"""

import ast
import io
import os
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

PACKAGES = ("service", "worker", "models")
LEFT_OUT = {"migrations", "node_modules", "build", "var"}
LONG = 100
NOTHING = "–"

_TYPE_IGNORED = re.compile(r"#\s*type:\s*ignore")
# Comments for a tool explain nothing to a reader.
_FOR_A_TOOL = re.compile(r"#\s*(type:\s*ignore|noqa|fmt:|ruff:|mypy:|pragma:|!)")


@dataclass(frozen=True)
class Function:
    """A function or method. A function inside another counts by itself and in the outer one."""

    lines: int  # from `def` to its end, with the docstring, without decorators
    characters: int  # of the body, without docstring, indentation and line ends


@dataclass(frozen=True)
class File:
    path: Path  # from the top of the checkout
    lines: int
    long_lines: int
    comments: int
    ignored_types: int
    any_uses: int
    functions: list[Function]

    @property
    def is_test(self) -> bool:
        return "tests" in self.path.parts[:-1]

    @property
    def is_packaged(self) -> bool:
        return self.path.parts[0] in PACKAGES


class Row(NamedTuple):
    name: str
    figure: str


def measure(root: Path) -> list[Row]:
    """Return the table of one checkout. A figure for which the checkout has no files is "–"."""
    files = [read(root, path) for path in python_files(root)]
    code = [file for file in files if not file.is_test]
    tests = [file for file in files if file.is_test]
    packaged = [file for file in code if file.is_packaged]
    functions = [function for file in code for function in file.functions]
    lines = sum(file.lines for file in code)
    test_lines = sum(file.lines for file in tests)
    long_lines = sum(file.long_lines for file in code)
    comments = sum(file.comments for file in code)
    return [
        Row("function length in lines, median / p90", _lengths(functions)),
        Row("characters per function body, median", _characters(functions)),
        Row("lines over 100 characters, %", _ratio(100 * long_lines, lines, digits=2)),
        Row("comments per 100 lines", _ratio(100 * comments, lines, digits=1)),
        Row("uses of Any in service, worker, models", str(sum(file.any_uses for file in packaged))),
        Row("uses of Any in all code", str(sum(file.any_uses for file in code))),
        Row("`# type: ignore` in code", str(sum(file.ignored_types for file in code))),
        Row("`# type: ignore` in tests", str(sum(file.ignored_types for file in tests))),
        Row("lines of code", f"{lines:,}"),
        Row("lines of tests", f"{test_lines:,}"),
        Row("tests ÷ code, lines", _ratio(test_lines, lines, digits=2)),
        *folder_rows(packaged),
    ]


def python_files(root: Path) -> Iterator[Path]:
    """Every Python file of a checkout, in order, except those that are left out."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if _is_own(Path(folder, name)))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


def read(root: Path, path: Path) -> File:
    source = path.read_text(encoding="utf-8")
    lines = source.split("\n")
    tree = ast.parse(source, filename=str(path))
    comments = _comments(source)
    return File(
        path=path.relative_to(root),
        lines=sum(1 for line in lines if line.strip()),
        long_lines=sum(1 for line in lines if len(line) > LONG),
        comments=sum(1 for comment in comments if not _FOR_A_TOOL.match(comment)),
        ignored_types=sum(1 for comment in comments if _TYPE_IGNORED.search(comment)),
        any_uses=sum(1 for node in ast.walk(tree) if _is_any(node)),
        functions=list(_functions(tree, lines)),
    )


def folder_rows(files: Sequence[File]) -> list[Row]:
    """How many files each folder of the packages holds directly. `__init__.py` does not count."""
    folders = Counter(file.path.parent for file in files if file.path.name != "__init__.py")
    return [
        Row(f"files in {folder.as_posix()}/", str(count))
        for folder, count in sorted(folders.items())
    ]


def main(paths: Sequence[str]) -> None:
    """Print a Markdown table with one column for each checkout."""
    roots = [Path(path) for path in paths] or [Path()]
    columns = [dict(measure(root)) for root in roots]
    names = dict.fromkeys(name for column in columns for name in column)
    print("| |", *(f"{root.resolve().name} |" for root in roots))
    print("|---|" + "---|" * len(roots))
    for name in names:
        print(f"| {name} |", *(f"{column.get(name, NOTHING)} |" for column in columns))


def _is_own(folder: Path) -> bool:
    if folder.name in LEFT_OUT or folder.name.startswith("."):
        return False
    return not (folder / "pyvenv.cfg").exists()


def _comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def _is_any(node: ast.AST) -> bool:
    """Whether this is `Any` or `typing.Any` anywhere outside an import.

    It is nearly always an annotation, or an alias such as `Fields = dict[str, Any]`.
    """
    if isinstance(node, ast.Attribute):
        return node.attr == "Any"
    return isinstance(node, ast.Name) and node.id == "Any"


def _functions(tree: ast.AST, lines: Sequence[str]) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            last = node.end_lineno or node.lineno
            body = node.body if ast.get_docstring(node) is None else node.body[1:]
            yield Function(
                lines=last - node.lineno + 1,
                characters=_length(body[0], lines[:last]) if body else 0,
            )


def _length(first: ast.stmt, lines: Sequence[str]) -> int:
    """Count the characters from a statement to the last of these lines, without indentation."""
    decorators: list[ast.expr] = getattr(first, "decorator_list", [])
    start = min([first.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    beside = lines[start][first.col_offset :]  # `def f(): return 1` has its body on the same line
    return sum(len(line.strip()) for line in [beside, *lines[start + 1 :]])


def _lengths(functions: Sequence[Function]) -> str:
    lengths = [function.lines for function in functions]
    if len(lengths) < 2:
        return NOTHING
    ninetieth = quantiles(lengths, n=10, method="inclusive")[-1]
    return f"{median(lengths):.0f} / {ninetieth:.0f}"


def _characters(functions: Sequence[Function]) -> str:
    """Functions that are only a docstring do not count."""
    bodies = [function.characters for function in functions if function.characters]
    return f"{median(bodies):.0f}" if bodies else NOTHING


def _ratio(count: int, total: int, digits: int) -> str:
    return f"{count / total:.{digits}f}" if total else NOTHING


if __name__ == "__main__":
    main(sys.argv[1:])
