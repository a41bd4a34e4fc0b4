"""The seven papers of an appeal: their names, what each may be, the drawing that shows how (E03, E07–E11).

A paper is a field of the applicant's page, something to look at on the desk and, by its slot, a file of
:mod:`idp.accounts.files`. The drawings (示例图) are ours and stand among the theme's pictures; nobody's
papers are shown in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from idp.adapters.inspection import PICTURES, Kind
from idp.appeal.models import AppealKind

EVERY_APPEAL: Final = frozenset(AppealKind)
SCANNED: Final = (Kind.PDF, *PICTURES)
"""What E07 takes: PDF、JPG、PNG."""
WRITTEN: Final = (Kind.DOC, Kind.XLS, Kind.DOCX, Kind.XLSX, *PICTURES, Kind.PDF)
"""What E08 takes: DOC、XLS、DOCX、XLSX、JPG、PNG、PDF."""
_ID_FRONT: Final = "img/appeal/id-front.svg"
_ID_BACK: Final = "img/appeal/id-back.svg"
_FRONT_ALT: Final = "示例：身份证有照片、姓名和号码的一面，平放拍摄，四角完整，没有反光"
_BACK_ALT: Final = "示例：身份证有国徽、签发机关和有效期限的一面，平放拍摄，四角完整，没有反光"
_BACK_HINT: Final = "有国徽和有效期限的一面。护照等只有一页资料的证件，请再上传一次资料页"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: `slot` is its field and its place among stored files, `label` fits after 请上传.

    `kinds` are what it may be, in the order the page names them; `sample` is its drawing, a file of the
    theme, and `sample_alt` what the drawing shows; `needed_for` are the appeals that ask for it.
    """

    slot: str
    label: str
    hint: str
    kinds: tuple[Kind, ...]
    sample: str
    sample_alt: str
    needed_for: frozenset[AppealKind] = EVERY_APPEAL


PAPERS: Final = (
    Paper(
        "licence",
        "企业营业执照原件",
        "正本或副本都可以，拍下或扫描整页，不要复印件。没有营业执照的单位，上传登记证书",
        SCANNED,
        "img/appeal/licence.svg",
        "示例：营业执照整页，统一社会信用代码、企业名称、法定代表人和登记机关的印章都清楚",
    ),
    Paper(
        "authorisation",
        "企业授权书",
        "下载模板填写，由法定代表人签字并加盖公章，再拍下或扫描整页",
        WRITTEN,
        "img/appeal/authorisation.svg",
        "示例：填好的企业账号申诉授权书，左下方有法定代表人签字，右下方盖有单位公章",
    ),
    Paper(
        "representative_front",
        "法定代表人身份证正面（人像面）",
        "有照片和号码的一面。用其他证件的，上传有照片的资料页",
        PICTURES,
        _ID_FRONT,
        _FRONT_ALT,
    ),
    Paper(
        "representative_back",
        "法定代表人身份证反面（国徽面）",
        _BACK_HINT,
        PICTURES,
        _ID_BACK,
        _BACK_ALT,
    ),
    Paper(
        "operator_front",
        "经办人身份证正面（人像面）",
        "授权书上写的经办人本人的证件。用其他证件的，上传有照片的资料页",
        PICTURES,
        _ID_FRONT,
        _FRONT_ALT,
    ),
    Paper(
        "operator_back",
        "经办人身份证反面（国徽面）",
        _BACK_HINT,
        PICTURES,
        _ID_BACK,
        _BACK_ALT,
    ),
    Paper(
        "operator_holding",
        "经办人手持身份证照片",
        "本人手持证件人像面，正脸免冠，脸和证件上的字都清楚，不要遮挡，不要镜像",
        PICTURES,
        "img/appeal/holding.svg",
        "示例：一个人正对镜头，双手在胸前拿着身份证，人像面朝外，没有遮住脸和证件",
    ),
)
"""In the order of the page."""
BY_SLOT: Final = {paper.slot: paper for paper in PAPERS}


def papers_for(kind: AppealKind) -> tuple[Paper, ...]:
    """The papers an appeal of `kind` asks for, in the order of the page (E03)."""
    return tuple(paper for paper in PAPERS if kind in paper.needed_for)
