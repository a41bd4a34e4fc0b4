"""What the registers of the demo have on record: its own file, which a test compares with the demo world."""

from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

_FILE: Final = Path(__file__).with_name("demo_records.json")


class PersonRecord(BaseModel):
    """A person with the four elements; `valid_until` None: 长期."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    id_type: str
    id_number: str
    valid_from: date
    valid_until: date | None
    phone: str


class CompanyRecord(BaseModel):
    """A company, its legal representative by his document, and its status."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uscc: str
    name: str
    type: str
    representative_name: str
    representative_id_type: str
    representative_id_number: str
    status: str


class Records(BaseModel):
    """Everybody and every company on record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    people: list[PersonRecord]
    companies: list[CompanyRecord]

    def person(self, id_type: str, id_number: str) -> PersonRecord | None:
        """The person with this document, None where nobody has it."""
        wanted = (id_type, id_number)
        return next((one for one in self.people if (one.id_type, one.id_number) == wanted), None)

    def company(self, uscc: str) -> CompanyRecord | None:
        """The company with this credit code, None where none has it."""
        return next((one for one in self.companies if one.uscc == uscc), None)


def load_records() -> Records:
    """The records as they stand in the file."""
    return Records.model_validate_json(_FILE.read_bytes())
