"""Limits on the source that only tighten: lengths, opening sentences, prints, empty packages."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("demo", "gen", "pipelines", "emotion_encoders", "tests")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ENTRY_POINTS = {"gen/render.py", "gen/score.py", "gen/evaluate.py", "gen/bench.py", "gen/first_light.py"}
FILE_LINES, FUNCTION_LINES = 300, 80


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_entry_point(path: Path) -> bool:
    return name(path) in ENTRY_POINTS or path.name == "__main__.py" or path.parent.name == "recipes"


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in SOURCES}


def test_a_file_is_at_most_300_lines() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES} == {}


def test_a_function_is_at_most_80_lines(trees: dict[Path, ast.Module]) -> None:
    long = {
        f"{name(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {where: lines for where, lines in long.items() if lines > FUNCTION_LINES} == {}


def test_every_file_opens_with_a_sentence_and_packages_are_empty(trees: dict[Path, ast.Module]) -> None:
    silent = [
        name(path)
        for path, tree in trees.items()
        if path.name != "__init__.py" and not ast.get_docstring(tree)
    ]
    filled = [name(path) for path in SOURCES if path.name == "__init__.py" and path.stat().st_size]
    assert (silent, filled) == ([], [])


def test_only_entry_points_print(trees: dict[Path, ast.Module]) -> None:
    printing = {
        name(path)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {
        path for path in printing if not is_entry_point(ROOT / path) and not path.startswith("tests/")
    } == set()


def test_there_is_no_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert [name(path) for path in SOURCES if drawers & {path.stem, path.parent.name}] == []
