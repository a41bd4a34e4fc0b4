"""Papers of the demo's appeals: drawn, of nobody, and marked as specimens."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_INK: Final = (60, 70, 84)
_PALE: Final = (214, 221, 230)
_SEAL: Final = (196, 62, 52)
_CARD: Final = (856, 540)
_SHEET: Final = (900, 1270)


def paper(slot: str) -> bytes:
    """What stands for the paper of this slot: a JPEG."""
    if slot in {"licence", "authorisation"}:
        return _sheet(slot)
    return _holding() if slot.endswith("holding") else _card(slot, is_front=slot.endswith("front"))


def _sheet(slot: str) -> bytes:
    picture, pen = _blank(_SHEET)
    pen.rectangle((40, 40, 860, 1230), outline=_SEAL if slot == "licence" else _PALE, width=6)
    _title(pen, 450, 130, "BUSINESS LICENCE" if slot == "licence" else "LETTER OF AUTHORISATION")
    for number in range(12):
        top = 260 + number * 62
        pen.rectangle((120, top, 260, top + 16), fill=_INK)
        pen.rectangle((300, top, 620 + (number * 67) % 180, top + 16), fill=_PALE)
    pen.ellipse((560, 960, 790, 1190), outline=_SEAL, width=8)
    _title(pen, 675, 1060, "SPECIMEN", fill=_SEAL, size=34)
    return _kept(picture)


def _card(slot: str, *, is_front: bool) -> bytes:
    picture, pen = _blank(_CARD)
    pen.rounded_rectangle((20, 20, 836, 520), 36, fill=(233, 240, 248), outline=_PALE, width=4)
    if is_front:
        for number in range(4):
            pen.rectangle((80, 110 + number * 80, 380 + number * 30, 134 + number * 80), fill=_INK)
        _figure(pen, 660, 190)
    else:
        pen.ellipse((80, 80, 200, 200), outline=_SEAL, width=6)
        for number in range(2):
            pen.rectangle((300, 340 + number * 70, 700, 366 + number * 70), fill=_INK)
    _title(pen, 430, 470, f"SPECIMEN {slot.partition('_')[0].upper()}", size=30)
    return _kept(picture)


def _holding() -> bytes:
    picture, pen = _blank((900, 900))
    _figure(pen, 450, 260, scale=2.4)
    pen.rounded_rectangle((300, 620, 600, 810), 16, fill=(233, 240, 248), outline=_INK, width=4)
    _title(pen, 450, 850, "SPECIMEN", size=30)
    return _kept(picture)


def _figure(pen: ImageDraw.ImageDraw, x: int, y: int, *, scale: float = 1.0) -> None:
    head, body = 60 * scale, 110 * scale
    pen.ellipse((x - head, y - head, x + head, y + head), fill=_PALE, outline=_INK, width=4)
    pen.pieslice((x - body, y + head, x + body, y + head + 2 * body), 180, 360, fill=_PALE, outline=_INK)


def _title(
    pen: ImageDraw.ImageDraw,
    x: int,
    y: int,
    text: str,
    *,
    fill: tuple[int, int, int] = _INK,
    size: int = 44,
) -> None:
    pen.text((x, y), text, font=ImageFont.load_default(size=size), fill=fill, anchor="mm")


def _blank(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", size, "white")
    return picture, ImageDraw.Draw(picture)


def _kept(picture: Image.Image) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=80)
    return kept.getvalue()
