"""What the README tells a reader to run exists."""

import re
from pathlib import Path

import pytest

from gen.weights import read_lock

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
MODULES = sorted(set(re.findall(r"python -m ((?:gen|demo)[\w.]*)", README)))
TARGETS = sorted(set(re.findall(r"(?:^|`)make ([a-z]+)\b", README, re.MULTILINE)))
FILES = sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)|<img src=\"([^\"]+)\"", README)))


@pytest.mark.parametrize("module", MODULES)
def test_a_command_it_names_exists(module: str) -> None:
    path = ROOT / module.replace(".", "/")
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_it_names_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("link", [a or b for a, b in FILES])
def test_a_file_it_links_exists(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_first_screen_is_a_sentence_a_picture_and_two_commands() -> None:
    first = "\n".join(README.splitlines()[:24])
    assert ("make render" in first, "make test" in first, "docs/first-light" in first) == (True, True, True)


def test_the_picture_is_small_enough_to_load_at_once() -> None:
    pictures = sorted((ROOT / "docs").glob("first-light.*"))
    assert [picture.stat().st_size < 2_000_000 for picture in pictures] == [True]


def test_every_weights_file_stands_in_the_table_of_licences() -> None:
    absent = [w.name for w in read_lock().weights if (w.package or w.file) not in README]
    assert absent == []
