"""Jobs are checked at the door, all problems at once, and get a name from what shapes the clip."""

from dataclasses import replace
from pathlib import Path

import pytest

from gen.job import PRESETS, FaceJob, JobError, PresetName, explained, plan

WEIGHTS = {"rig": "ab" * 32}


@pytest.fixture
def job(tmp_path: Path) -> FaceJob:
    (tmp_path / "ada.jpg").write_bytes(b"a picture")
    (tmp_path / "hello.wav").write_bytes(b"a voice")
    return FaceJob(portrait=tmp_path / "ada.jpg", audio=tmp_path / "hello.wav", emotion="happiness@0.8")


def problems_of(job: FaceJob) -> tuple[str, ...]:
    with pytest.raises(JobError) as caught:
        plan(job, WEIGHTS)
    return caught.value.problems


def test_a_clip_is_named_after_its_portrait_and_digest(job: FaceJob) -> None:
    planned = plan(job, WEIGHTS)
    assert planned.name == f"ada-{planned.digest[:8]}"
    assert len(planned.digest) == 64


def test_all_problems_are_told_at_once() -> None:
    wrong = FaceJob(Path("no.jpg"), Path("no.wav"), "suprise", size=333, fps=0, seed=-1, face=0)
    told = problems_of(wrong)
    assert [line.split(":")[0] for line in told] == [
        "--emotion", "--portrait", "--audio", "--size", "--fps", "--seed", "--face",
    ]  # fmt: skip
    assert "Did you mean 'surprise'?" in told[0]


def test_auto_leaves_the_track_to_the_voice(job: FaceJob) -> None:
    planned = plan(replace(job, emotion=" Auto "), WEIGHTS)
    assert planned.track is None
    assert (planned.request["emotion"], planned.request["policy"]) == ("auto", "blend")


def test_what_an_inferred_emotion_depends_on_is_in_the_name(job: FaceJob) -> None:
    auto = replace(job, emotion="auto")
    told = [
        auto,
        replace(auto, text="We won!"),
        replace(auto, text=" We won! "),
        replace(auto, policy="voice"),
    ]
    alone, words, same_words, voice = (plan(one, WEIGHTS).digest for one in told)
    assert words == same_words
    assert len({alone, words, voice, plan(auto, {**WEIGHTS, "speech": "cd" * 32}).digest}) == 4


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"text": "We won!"}, "--text: only --emotion auto reads it."),
        ({"policy": "voice"}, "--policy: only --emotion auto reads it."),
        ({"emotion": "auto", "text": " "}, "--text: it is empty: write what is said, or leave it out."),
        (
            {"emotion": "auto", "text": "a" * 10_001},
            "--text: it has 10,001 characters; 10,000 are read: shorten it.",
        ),
    ],
)
def test_words_that_cannot_be_used_are_told(job: FaceJob, changes: dict[str, str], told: str) -> None:
    assert problems_of(replace(job, **changes)) == (told,)


@pytest.mark.parametrize("size", [0, 126, 129, 1026, -512])
def test_sizes_outside_the_range_are_refused(job: FaceJob, size: int) -> None:
    assert problems_of(replace(job, size=size)) == (
        f"--size: {size} came; even numbers from 128 to 1024 are allowed.",
    )


@pytest.mark.parametrize(("size", "fps"), [(128, 10), (1024, 60)])
def test_the_ends_of_the_ranges_are_allowed(job: FaceJob, size: int, fps: int) -> None:
    assert plan(replace(job, size=size, fps=fps), WEIGHTS).request["size"] == size


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_decides_what_was_not_asked(job: FaceJob, name: PresetName) -> None:
    request = plan(replace(job, preset=name), WEIGHTS).request
    assert (request["size"], request["x264"], request["crf"]) == (
        PRESETS[name].size, PRESETS[name].x264, PRESETS[name].crf,
    )  # fmt: skip


def test_what_was_asked_wins_over_the_preset(job: FaceJob) -> None:
    assert plan(replace(job, preset="best", size=300), WEIGHTS).request["size"] == 300


def test_every_value_says_where_it_came_from(job: FaceJob) -> None:
    rows = {name: (value, source) for name, value, source in explained(job, frozenset({"emotion"}))}
    assert rows["emotion"] == ("happiness@0.8", "asked")
    assert rows["fps"] == ("25", "default")
    assert rows["size"] == ("512", "preset standard")
    assert rows["crf"] == ("18", "preset standard")


@pytest.mark.parametrize(
    "change",
    [
        {"emotion": "happiness@0.7"},
        {"size": 256},
        {"fps": 30},
        {"seed": 1},
        {"face": 1},
        {"preset": "draft"},
        {"frame": "photo"},
    ],
)
def test_every_field_changes_the_digest(job: FaceJob, change: dict[str, object]) -> None:
    assert plan(replace(job, **change), WEIGHTS).digest != plan(job, WEIGHTS).digest  # type: ignore[arg-type]


def test_the_square_has_no_name_in_a_request(job: FaceJob) -> None:
    assert "frame" not in plan(job, WEIGHTS).request
    assert plan(replace(job, frame="photo"), WEIGHTS).request["frame"] == "photo"


def test_input_bytes_and_weights_change_the_digest(job: FaceJob) -> None:
    before = plan(job, WEIGHTS).digest
    assert plan(job, {"rig": "cd" * 32}).digest != before
    assert job.audio is not None
    job.audio.write_bytes(b"another voice")
    assert plan(job, WEIGHTS).digest != before


def test_folders_and_file_names_do_not_change_the_digest(job: FaceJob, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "photo.png"
    moved.parent.mkdir()
    moved.write_bytes(job.portrait.read_bytes())
    planned = plan(replace(job, portrait=moved), WEIGHTS)
    assert planned.digest == plan(job, WEIGHTS).digest
    assert planned.name.startswith("photo-")


def test_a_spelled_out_default_is_the_same_job(job: FaceJob) -> None:
    assert plan(replace(job, size=512), WEIGHTS).digest == plan(job, WEIGHTS).digest
    assert plan(replace(job, emotion="happy@.80"), WEIGHTS).digest == plan(job, WEIGHTS).digest


@pytest.mark.parametrize(
    ("file", "stem"),
    [("my photo (1).jpg", "my_photo_1"), ("....jpg", "face"), ("Ünï.png", "Ünï"), ("a\nb;c.png", "a_b_c")],
)
def test_a_name_is_harmless_whatever_the_file_was_called(
    job: FaceJob, tmp_path: Path, file: str, stem: str
) -> None:
    odd = tmp_path / file
    odd.write_bytes(b"a picture")
    assert plan(replace(job, portrait=odd), WEIGHTS).name.rpartition("-")[0] == stem


def test_a_long_name_stays_within_what_disks_allow(job: FaceJob, tmp_path: Path) -> None:
    odd = tmp_path / ("é" * 120 + ".jpg")
    odd.write_bytes(b"a picture")
    assert len(plan(replace(job, portrait=odd), WEIGHTS).name.encode()) < 120


def test_another_vocabulary_is_translated_to_faces(job: FaceJob) -> None:
    planned = plan(replace(job, emotion="mikels8/amusement"), WEIGHTS)
    assert planned.request["emotion"] == "happiness"


@pytest.fixture
def driven(job: FaceJob, tmp_path: Path) -> FaceJob:
    (tmp_path / "take.csv").write_text("Timecode,JawOpen\n")
    return FaceJob(job.portrait, motion=tmp_path / "take.csv")


def test_a_motion_needs_neither_voice_nor_emotion(driven: FaceJob) -> None:
    planned = plan(driven, WEIGHTS)
    assert (planned.track, planned.audio_sha256, planned.request["emotion"]) == (None, None, None)
    assert planned.motion_sha256 is not None


def test_a_motion_and_an_emotion_cannot_both_decide(driven: FaceJob) -> None:
    (told,) = problems_of(replace(driven, emotion="anger"))
    assert told == "--emotion: --motion already says what the face shows: give one of the two."


def test_a_job_without_motion_needs_voice_and_emotion(job: FaceJob) -> None:
    told = problems_of(FaceJob(job.portrait))
    assert [line.split(":")[0] for line in told] == ["--emotion", "--audio"]
    assert all("or give --motion" in line for line in told)


def test_a_motion_that_is_not_there_is_a_problem(driven: FaceJob) -> None:
    (told,) = problems_of(replace(driven, motion=Path("no.csv")))
    assert told.startswith("--motion: 'no.csv' does not exist")


def test_the_bytes_of_a_motion_and_its_voice_change_the_digest(job: FaceJob, driven: FaceJob) -> None:
    before = plan(driven, WEIGHTS).digest
    assert plan(replace(driven, audio=job.audio), WEIGHTS).digest != before
    assert driven.motion is not None
    driven.motion.write_text("Timecode,JawLeft\n")
    assert plan(driven, WEIGHTS).digest != before


def test_a_motion_leaves_nothing_to_the_seed(driven: FaceJob) -> None:
    assert plan(replace(driven, seed=5), WEIGHTS).digest == plan(driven, WEIGHTS).digest


def test_a_voice_with_an_emotion_keeps_the_name_it_always_had(
    job: FaceJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen.job.RENDER_VERSION", 1)
    assert plan(job, WEIGHTS).digest == "f4575d6e503e899d18fb71de2ac18bb8e74a3544c61db37a322926ab3f13d3f1"


@pytest.fixture
def transferred(job: FaceJob, tmp_path: Path) -> FaceJob:
    (tmp_path / "take.mp4").write_bytes(b"a performance")
    return FaceJob(job.portrait, driving_video=tmp_path / "take.mp4")


def test_a_driving_video_needs_neither_voice_nor_emotion_and_takes_both(
    transferred: FaceJob, job: FaceJob
) -> None:
    own = plan(transferred, WEIGHTS)
    assert (own.track, own.audio_sha256, own.request["emotion"], own.request["seed"]) == (None, None, None, 0)
    both = plan(replace(transferred, audio=job.audio, emotion="neutral"), WEIGHTS)
    assert (both.request["emotion"], both.audio_sha256 is not None) == ("neutral", True)
    assert own.digest != both.digest


def test_the_bytes_of_a_driving_video_change_the_digest(transferred: FaceJob) -> None:
    before = plan(transferred, WEIGHTS).digest
    assert transferred.driving_video is not None
    transferred.driving_video.write_bytes(b"another performance")
    assert plan(transferred, WEIGHTS).digest != before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"say": "Hello."}, "--say: --driving-video already says what is heard: give one of the two."),
        ({"motion": Path("take.csv")}, "--driving-video: --motion already says what the face does"),
        ({"driving_video": Path("none.mp4")}, "--driving-video: 'none.mp4' does not exist"),
        ({"emotion": "auto"}, "--emotion: leave 'auto' out to keep what the driving video shows"),
        ({"text": "Hello."}, "--text: only --emotion auto reads it."),
    ],
)
def test_what_cannot_go_with_a_driving_video_is_refused(
    transferred: FaceJob, change: dict[str, object], told: str
) -> None:
    problems = problems_of(replace(transferred, **change))  # type: ignore[arg-type]
    assert any(line.startswith(told) for line in problems)
