"""Contact sheets: labelled pictures in a grid, one PNG to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gen.atomic import replacing

INK, PAPER, GAP, LINE = (32, 32, 36), (250, 249, 246), 4, 18


class SheetError(ValueError):
    """The rows and columns of a sheet do not fit together."""


@dataclass(frozen=True)
class Row:
    """One row of a sheet: its name and a picture, or None, for every column."""

    name: str
    pictures: tuple[np.ndarray | None, ...]


def tile(picture: np.ndarray, side: int) -> Image.Image:
    """The picture fitted into a square of this side, its shape kept, the rest left as paper."""
    image = Image.fromarray(picture).convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (side, side), PAPER)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def contact_sheet(columns: Sequence[str], rows: Sequence[Row], side: int = 160) -> Image.Image:
    """Rows of pictures under column heads; a missing picture stays an empty frame."""
    for row in rows:
        if len(row.pictures) != len(columns):
            raise SheetError(
                f"row '{row.name}' has {len(row.pictures)} pictures for {len(columns)} columns; "
                "give one for each, None where there is none."
            )
    pitch_x, pitch_y = side + GAP, side + GAP + LINE
    sheet = Image.new("RGB", (pitch_x * len(columns) + GAP, pitch_y * len(rows) + GAP + LINE), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for column, head in enumerate(columns):
        pen.text((GAP + column * pitch_x, GAP), _fit(head, side, font), fill=INK, font=font)
    for index, row in enumerate(rows):
        top = GAP + LINE + index * pitch_y
        for column, picture in enumerate(row.pictures):
            left = GAP + column * pitch_x
            if picture is None:
                pen.rectangle((left, top, left + side - 1, top + side - 1), outline=(200, 200, 200))
            else:
                sheet.paste(tile(picture, side), (left, top))
        pen.text((GAP, top + side + 1), _fit(row.name, sheet.width - 2 * GAP, font), fill=INK, font=font)
    return sheet


def _fit(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The text, cut with an ellipsis where it would run over."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def write_sheet(path: Path, sheet: Image.Image) -> Path:
    """Write the PNG whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        sheet.save(part, format="PNG", optimize=True)
    return path
