"""The sheet and the looping picture that are made of the first clips."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from gen.first_light import TRACKS, FirstLight, draw, problems, render, spaced, write_picture, write_portrait
from gen.media import write_video


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    made = {}
    for index, name in enumerate(TRACKS):
        made[name] = folder / f"{name}.mp4"
        frames = [np.full((64, 64, 3), (20 * step, 40 * index, 99), np.uint8) for step in range(8 + index)]
        write_video(made[name], frames, 25, None, None, "", (64, 64))
    return made


def test_moments_are_spread_over_the_clip_without_its_ends() -> None:
    assert spaced(100, 5) == [10, 30, 50, 70, 90]
    assert spaced(3, 3) == [0, 1, 2]


def test_the_sheet_has_a_row_a_clip(clips: dict[str, Path], tmp_path: Path) -> None:
    sheet = iio.imread(draw(clips, tmp_path))
    assert sheet.shape[0] > 4 * 200


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_the_picture_loops_over_what_all_clips_have(
    clips: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    path = write_picture(tmp_path / "new" / f"picture{suffix}", clips)
    frames = list(iio.imiter(path))
    assert (len(frames), frames[0].shape[:2]) == (4, (220, 880))
    assert iio.immeta(path)["loop"] == 0


def test_the_portrait_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "portrait.png"
    write_portrait(path, np.full((4, 4, 3), 7, np.uint8))
    write_portrait(path, np.full((4, 4, 3), 9, np.uint8))
    assert iio.imread(path)[0, 0, 0] == 7


def test_where_nothing_can_be_written_is_said_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    request = FirstLight(out=tmp_path / "file" / "out", picture=tmp_path / "picture.jpg")
    assert [sentence.split(":")[0] for sentence in problems(request)] == ["--out", "--picture"]
    assert problems(FirstLight(out=tmp_path / "new", picture=tmp_path / "docs" / "a.WEBP")) == []


@pytest.mark.parametrize("force", [False, True])
def test_force_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool) -> None:
    asked: list[tuple[int, bool]] = []

    def run(jobs: list[object], out: Path, *, force: bool) -> list[object]:  # rendering would take a minute
        asked.append((len(jobs), force))
        return []

    monkeypatch.setattr("gen.runner.run", run)
    render(tmp_path, force=force)
    assert asked == [(len(TRACKS), force)]
