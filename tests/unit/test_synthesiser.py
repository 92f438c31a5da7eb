"""A text is said by whatever speech program there is, in the manner of an emotion, and never by a shell."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from emotion_encoders.emotion import FACE8, Emotion
from emotion_encoders.track import EmotionTrack
from gen import synthesiser
from gen.intake import MediaError
from gen.job import FaceJob, FacePlan, JobError, plan
from gen.performance import performed
from gen.senses import Senses
from gen.synthesiser import MANNERS, Manner, Synthesiser, command, manner

ESPEAK = Synthesiser("espeak-ng", "/bin/espeak-ng", "1.51")
FLITE = Synthesiser("flite", "/bin/flite", "2.2-current")
TEXT, SOUND = Path("t.txt"), Path("v.wav")


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is all that is searched for programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def job(tmp_path: Path) -> FaceJob:
    (tmp_path / "ada.jpg").write_bytes(b"a picture")
    return FaceJob(tmp_path / "ada.jpg", emotion="sadness", say="Hello  there,\n world.")


def test_a_neutral_voice_is_the_programs_own() -> None:
    arguments = command(ESPEAK, manner(Emotion.of("neutral")), TEXT, SOUND)
    assert arguments == [
        "/bin/espeak-ng", "-v", "en", "-b", "1", "-s", "175", "-p", "50", "-g", "0",
        "-f", "t.txt", "-w", "v.wav",
    ]  # fmt: skip
    assert command(FLITE, manner(Emotion.of("neutral")), TEXT, SOUND) == [
        "/bin/flite", "-voice", "slt",
        "--setf", "duration_stretch=1.000", "--setf", "int_f0_target_mean=167.0",
        "-f", "t.txt", "-o", "v.wav",
    ]  # fmt: skip


def test_every_emotion_of_a_face_has_a_manner() -> None:
    assert MANNERS.keys() == set(FACE8.labels)
    assert all(manner(Emotion.of(label)) == how for label, how in MANNERS.items())


def test_sadness_is_slow_low_and_halting_and_fear_is_not() -> None:
    sad, afraid = (command(ESPEAK, manner(Emotion.of(label)), TEXT, SOUND) for label in ("sadness", "fear"))
    assert int(option(sad, "-s")) < 175 < int(option(afraid, "-s"))
    assert int(option(sad, "-p")) < 50 < int(option(afraid, "-p"))
    assert int(option(sad, "-g")) > 0 == int(option(afraid, "-g"))


def test_less_intensity_is_nearer_to_neutral() -> None:
    half = manner(Emotion.of("anger", intensity=0.5))
    assert half == Manner((1 + MANNERS["anger"].rate) / 2, MANNERS["anger"].pitch / 2)
    assert manner(Emotion.of("anger", intensity=0)) == Manner()


def test_pitch_follows_the_measured_dial() -> None:
    dials = [
        option(command(ESPEAK, Manner(pitch=p), TEXT, SOUND), "-p") for p in (-9, -3.7, 0, 2.05, 4.1, 20)
    ]
    assert dials == ["0", "25", "50", "62", "75", "99"]


def test_flite_is_told_in_hertz_and_stretch() -> None:
    arguments = command(FLITE, Manner(rate=1.25, pitch=12), TEXT, SOUND)
    assert "duration_stretch=0.800" in arguments
    assert "int_f0_target_mean=334.0" in arguments


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "nothing to say"), (" ... !", "nothing to say"), ("a" * 3001, "3,001 characters came"),
     ("hello\x00", "control characters"), ("hi\x1b[2J", "control characters"), ("a\ud800", "control")],
)  # fmt: skip
def test_a_text_that_cannot_be_said_is_refused(text: str, told: str) -> None:
    assert told in (synthesiser.problem(text) or "")


@pytest.mark.parametrize("text", ["Hello.", "日本語", "4", "a\n\tb", "$(reboot); `ls` | -w /etc/passwd"])
def test_other_texts_are_said(text: str) -> None:
    assert synthesiser.problem(text) is None


def test_without_a_program_both_are_named(programs: Path, job: FaceJob) -> None:
    with pytest.raises(JobError) as caught:
        plan(job, {})
    (told,) = caught.value.problems
    assert told.startswith("--say: neither espeak-ng nor flite is installed: install one")


def test_the_program_found_is_named_with_its_version(programs: Path) -> None:
    program(programs, "flite", "echo '  version: flite-2.2-current Sep 2018'")
    assert synthesiser.find().name == "flite 2.2-current"
    program(programs, "espeak-ng", "echo 'eSpeak NG text-to-speech: 1.51  Data at: /usr'")
    assert synthesiser.find().name == "espeak-ng 1.51"
    program(programs, "espeak-ng", "echo")
    assert synthesiser.find().name == "espeak-ng unknown"


def test_a_job_is_named_after_text_and_program(programs: Path, job: FaceJob) -> None:
    program(programs, "espeak-ng", "echo 1.51")
    planned = plan(job, {})
    assert (planned.request["say"], planned.request["synthesiser"]) == (
        "Hello there, world.",
        "espeak-ng 1.51",
    )
    assert plan(replace(job, say="Hello there, world."), {}).digest == planned.digest
    assert plan(replace(job, say="Goodbye."), {}).digest != planned.digest
    program(programs, "espeak-ng", "echo 1.52")
    assert plan(job, {}).digest != planned.digest


@pytest.mark.parametrize("other", ["audio", "motion"])
def test_a_text_and_another_voice_cannot_both_be_heard(job: FaceJob, tmp_path: Path, other: str) -> None:
    (tmp_path / "other").write_bytes(b"something")
    given = replace(job, **{other: tmp_path / "other"}, emotion=None if other == "motion" else "anger")
    with pytest.raises(JobError) as caught:
        plan(given, {})
    assert caught.value.problems == (f"--say: --{other} already says what is heard: give one of the two.",)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo no voices >&2; exit 3", "could not say the text (code 3): no voices"),
        ("true", "could not say the text (code 0): it does not say why"),
        ('while [ "$1" != -w ]; do shift; done; : > "$2"', "made no sound of the text"),
    ],
)
def test_a_program_that_fails_is_told_in_a_sentence(
    programs: Path, job: FaceJob, script: str, told: str
) -> None:
    program(programs, "espeak-ng", f'[ "$1" = --version ] && {{ echo 1.51; exit; }}\n{script}')
    with pytest.raises(MediaError) as caught:
        performed(plan(job, {}), Senses())
    assert told in str(caught.value)


def test_the_text_reaches_the_program_as_it_is_and_by_file_only(
    programs: Path, job: FaceJob, tmp_path: Path
) -> None:
    text = 'say "$(touch broken)"; `id` -w x'
    heard, given = tmp_path / "heard", tmp_path / "given"
    program(
        programs,
        "espeak-ng",
        f'[ "$1" = --version ] && {{ echo 1.51; exit; }}\necho "$@" > {given}\n'
        f'while [ "$1" != -f ]; do shift; done\nread -r line < "$2"; echo "$line" > {heard}; exit 1',
    )
    with pytest.raises(MediaError):
        performed(plan(replace(job, say=text), {}), Senses())
    assert heard.read_text().strip() == text
    assert "touch" not in given.read_text()


def spoken(job: FaceJob, emotion: str) -> FacePlan:
    return replace(plan(job, {}), track=EmotionTrack.parse(emotion))


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the program espeak-ng")
def test_espeak_says_a_text_and_sadness_takes_longer(job: FaceJob) -> None:
    sad, glad = (performed(spoken(job, emotion), Senses()) for emotion in ("sadness", "happiness"))
    assert sad.sound is not None
    assert glad.sound is not None
    assert len(sad.sound) > 1.15 * len(glad.sound) > 0
    assert sad.motion.frames == -(-len(sad.sound) * job.fps // (sad.rate or 1))


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the program espeak-ng")
def test_words_that_are_said_decide_the_emotion_where_it_is_auto(job: FaceJob) -> None:
    asked = replace(job, emotion="auto", say="I miss her so much. I have been crying all day.")
    sad = performed(plan(asked, {}), Senses())
    assert sad.track is not None
    assert sad.track.at(0).top == "sadness"
    assert any("inferred from text" in note for note in sad.notes)


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs the program flite")
def test_flite_says_a_text(tmp_path: Path) -> None:
    flite = Synthesiser("flite", shutil.which("flite") or "", "")
    sad, glad = (
        soundfile.info(synthesiser.say(flite, "Hello there.", Emotion.of(label), tmp_path)).duration
        for label in ("sadness", "happiness")
    )
    assert sad > 1.15 * glad > 0.3
