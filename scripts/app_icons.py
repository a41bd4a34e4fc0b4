#!.venv/bin/python
"""Draw the phone app's pictures from the mark (theme/static/img/mark.svg), run by hand when the mark changes.

They fill their square to the edge, as phones cut their own shape out of it (the middle 80 % is always seen).
"""

import re
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
MARK = ROOT / "theme/static/img/mark.svg"
FOLDER = ROOT / "relying_parties/app/static/icons"
SIZES = (192, 512)
FINER = 8  # drawn larger, then made smaller: Pillow draws no smooth edges
UNITS = 36  # of the mark's own drawing
SCALE = 0.78  # keeps the doorway within what every phone shows


def main() -> None:
    """Write one PNG a size."""
    colour = re.search(r'<rect[^>]*fill="(#[0-9a-f]{6})"', MARK.read_text(encoding="utf-8"))
    if colour is None:
        raise SystemExit(f"{MARK} has no ground of one colour.")
    FOLDER.mkdir(exist_ok=True)
    for size in SIZES:
        drawn(size, colour[1]).save(FOLDER / f"{size}.png", optimize=True)
        print(FOLDER / f"{size}.png")


def drawn(size: int, colour: str) -> Image.Image:
    """The mark: a doorway, and somebody in it."""
    fine = size * FINER
    image = Image.new("RGB", (fine, fine), colour)
    pen = ImageDraw.Draw(image)
    unit = fine / UNITS * SCALE
    left, top = fine / 2 - 18 * unit, fine / 2 - 18.5 * unit

    def dot(x: float, y: float, radius: float) -> None:
        box = [left + (x - radius) * unit, top + (y - radius) * unit]
        pen.ellipse([*box, box[0] + 2 * radius * unit, box[1] + 2 * radius * unit], "#ffffff")

    def post(x: float, upper: float, lower: float, radius: float = 1.6) -> None:
        pen.rectangle(
            [left + (x - radius) * unit, top + upper * unit, left + (x + radius) * unit, top + lower * unit],
            "#ffffff",
        )
        dot(x, upper, radius)
        dot(x, lower, radius)

    outer = [left + 7.9 * unit, top + 7.4 * unit, left + 28.1 * unit, top + 27.6 * unit]
    pen.arc(outer, 180, 360, "#ffffff", round(3.2 * unit))
    post(9.5, 17.5, 28)
    post(26.5, 17.5, 28)
    post(18, 24.4, 28)
    dot(18, 19, 3.1)
    return image.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
