"""JPEG and PNG: bounded before they are decoded, then made anew, so that nothing but the picture is left.

Metadata (where it was taken, by which phone), a thumbnail, what hangs behind the picture: none of it is in
the JPEG that is stored (SECURITY 65, 71).
"""

from __future__ import annotations

import io
import warnings
from typing import Final

from PIL import Image, ImageFile, ImageOps

from idp.adapters.inspection import strangers
from idp.adapters.inspection.kinds import Kind
from idp.adapters.inspection.refusals import Checked, UploadRefused, Why

MOST_PIXELS: Final = 40_000_000
LONGEST_SIDE: Final = 12_000
KEPT_SIDE: Final = 4_000
"""Longest side of what is stored, in pixels: the print of a licence can be read at that size."""
_QUALITY: Final = 88
_FORMATS: Final = {Kind.JPG: ("JPEG", "MPO"), Kind.PNG: ("PNG",)}
_WHITE: Final = (255, 255, 255)


def check(kind: Kind, data: bytes) -> Checked:
    """The picture made anew as a JPEG. Raises UploadRefused."""
    strangers.refuse_archive(data)
    # What is truncated is refused, and what is too large never decoded.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return Checked(Kind.JPG, _made_anew(kind, data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UploadRefused(Why.TOO_MANY_PIXELS) from None
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, Warning) as broken:
        raise UploadRefused(Why.UNREADABLE, type(broken).__name__) from None


def _made_anew(kind: Kind, data: bytes) -> bytes:
    # A JPEG of several pictures (MPO: phones keep a map of brightness behind the photograph) is one picture.
    with Image.open(io.BytesIO(data), formats=_FORMATS[kind]) as found:
        if max(found.size) > LONGEST_SIDE or found.width * found.height > MOST_PIXELS:
            raise UploadRefused(Why.TOO_MANY_PIXELS, f"{found.width}x{found.height}")
        if kind is Kind.PNG and getattr(found, "is_animated", False):
            raise UploadRefused(Why.ANIMATED)
        if kind is Kind.JPG:
            # A decoder that halves as it reads needs a quarter of the memory.
            found.draft(None, (KEPT_SIDE, KEPT_SIDE))
        found.load()
        # Smaller first, turned then: of the whole picture there are two in memory and never three.
        picture = _over_white(_of_plain_colours(found))
        picture.thumbnail((KEPT_SIDE, KEPT_SIDE))
        return as_jpeg(ImageOps.exif_transpose(picture))


def as_jpeg(picture: Image.Image) -> bytes:
    """`picture` (RGB or grey) as a JPEG without metadata."""
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    made = io.BytesIO()
    clean.save(made, "JPEG", quality=_QUALITY, optimize=False)
    return made.getvalue()


def _of_plain_colours(picture: Image.Image) -> Image.Image:
    """In eight bits a channel, with transparency if there was any."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        return picture.convert("RGBA")
    return picture if picture.mode in {"RGB", "L"} else picture.convert("RGB")


def _over_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    paper = Image.new("RGB", picture.size, _WHITE)
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper
