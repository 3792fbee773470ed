"""The figures of `make measure-code`, on a small tree that you can count by hand."""

from pathlib import Path

import pytest

from bench import code

ITEMS = '''\
"""Things."""

from typing import Any

import typing as t

# A full sentence.
Fields = dict[str, Any]


def outer(fields: Fields, other: "int") -> t.Any:
    """Not counted as characters."""

    @inner_first
    def inner() -> None:
        pass  # beside

    return fields  # noqa: RET504


def stub() -> Any: ...


def words():
    """Nothing else."""
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "service/__init__.py": "",
        "service/app.py": ITEMS,
        "service/sites/__init__.py": "",
        "service/sites/a.py": f"x = 1\ny = '{'y' * 100}'\n",
        "service/sites/b.py": "z = 1  # type: ignore[assignment]\n",
        "models/migrations/0001.py": "any = Any\n",
        "bench/load.py": "from typing import Any\n\nload: Any = 1\n",
        "tests/test_app.py": "def test() -> None:  # type: ignore\n\n    assert True\n",
        ".venv/lib.py": "x: Any\n",
        "named/pyvenv.cfg": "",
        "named/lib.py": "x: Any\n",
    }
    for name, source in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return tmp_path


def test_migrations_hidden_folders_and_environments_are_left_out(tree: Path) -> None:
    assert [path.relative_to(tree).as_posix() for path in code.python_files(tree)] == [
        "bench/load.py",
        "service/__init__.py",
        "service/app.py",
        "service/sites/__init__.py",
        "service/sites/a.py",
        "service/sites/b.py",
        "tests/test_app.py",
    ]


def test_functions_are_measured_without_docstring_and_indentation(tree: Path) -> None:
    functions = code.read(tree, tree / "service" / "app.py").functions
    outer = "@inner_first" + "def inner() -> None:" + "pass  # beside"
    outer += "return fields  # noqa: RET504"
    assert functions == [
        code.Function(lines=8, characters=len(outer)),
        code.Function(lines=1, characters=len("...")),
        code.Function(lines=2, characters=0),
        code.Function(lines=2, characters=len("pass  # beside")),
    ]


def test_every_name_of_any_counts_except_in_an_import(tree: Path) -> None:
    assert code.read(tree, tree / "service" / "app.py").any_uses == 3


def test_the_table_of_a_checkout(tree: Path) -> None:
    assert dict(code.measure(tree)) == {
        "function length in lines, median / p90": "2 / 6",
        "characters per function body, median": "14",
        "lines over 100 characters, %": "5.26",
        "comments per 100 lines": "10.5",
        "uses of Any in service, worker, models": "3",
        "uses of Any in all code": "4",
        "`# type: ignore` in code": "1",
        "`# type: ignore` in tests": "1",
        "lines of code": "19",
        "lines of tests": "2",
        "tests ÷ code, lines": "0.11",
        "files in service/": "1",
        "files in service/sites/": "2",
    }


def test_a_checkout_without_python_has_a_table_too(tmp_path: Path) -> None:
    assert dict(code.measure(tmp_path))["tests ÷ code, lines"] == "–"


def test_two_checkouts_stand_side_by_side(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code.main([str(tree / "service"), str(tree)])
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == f"| | service | {tree.name} |"
    assert "| files in service/sites/ | – | 2 |" in rows
