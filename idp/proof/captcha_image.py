"""Draws a captcha's characters as a PNG that people read easily and programs less so.

What hinders a program: each character has its own size, slant and height, curves of the same ink cross
them, paper-coloured lines cut them, and the whole sheet is waved, so that neither colour nor gaps
separate the characters. The answer stands nowhere but in the pixels.
"""

from __future__ import annotations

import io
import math
import random
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFont

WIDTH, HEIGHT = 320, 112  # pixels: twice the size on the page (160 by 56), for sharp screens

_INK, _PAPER = (0x27, 0x4B, 0x8F), (0xF0, 0xF4, 0xFB)
_SHADES = 16
_FONT_SIZES = (86, 92, 98)
_STRIP = 20  # width of the strips the wave is made of


def draw(text: str, seed: str) -> bytes:
    """Return `text` as a PNG; the same secret `seed` gives the same bytes again."""
    dice = random.Random(seed)  # noqa: S311 - not the secret: it unfolds one, which came from the CSPRNG
    sheet = Image.new("L", (WIDTH, HEIGHT), 0)
    _write(sheet, text, dice)
    _cross(sheet, dice)
    sheet = _wave(sheet, dice)
    _sprinkle(sheet, dice)
    return _to_png(sheet)


def _write(sheet: Image.Image, text: str, dice: random.Random) -> None:
    room = WIDTH / (len(text) + 0.4)
    for place, character in enumerate(text):
        glyph = _glyph(character, dice.choice(_FONT_SIZES))
        glyph = glyph.rotate(dice.uniform(-22, 22), Image.Resampling.BILINEAR, expand=True)
        left = room * (place + 0.7) - glyph.width / 2 + dice.uniform(-7, 7)
        top = (HEIGHT - glyph.height) / 2 + dice.uniform(-7, 7)
        corner = (round(left), round(top))
        sheet.paste(255, (*corner, corner[0] + glyph.width, corner[1] + glyph.height), glyph)


@cache
def _glyph(character: str, size: int) -> Image.Image:
    # Pillow's own font: a machine without any font draws the same picture.
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(character, stroke_width=1)
    glyph = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)), 0)
    ImageDraw.Draw(glyph).text((-left, -top), character, fill=255, font=font, stroke_width=1)
    return glyph


def _cross(sheet: Image.Image, dice: random.Random) -> None:
    pen = ImageDraw.Draw(sheet)
    for _ in range(2):
        pen.line(_curve(dice), fill=0, width=2, joint="curve")
    for _ in range(2):
        pen.line(_curve(dice), fill=255, width=3, joint="curve")


def _curve(dice: random.Random) -> list[tuple[float, float]]:
    """Return a line from the left edge to the right one, bent once or twice."""
    start, end = (dice.uniform(0.15, 0.85) * HEIGHT for _ in range(2))
    bend, turns, phase = dice.uniform(8, 22), dice.uniform(0.5, 1.2), dice.uniform(0, math.tau)
    return [
        (x, start + (end - start) * x / WIDTH + bend * math.sin(phase + math.tau * turns * x / WIDTH))
        for x in range(-8, WIDTH + 16, 8)
    ]


def _wave(sheet: Image.Image, dice: random.Random) -> Image.Image:
    height, turns, phase = dice.uniform(3, 6), dice.uniform(1, 1.8), dice.uniform(0, math.tau)

    def shift(x: int) -> float:
        return height * math.sin(phase + math.tau * turns * x / WIDTH)

    strips = []
    for left in range(0, WIDTH, _STRIP):
        right = left + _STRIP
        up, down = shift(left), shift(right)
        corners = (left, up, left, HEIGHT + up, right, HEIGHT + down, right, down)
        strips.append(((left, 0, right, HEIGHT), corners))
    return sheet.transform(sheet.size, Image.Transform.MESH, strips, Image.Resampling.BILINEAR)


def _sprinkle(sheet: Image.Image, dice: random.Random) -> None:
    specks = Image.new("L", sheet.size, 0)
    pen = ImageDraw.Draw(specks)
    for _ in range(50):
        x, y, radius = dice.uniform(0, WIDTH), dice.uniform(0, HEIGHT), dice.uniform(0.8, 2.4)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=dice.randrange(90, 256))
    sheet.paste(ImageChops.lighter(sheet, specks))


def _to_png(sheet: Image.Image) -> bytes:
    """Return the sheet in shades from paper to ink; few of them make a small file."""
    picture = sheet.point([value * _SHADES // 256 for value in range(256)])
    picture = picture.convert("L")
    picture.putpalette(_palette())
    out = io.BytesIO()
    picture.save(out, "PNG", bits=4)
    return out.getvalue()


@cache
def _palette() -> list[int]:
    steps = [shade / (_SHADES - 1) for shade in range(_SHADES)]
    return [
        round(paper + (ink - paper) * step) for step in steps for ink, paper in zip(_INK, _PAPER, strict=True)
    ]
