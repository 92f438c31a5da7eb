"""What a score says and leaves unsaid; requests that are refused before anything is loaded."""

import json
from pathlib import Path

import pytest

from emotion_encoders.agreement import Agreement
from emotion_encoders.emotion import Emotion
from emotion_encoders.track import EmotionTrack
from gen.score import (
    Score,
    Scoring,
    Witness,
    agreement_text,
    as_json,
    as_text,
    problems,
    recorded_track,
    view,
)

HAPPY, SAD = Emotion.of("happiness"), Emotion.of("sadness")


WITNESS = Witness("judge", None, "judge-ferplus", 0.79, 3200)  # pyright: ignore[reportArgumentType]


def score(*emotions: Emotion | None, wanted: str | None = None) -> Score:
    track = EmotionTrack.parse(wanted) if wanted else None
    found = sum(emotion is not None for emotion in emotions)
    views = (view(WITNESS, emotions, track, 25),)
    return Score(
        Path("a.mp4"), 25, len(emotions), found, track, "--emotion" if wanted else "nothing says it", views
    )


def test_unknown_stays_null() -> None:
    row = json.loads(as_json(score(None, None)))
    assert row["wanted"] is None
    assert row["recognisers"][0]["seen"] is None
    assert row["recognisers"][0]["agreement"] is None
    assert row["recognisers"][0]["per_frame"] == [None, None]


def test_frames_without_a_face_are_left_out_of_the_mean() -> None:
    mean = score(HAPPY, None, HAPPY).views[0].mean
    assert mean is not None
    assert mean.probability("happiness") == 1


def test_what_was_asked_is_compared_frame_by_frame() -> None:
    agreement = score(HAPPY, None, SAD, wanted="happiness").views[0].agreement
    assert agreement is not None
    assert (agreement.top1, agreement.faces_found, agreement.frames) == (0.5, 2, 3)


def test_a_number_names_its_judge_the_judges_accuracy_and_n() -> None:
    text = as_text(score(HAPPY, wanted="happiness"))
    assert "judge-ferplus, itself right on 79.0% of 3,200 validation faces" in text
    row = json.loads(as_json(score(HAPPY)))["recognisers"][0]
    assert (row["name"], row["accuracy"], row["n"]) == ("judge-ferplus", 0.79, 3200)


def test_a_clip_without_a_face_gets_a_sentence_and_no_number() -> None:
    assert "saw no face, so it cannot say" in as_text(score(None, wanted="anger"))


def test_what_could_not_be_measured_is_not_written() -> None:
    agreement = Agreement("judge", 0.8, 2, 2, 1.0, 0.9, None, None, None, None)
    assert agreement_text(agreement) == "wanted probability 0.90, on top in 100% of frames"


@pytest.mark.parametrize("comment", [None, "", "holiday 2024", "{}", '{"request": 3}', "[1, 2]"])
def test_a_comment_that_is_not_ours_says_nothing_about_what_was_asked(comment: str | None) -> None:
    assert recorded_track(comment) is None


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    request = Scoring((tmp_path / "no.mp4", tmp_path), "hapiness", plot=tmp_path / "a.png", every=0)
    found = problems(request)
    assert len(found) == 5
    assert "Did you mean 'happiness'?" in "\n".join(found)


def test_a_plot_that_could_not_be_written_is_a_wrong_request(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"some bytes")
    (told,) = problems(Scoring((clip,), "anger", plot=clip / "plot.png"))
    assert told.startswith("--plot: ")
    assert "is a file, so it cannot hold others" in told


def test_no_clip_at_all_is_a_wrong_request() -> None:
    assert problems(Scoring(())) == ["No clip came; name at least one video."]
