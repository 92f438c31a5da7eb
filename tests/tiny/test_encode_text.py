"""Sentences through the bundled text encoder and the real command."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, MIKELS8
from gen.bundled import astronaut
from gen.encode_batch import rows
from gen.senses import Senses

ROOT = Path(__file__).parents[2]
SENTENCES = ["I am so happy!", "", "This is disgusting.", "😂😂", "\u0000\u202e", "ok " * 30_000]


@pytest.fixture(scope="module")
def encoders() -> Iterator[Senses]:
    with Senses() as found:
        yield found


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gen.encode", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_sentence_gets_all_vocabularies(encoders: Senses) -> None:
    found = list(rows(SENTENCES, "text", encoders, cropped=False, policy="blend"))
    assert [row["input"] for row in found] == SENTENCES
    for row in found:
        assert set(row["goemotions28"]) == set(GOEMOTIONS28.labels)
        assert (set(row["face8"]), set(row["mikels8"])) == (set(FACE8.labels), set(MIKELS8.labels))
        assert all(-1 <= row[name] <= 1 for name in ("valence", "arousal", "dominance"))
        assert 0 <= row["confidence"] <= 1
    assert max(found[0]["face8"], key=found[0]["face8"].get) == "happiness"
    assert max(found[2]["face8"], key=found[2]["face8"].get) == "disgust"
    assert "joy" in found[0]["labels"]


def test_where_there_is_nothing_to_read_the_confidence_is_0(encoders: Senses) -> None:
    found = list(rows(["", "   ", "\u200b"], "text", encoders, cropped=False, policy="blend"))
    assert [row["confidence"] for row in found] == [0, 0, 0]


def test_the_answers_do_not_depend_on_their_neighbours(encoders: Senses) -> None:
    together = list(rows(SENTENCES[:4], "text", encoders, cropped=False, policy="blend"))
    alone = [next(rows([text], "text", encoders, cropped=False, policy="blend")) for text in SENTENCES[:4]]
    for one, other in zip(together, alone, strict=True):
        assert one["face8"] == pytest.approx(other["face8"], abs=2e-5)


def test_the_command_reads_from_a_pipe_line_by_line() -> None:
    answer = run("--batch", "-", "--as", "text", stdin="I love you\nI hate you\n")
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (answer.returncode, answer.stderr) == (0, "")
    assert [row["input"] for row in found] == ["I love you", "I hate you"]
    assert found[0]["valence"] > found[1]["valence"]


def test_words_and_a_face_are_fused_and_who_decides_is_told(tmp_path: Path) -> None:
    path = tmp_path / "smile.png"
    Image.fromarray(astronaut()).save(path)
    answer = run("--text", "I am so sad, my dog died.", "--image", str(path), "--json")
    found = json.loads(answer.stdout)
    assert answer.returncode == 0, answer.stderr
    assert [one["modality"] for one in found["senses"]] == ["text", "face"]
    assert found["conflict"]["between"] == ["text", "face"]
    assert set(found["decides"]) == {"text", "face"}
    asked = run("--text", "I am so sad, my dog died.", "--image", str(path), "--policy", "ask")
    assert asked.returncode == 1
    assert "contradict each other" in asked.stderr
    told = run("--text", "I am so sad, my dog died.", "--image", str(path), "--policy", "text")
    assert "the text was followed" in told.stdout
