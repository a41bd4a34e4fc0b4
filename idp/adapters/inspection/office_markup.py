"""The XML of a DOCX or XLSX: what in it fetches, starts or asks something without a click.

Elements are told by their own names. Those of a field must be in Word's namespace, as they hide in no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NoReturn
from xml.parsers import expat

from idp.adapters.inspection.kinds import Kind
from idp.adapters.inspection.refusals import UploadRefused, Why

_WORD: Final = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
}
_SVG: Final = "http://www.w3.org/2000/svg"
_LISTED: Final = {"Relationship", "Override", "Default"}

# Fields that start a program, or fetch a file or a database ([ECMA-376-1] §17.16.5), and their old names.
# A link and a button for a macro wait for a click, and a macro is nowhere in here: they may stay.
_ACTIVE_FIELDS: Final = (
    "DDEAUTO",
    "LINK",
    "INCLUDEPICTURE",
    "INCLUDETEXT",
    "IMPORT",
    "DATABASE",
    "RD",
    "CONTROL",
)
# No other field's name begins like these, so what follows is not looked at: a tab may hide its end.
_ACTIVE_FIELD: Final = re.compile(r"[^\w=]*(?:DDE|LINK|INCLUDE|IMPORT|DATA|RD|CONTROL)", re.IGNORECASE)
_BEFORE_A_NAME: Final = re.compile(r"[^\w=]+")
_LONGEST_NAME: Final = 32
_FIELD_TEXTS: Final = {"instrText", "delInstrText", "t", "delText"}
_FIELD_MARKS: Final = {"fldChar", "fldSimple", "instrText", "delInstrText"}
# Read instead of what stands beside it, or apart from it: no field may begin in here and end outside.
_ISLANDS: Final = {"Choice", "Fallback", "txbxContent"}

_FORMULAS: Final = {
    "f",
    "formula",
    "formula1",
    "formula2",
    "definedName",
    "calculatedColumnFormula",
    "totalsRowFormula",
}
_NO_FORMULAS: Final = ("/math", ":vml")
"""Where an `f` is a fraction, or an outline's guide."""
_CALLS: Final = (
    r"WEBSERVICE|IMAGE|FILTERXML|RTD|DDE|STOCKHISTORY|TRANSLATE|COPILOT|IMPORT(?:TEXT|CSV|XML|HTML|DATA|FEED|RANGE)"
    r"|SQL\.REQUEST|CALL|REGISTER(?:\.ID)?|EXEC|EXECUTE|RUN|INITIATE|POKE|REQUEST|FOPEN|FILES"
)
# Strings are not left out: where one begins can be feigned. With a prefix (_xleta.) the name alone calls.
_ACTIVE_FORMULA: Final = re.compile(
    rf"\b(?:{_CALLS})\s*\(|\b_xl\w*\.(?:PY|{_CALLS})\b"
    # DDE: program|topic!item; the topic may stand in quotation marks, or both of them.
    r"|\|\s*'|\|[^|\"'!,;()\s]*!|'[^'|]*\|[^']*'!"
    # Another workbook: [1]Sheet!A1 ([0] is this one; a string that begins so is a link's), '[1]A sheet'!A1.
    r"|(?<!\")\[(?!0\])[^\[\]]*\][\w.:]*![\w$#'(]|\](?:[^'\[\]]|'')*'!"
    # 'C:\a.xlsx'!name: no sheet's name has a slash.
    r"|[\\/](?:[^'\\/]|'')*'[!#]",
    re.IGNORECASE,
)
_LONGEST_FORMULA: Final = 64 * 1024
"""Excel's end at 8,192 characters."""

_SVG_PROGRAMS: Final = {"script", "foreignobject", "handler", "listener", "iframe", "object", "embed"}
_PLACE_IN_IT: Final = re.compile(r"\s*(?:#|data:image/(?:png|jpe?g|gif)[;,]|$)", re.IGNORECASE)
_STYLE_THAT_FETCHES: Final = re.compile(
    r"@import|\\|url\(\s*[\"']?(?![\"'#\s]|data:image/(?:png|jpe?g|gif)[;,])", re.IGNORECASE
)
ADDRESS: Final = re.compile(r"\s*(?:[a-z][a-z0-9+.-]+:|[\\/]{2})", re.IGNORECASE)
"""What leads out of the file: a scheme, or the name of another machine."""
_VML_PICTURES: Final = {"imagedata", "fill", "stroke", "image"}
_TOLD_BY_ATTRIBUTES: Final = {*_VML_PICTURES, "connectString", "property"}
# Excel writes its outlines (VML) as HTML was written, so they cannot be parsed.
_ACTIVE_VML: Final = re.compile(
    rb"\0|<!\s*(?:doctype|entity)|<\s*script"
    rb"|[\s:\"'](?:src|o:href)\s*=\s*[\"']?\s*(?:&|[a-z][a-z0-9+.-]+:|[\\/]{2})",
    re.IGNORECASE,
)


def check_vml(content: bytes) -> None:
    """Raises UploadRefused."""
    if _ACTIVE_VML.search(content):
        _refuse("an outline that fetches or starts something")


def _refuse(why: str) -> NoReturn:
    raise UploadRefused(Why.ACTIVE, why)


class _Field:
    """One field of Word's: how its code begins, and whether that goes on.

    What is in no element of code, or deleted, may count as code or not. So the code is judged both ways.
    """

    def __init__(self) -> None:
        self._code = self._all = ""
        self.is_code = True

    def add(self, element: str, text: str) -> None:
        self._all = _begun(self._all, text)
        if element == "instrText":
            self._code = _begun(self._code, text)

    def holds_another(self) -> None:
        """Whose result would become the rest of this one's name is refused."""
        for begun in (self._code.upper(), self._all.upper()):
            if self.is_code and any(active.startswith(begun) for active in _ACTIVE_FIELDS):
                _refuse("a field whose name another makes")

    def judge(self) -> None:
        judge_field(self._code)
        judge_field(self._all)


def _begun(code: str, text: str) -> str:
    """The beginning of a field's code with what comes next; nothing but a name counts."""
    if len(code) >= _LONGEST_NAME:
        return code
    if not code and (blank := _BEFORE_A_NAME.match(text)):
        text = text[blank.end() :]
    return (code + text)[:_LONGEST_NAME]


def judge_field(code: str) -> None:
    """Raises UploadRefused."""
    if _ACTIVE_FIELD.match(code):
        _refuse("a field that fetches or starts something")


def _judge_formula(formula: str) -> None:
    if len(formula) > _LONGEST_FORMULA:
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "an endless formula")
    if _ACTIVE_FORMULA.search(formula):
        _refuse("a formula that fetches or starts something")


def _judge_style(style: str) -> None:
    if _STYLE_THAT_FETCHES.search(style):
        _refuse("a style that fetches something")


class Reader:
    """One XML part, judged while it is read; `elements` are those of a list of types or relationships.

    A document type, with which entities that grow or reach outside are declared, is refused.
    """

    def __init__(self, kind: Kind) -> None:
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.root = ""
        self._formulas = _FORMULAS if kind is Kind.XLSX else set[str]()
        self._depth = 0
        # Open fields, the innermost last, below them what stands in none; and those around each island.
        self._fields = [_Field()]
        self._around: list[list[_Field]] = []
        self._field_text = ""
        # What is gathered till its element ends, and the rule for it.
        self._judge: Callable[[str], None] | None = None
        self._gathered: list[str] = []
        self._gathered_at = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.ProcessingInstructionHandler = self._instruction

    def read(self, content: bytes) -> None:
        """Raises UploadRefused, ExpatError."""
        self._parser.Parse(content, True)  # noqa: FBT003 - expat's signature
        self._judge_fields()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        self._depth += 1
        self.root = self.root or tag
        if name in _LISTED:
            self.elements.append((name, attributes))
        elif name in _ISLANDS:
            self._around.append(self._fields)
            self._fields = [_Field()]
        elif name in _FIELD_MARKS or (name in _FIELD_TEXTS and space in _WORD):
            self._start_field(space, name, attributes)
        elif name in self._formulas or (self._formulas and name.startswith("Fmla")):
            if not space.endswith(_NO_FORMULAS):
                self._gather(_judge_formula)
        elif space == _SVG:
            self._start_svg(name, attributes)
        if attributes and (name in _TOLD_BY_ATTRIBUTES or "formula" in attributes):
            self._check_attributes(space, name, attributes)

    def _end(self, tag: str) -> None:
        space, _, name = tag.rpartition(" ")
        self._depth -= 1
        if name in _ISLANDS:
            self._judge_fields()
            if len(self._fields) > 1:
                _refuse("a field that is not ended where it begins")
            self._fields = self._around.pop()
        elif name in _FIELD_TEXTS and space in _WORD:
            self._field_text = ""
        elif name == "p" and len(self._fields) == 1:
            # Code outside of a field is none to Word; whoever takes it for one ends it here.
            self._judge_fields()
            self._fields = [_Field()]
        if self._judge and self._depth < self._gathered_at:
            judge, self._judge = self._judge, None
            judge("".join(self._gathered))

    def _text(self, text: str) -> None:
        if self._field_text:
            self._fields[-1].add(self._field_text, text)
        if self._judge:
            self._gathered.append(text)

    def _gather(self, judge: Callable[[str], None]) -> None:
        if not self._judge:
            self._judge, self._gathered, self._gathered_at = judge, [], self._depth

    def _start_field(self, space: str, name: str, attributes: dict[str, str]) -> None:
        if space not in _WORD:
            _refuse("a field in a foreign name")
        kind = next((value for key, value in attributes.items() if key.endswith(" fldCharType")), "")
        in_field, field = len(self._fields) > 1, self._fields[-1]
        if name == "fldSimple":
            if in_field:
                field.holds_another()
            for value in attributes.values():
                judge_field(value)
        elif kind == "begin":
            if in_field:
                field.holds_another()
            self._fields.append(_Field())
        elif kind == "separate":
            field.is_code = False
        elif kind == "end" and in_field:
            self._fields.pop().judge()
        elif "nstrText" in name or (in_field and field.is_code and name != "fldChar"):
            self._field_text = name

    def _judge_fields(self) -> None:
        for field in self._fields:
            field.judge()

    def _start_svg(self, name: str, attributes: dict[str, str]) -> None:
        if name.lower() in _SVG_PROGRAMS or any(key.lower().startswith("on") for key in attributes):
            _refuse("a drawing with a program")
        for key, value in attributes.items():
            if key.rpartition(" ")[2].lower() == "href" and not _PLACE_IN_IT.match(value):
                _refuse("a drawing that fetches something")
            if "url" in value.lower() or key == "style":
                _judge_style(value)
        if name == "style":
            self._gather(_judge_style)

    def _check_attributes(self, space: str, name: str, attributes: dict[str, str]) -> None:
        """What a program fetches or asks that stands in no field and no formula."""
        if name == "connectString":
            _refuse("a database")
        # Where a program of .NET that belongs to the document is loaded from (VSTO).
        if name == "property" and attributes.get("name", "").strip().lower().startswith("_assembly"):
            _refuse("a program that belongs to it")
        if name in _VML_PICTURES and space != _SVG:
            for key, value in attributes.items():
                if key.rpartition(" ")[2].lower() in {"src", "href"} and ADDRESS.match(value):
                    _refuse("a picture from elsewhere")
        if self._formulas and "formula" in attributes:
            _judge_formula(attributes["formula"])

    def _instruction(self, target: str, _data: str) -> None:
        if target.lower() == "xml-stylesheet":
            _refuse("a style from elsewhere")

    def _refuse_doctype(self, *_declared: object) -> None:
        _refuse("a document type in XML")


def is_drawing(root: str) -> bool:
    """Whether an XML part whose outermost element is this is an SVG."""
    return root == f"{_SVG} svg"
