"""The catalogue as text: docs/errors.md, and the page that every `error_uri` leads to."""

from __future__ import annotations

from dataclasses import dataclass

from idp.web.refusals import (
    Refusal,
    answers,
    anywhere,
    authorization,
    catalogue,
    clients,
    dpop,
    face,
    grants,
    pages,
    registration,
    requests,
    resources,
    scan,
)

_CHAPTERS = {
    1000: ("Said on a page", pages),
    1100: ("The authorization request", authorization),
    1200: ("Pushed and signed requests", requests),
    1300: ("What the sign-in did not give", answers),
    2000: ("Client authentication", clients),
    2100: ("The token endpoint", grants),
    3000: ("Proofs of possession (DPoP)", dpop),
    4000: ("Using, asking about and ending tokens", resources),
    5000: ("Registering a client by a program", registration),
    6000: ("The phone that scans", scan),
    6060: ("The phone that shows a face", face),
    9000: ("Any endpoint", anywhere),
}
"""Where a chapter begins, and the file its refusals are in (importing it is what lists them)."""
_HEAD = """# Errors, by number

Every error of an OAuth endpoint carries an `error_uri` that ends in one of these numbers; the provider
shows the same list at `/help/errors`. Numbers are never given twice.

This page is made from `idp/web/refusals/`: `idp errors > docs/errors.md`.
"""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Refusals of one kind."""

    title: str
    refusals: tuple[Refusal, ...]


def chapters() -> list[Chapter]:
    """The catalogue, a chapter a range of numbers."""
    begins = sorted(_CHAPTERS)
    ends = [*begins[1:], 10_000]
    return [
        Chapter(_CHAPTERS[first][0], tuple(found for found in catalogue() if first <= found.number < end))
        for first, end in zip(begins, ends, strict=True)
    ]


def errors_page() -> str:
    """The text of docs/errors.md."""
    return _HEAD + "".join(_chapter(chapter) for chapter in chapters())


def _chapter(chapter: Chapter) -> str:
    return f"\n## {chapter.title}\n" + "".join(_entry(refusal) for refusal in chapter.refusals)


def _entry(refusal: Refusal) -> str:
    shown = f"\n\nThe person reads: {refusal.zh}" if refusal.zh else ""
    said = f"`{refusal.error}`: {refusal.says}"
    return f"\n### {refusal.number}\n\n{said}\n\n{refusal.fix} ({refusal.source}){shown}\n"
