"""Contact sheets: size, order, missing pictures, whole files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen.sheet import GAP, LINE, PAPER, Row, SheetError, contact_sheet, tile, write_sheet

RED, BLUE = (np.full((80, 80, 3), colour, np.uint8) for colour in ((200, 0, 0), (0, 0, 200)))


def test_pictures_stand_in_the_order_given() -> None:
    sheet = contact_sheet(("one", "two"), (Row("a", (RED, BLUE)),), side=40)
    y = GAP + LINE + 20
    assert [sheet.getpixel((GAP + 20, y)), sheet.getpixel((GAP + 44 + 20, y))] == [(200, 0, 0), (0, 0, 200)]
    assert sheet.size == (2 * 44 + GAP, 44 + LINE + GAP + LINE)


def test_a_picture_keeps_its_shape() -> None:
    wide = tile(np.zeros((20, 100, 3), np.uint8), 50)
    assert wide.getpixel((25, 25)) == (0, 0, 0)
    assert wide.getpixel((25, 2)) == PAPER


def test_a_missing_picture_stays_an_empty_frame() -> None:
    sheet = contact_sheet(("one",), (Row("a", (None,)),), side=40)
    assert sheet.getpixel((GAP + 20, GAP + LINE + 20)) == PAPER


def test_a_row_must_fit_the_columns() -> None:
    with pytest.raises(SheetError, match="1 pictures for 2 columns"):
        contact_sheet(("one", "two"), (Row("a", (RED,)),))


def test_a_long_name_is_cut_and_not_the_sheet_widened() -> None:
    sheet = contact_sheet(("one",), (Row("a" * 500, (RED,)),), side=40)
    assert sheet.width == 44 + GAP


def test_the_file_is_whole_and_alone(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "new" / "sheet.png", contact_sheet(("one",), (Row("a", (RED,)),)))
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert [file.name for file in path.parent.iterdir()] == ["sheet.png"]
