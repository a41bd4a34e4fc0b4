"""A page or a picture as those see it who judge it: a JPEG of bounded size, with a mark burnt in.

The mark says who looked and when, so that a photograph of the screen can be traced. It is written with the
library's own font, which has Latin letters and digits only.
"""

from __future__ import annotations

import io
from typing import Final

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from idp.adapters.inspection.kinds import Kind
from idp.adapters.inspection.pictures import MOST_PIXELS, as_jpeg
from idp.adapters.inspection.refusals import UploadRefused, Why

LONGEST_SIDE: Final = 2_000
"""Pixels: small print of an A4 page can be read at it."""
_LETTERS: Final = 80
_INK: Final = (90, 90, 90)
_STRENGTH: Final = 70
"""Of 255: what lies below can be read."""
_SLANT: Final = 30


def draw(kind: Kind, data: bytes, *, page: int, watermark: str) -> bytes:
    """Page `page` (from 1) of a PDF, or a picture, as a JPEG. Raises UploadRefused."""
    try:
        picture = _page(data, page) if kind is Kind.PDF else _picture(data)
        return as_jpeg(_marked(picture, watermark))
    except (UploadRefused, MemoryError):
        raise
    except Exception as broken:  # noqa: BLE001 - the reader raises whatever a broken file makes it meet
        raise UploadRefused(Why.UNREADABLE, type(broken).__name__) from None


def _page(data: bytes, number: int) -> Image.Image:
    document = pypdfium2.PdfDocument(data)
    try:
        if not 1 <= number <= len(document):
            raise UploadRefused(Why.UNREADABLE, "no such page")
        page = document[number - 1]
        # A page may claim to be a field or a hair: the picture of it has the size we give it.
        longest = max(*page.get_size(), 1.0)
        drawn: Image.Image = page.render(scale=LONGEST_SIDE / longest).to_pil()
        return drawn.convert("RGB")
    finally:
        document.close()


def _picture(data: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as found:
        found.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        picture = found.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture


def _marked(picture: Image.Image, watermark: str) -> Image.Image:
    text = "".join(mark for mark in watermark if " " <= mark <= "~")[:_LETTERS]
    if not text:
        return picture
    font = ImageFont.load_default(size=max(14, max(picture.size) // 55))
    left, top, right, bottom = (round(side) for side in font.getbbox(text))
    wide, high = right - left + 60, (bottom - top) * 6
    # The sheet of marks is as wide as the picture's diagonal, so that it covers it once turned.
    side = round((picture.width**2 + picture.height**2) ** 0.5) + wide
    sheet = Image.new("L", (side, side))
    pen = ImageDraw.Draw(sheet)
    for row, y in enumerate(range(0, side, high)):
        for x in range(-(row % 2) * wide // 2, side, wide):
            pen.text((x, y), text, font=font, fill=_STRENGTH)
    turned = sheet.rotate(_SLANT, Image.Resampling.BILINEAR)
    x, y = (side - picture.width) // 2, (side - picture.height) // 2
    picture.paste(_INK, mask=turned.crop((x, y, x + picture.width, y + picture.height)))
    return picture
