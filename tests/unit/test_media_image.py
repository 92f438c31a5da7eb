"""Pictures of every kind become upright RGB; what cannot is refused in a sentence."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen.intake import MediaError
from gen.media import read_image

ORIENTATION = 0x0112


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]  # Pillow's options differ by format
    return path


@pytest.mark.parametrize("suffix", ["png", "webp", "bmp", "tiff", "gif"])
def test_common_formats_keep_their_pixels(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"p.{suffix}", Image.new("RGB", (12, 8), (255, 0, 0)), lossless=True)
    picture = read_image(path)
    assert picture.shape == (8, 12, 3)
    assert picture.dtype == np.uint8
    assert picture[4, 4].tolist() == [255, 0, 0]


def test_a_turned_photo_is_set_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "black")
    image.paste((255, 255, 255), (0, 0, 20, 20))  # left half white
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # shown turned right: what was left is up
    picture = read_image(saved(tmp_path / "p.png", image, exif=exif))
    assert picture.shape == (40, 20, 3)
    assert picture[5].min() == 255
    assert picture[35].max() == 0


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_over_white(tmp_path: Path, mode: str) -> None:
    clear = Image.new(mode, (6, 6), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))
    assert read_image(saved(tmp_path / "p.png", clear)).min() == 255


def test_a_palette_with_a_transparent_colour_lies_over_white(tmp_path: Path) -> None:
    assert read_image(saved(tmp_path / "p.png", Image.new("P", (6, 6)), transparency=0)).min() == 255


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_becomes_three_equal_channels(tmp_path: Path, mode: str) -> None:
    picture = read_image(saved(tmp_path / "p.png", Image.new(mode, (6, 6), 255)))
    assert picture.shape == (6, 6, 3)
    assert picture.min() == 255


def test_sixteen_bits_keep_the_upper_eight(tmp_path: Path) -> None:
    image = Image.fromarray(np.full((6, 6), 0x80FF, np.uint16))
    assert set(read_image(saved(tmp_path / "p.png", image)).ravel()) == {0x80}


def test_print_colours_become_screen_colours(tmp_path: Path) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red, green, blue = read_image(saved(tmp_path / "p.jpg", image, quality=95))[8, 8]
    assert red > 240
    assert max(green, blue) < 20


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "p.tiff", Image.fromarray(np.zeros((6, 6), np.float32)))
    with pytest.raises(MediaError, match="floating-point"):
        read_image(path)


def test_text_with_a_picture_name_is_not_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    path.write_text("hello")
    with pytest.raises(MediaError, match="is not a picture that can be read"):
        read_image(path)


def test_postscript_is_never_run(tmp_path: Path) -> None:
    path = tmp_path / "p.eps"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(MediaError, match="is not a picture"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_cut_off_picture_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)
    path = saved(tmp_path / f"p.{suffix}", Image.fromarray(noise))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(MediaError):
        read_image(path)


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(20_000, 20_000), (11_000, 10_000), (1_000_000, 1_000_000)])
def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(png_that_claims(*size))
    with pytest.raises(MediaError, match=r"more.*than the 100 million that are read"):
        read_image(path)


def test_the_picture_is_left_as_it_was(tmp_path: Path) -> None:
    path = saved(tmp_path / "p.png", Image.new("RGB", (8, 8)))
    before = path.read_bytes()
    read_image(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
