"""Reads a still picture of any common kind as upright 8-bit RGB, and refuses in words what it cannot."""

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gen.intake import MediaError, checked

MAX_PIXELS = 100_000_000
# Named, so that no other decoder of Pillow runs: its EPS reader would start Ghostscript.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "PPM")


def read_image(path: Path) -> np.ndarray:
    """The picture as (H, W, 3) uint8 RGB: turned upright, transparency over white."""
    checked(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the limit here is our own
            Image.init()
            with Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN]) as image:
                _refuse_large(path, image.size)
                return np.array(_rgb(path, _upright(image)))
    except UnidentifiedImageError:
        raise MediaError(
            f"'{path}' is not a picture that can be read: give a jpg, png, webp, bmp, tiff or gif."
        ) from None
    except Image.DecompressionBombError:
        raise MediaError(_too_large(path, "far more")) from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
    ) as error:  # what Pillow raises on broken bytes
        if isinstance(error, MediaError):
            raise
        raise MediaError(f"'{path}' is broken or cut off ({error}): save or download it again.") from None


def _refuse_large(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise MediaError(_too_large(path, f"more ({width} x {height})"))


def _too_large(path: Path, pixels: str) -> str:
    return (
        f"'{path}' has {pixels} pixels than the {MAX_PIXELS // 10**6} million that are read: scale it down."
    )


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image)


def _rgb(path: Path, image: Image.Image) -> Image.Image:
    """One of Pillow's many modes as 8-bit RGB."""
    if image.mode == "F":
        raise MediaError(f"'{path}' holds floating-point pixels: save it as an 8- or 16-bit png or a jpg.")
    if image.mode.startswith("I"):  # 16 bits of grey; the upper eight are what a screen shows
        levels = np.asarray(image).astype(np.int64)
        return Image.fromarray(np.clip(levels >> 8, 0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")
