"""The seven papers of an appeal and the drawings beside them: E03, E07–E11."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import theme
from idp.adapters.inspection import Inspector, Kind
from idp.appeal.models import AppealKind
from idp.appeal.papers import BY_SLOT, PAPERS, papers_for
from tests.world import World

SVG = "{http://www.w3.org/2000/svg}"
PICTURES = "JPG、PNG"
ASKED_FOR = {
    "licence": "PDF、JPG、PNG",
    "authorisation": "DOC、XLS、DOCX、XLSX、JPG、PNG、PDF",
    "representative_front": PICTURES,
    "representative_back": PICTURES,
    "operator_front": PICTURES,
    "operator_back": PICTURES,
    "operator_holding": PICTURES,
}
"""E07 to E11, as the guides write the kinds."""


def test_both_appeals_ask_for_the_seven_papers_in_the_kinds_of_the_guides() -> None:
    for kind in AppealKind:
        asked = {
            paper.slot: "、".join(one.value.upper() for one in paper.kinds) for paper in papers_for(kind)
        }
        assert list(asked.items()) == list(ASKED_FOR.items()), kind


def test_every_paper_is_called_by_its_own_name_and_says_how_it_is_to_be() -> None:
    assert len({paper.label for paper in PAPERS}) == len(PAPERS)
    for paper in PAPERS:
        assert paper.hint, paper.slot
        assert paper.sample_alt.startswith("示例："), paper.slot


def test_the_template_of_the_authorisation_is_itself_a_file_that_is_taken() -> None:
    for kind in (Kind.DOCX, Kind.PDF):
        assert kind in BY_SLOT["authorisation"].kinds
        template = theme.STATIC_DIR / f"appeal/authorisation.{kind.value}"
        assert Inspector().check(kind, template.read_bytes()).kind is kind


def test_the_drawing_beside_every_paper_says_that_it_is_an_example(world: World) -> None:
    """Seen and read: 示例 stands in the picture, and nothing in it is fetched, run or restyled."""
    for sample in sorted({paper.sample for paper in PAPERS}):
        answer = world.browser().open(f"/theme/{sample}").response
        assert answer.status_code == 200, sample
        assert answer.mimetype == "image/svg+xml", sample
        drawn = ET.fromstring(answer.text)  # noqa: S314 - our own picture
        said = [(one.text or "") for one in drawn.iter(f"{SVG}text")]
        assert "示例" in said, sample
        assert "示例" in (drawn.findtext(f"{SVG}title") or ""), sample
        assert drawn.get("viewBox") == "0 0 320 200", sample
        assert not re.search(r"<script|<image|<use|href|\sstyle=|\son\w+=", answer.text), sample
