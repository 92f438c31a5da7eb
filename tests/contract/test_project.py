"""The project file, the pins and the licences agree with one another."""

import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
)
EXTRAS = PROJECT["project"]["optional-dependencies"]
WANTED = [Requirement(text) for text in [*PROJECT["project"]["dependencies"], *EXTRAS["dev"], *EXTRAS["gpu"]]]


@pytest.mark.parametrize("wanted", WANTED, ids=lambda requirement: requirement.name)
def test_a_dependency_is_pinned_within_its_range(wanted: Requirement) -> None:
    pins = {name.lower(): pin for name, pin in PINS.items()}
    assert wanted.specifier.contains(pins[wanted.name.lower()])


def test_both_opencv_wheels_are_the_same() -> None:
    assert PINS["opencv-python"] == PINS["opencv-contrib-python"]


def test_what_is_installed_is_what_is_pinned() -> None:
    for name in ("torch", "numpy", "mediapipe", "protobuf", "opencv-python", "av"):
        assert version(name).split("+")[0] == PINS[name]


def test_the_changelog_knows_this_version() -> None:
    assert re.search(
        rf"^## {re.escape(PROJECT['project']['version'])}\b", (ROOT / "CHANGELOG.md").read_text(), re.M
    )


def test_the_licence_is_apache_2() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8").splitlines()[0]


def test_ci_runs_the_same_check_as_a_developer() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").rstrip().endswith("make test")


def test_every_noqa_says_why() -> None:
    sources = [
        path
        for package in ("demo", "gen", "pipelines", "emotion_encoders")
        for path in (ROOT / package).rglob("*.py")
    ]
    bare = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sources
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"# noqa(: ?[A-Z0-9, ]+)?\s*$", line)
    ]
    assert bare == []
