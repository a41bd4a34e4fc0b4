"""A QR code as an SVG picture: a pure function of what it says."""

from __future__ import annotations

_QUIET = 2
"""Modules left white around it; the frame of the page is white, too."""
_MASK = 3
"""Any mask is read by any reader (ISO/IEC 18004 §7.8); trying all eight would cost ten times as much."""


def svg(text: str) -> str:
    """The picture of `text`, readable with up to 30 % of it covered (level H): a mark lies on its middle."""
    # A worker that shows no code has no use for 5 MB.
    import qrcode  # noqa: PLC0415 - as said above
    from qrcode.constants import ERROR_CORRECT_H  # noqa: PLC0415 - as said above

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_H, border=_QUIET, mask_pattern=_MASK)
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
