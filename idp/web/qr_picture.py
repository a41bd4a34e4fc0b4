"""A QR code as an SVG picture: a pure function of what it says."""

from __future__ import annotations

_QUIET = 2
"""Modules left white around it; the frame of the page is white, too."""
_MASK = 3
"""Any mask is read by any reader (ISO/IEC 18004 §7.8); trying all eight would cost ten times as much."""


def svg(text: str, *, is_marked: bool = False) -> str:
    """The picture of `text` as an SVG element; on the middle of one that `is_marked` lies a mark.

    It is read with up to 15 % of it covered (level M), a marked one with up to 30 % (level H).
    """
    # A worker that shows no code has no use for 5 MB.
    import qrcode  # noqa: PLC0415 - as said above
    from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_M  # noqa: PLC0415 - as said above

    level = ERROR_CORRECT_H if is_marked else ERROR_CORRECT_M
    code = qrcode.QRCode(error_correction=level, border=_QUIET, mask_pattern=_MASK)
    code.add_data(text)
    code.make(fit=True)
    rows: list[list[bool]] = code.get_matrix()
    drawn = "".join(f"M{left} {top}h{length}v1h-{length}z" for left, top, length in _runs(rows))
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#16202e" d="{drawn}"/></svg>'
    )


def _runs(rows: list[list[bool]]) -> list[tuple[int, int, int]]:
    """The dark modules as lines: column, row, length."""
    found = []
    for top, row in enumerate(rows):
        left = 0
        while left < len(row):
            length = 0
            while left + length < len(row) and row[left + length]:
                length += 1
            if length:
                found.append((left, top, length))
            left += length or 1
    return found
