"""Loading the records of insured units from a JSON file, once, while the portal has none."""

import hashlib
import hmac
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from relying_parties.kit.identity import Role
from relying_parties.kit.masking import mask_id_number
from relying_parties.kit.settings import SettingsRefused
from relying_parties.social_insurance.models import InsuredUnit, UnitPerson


class _PersonRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    id_type: str
    id_number: str


class _UnitRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")

    uscc: str
    name: str
    legal_representative: _PersonRecord
    operators: list[_PersonRecord]


class _Records(BaseModel):
    model_config = ConfigDict(extra="forbid")

    units: list[_UnitRecord]


def document_hash(secret: str, id_type: str, number: str) -> str:
    """The keyed hash by which document numbers are compared; x and X are the same check character."""
    text = f"document:{id_type}:{number.strip().upper()}"
    return hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def load_records(session: Session, file: Path, secret: str) -> int:
    """Read `file` into the database if it has no unit yet; how many units were read.

    Raises SettingsRefused if the file cannot be used; its content is not repeated.
    """
    if session.scalar(select(InsuredUnit.uscc).limit(1)) is not None:
        return 0
    units = _read(file).units
    session.add_all(_unit(record, secret) for record in units)
    return len(units)


def _read(file: Path) -> _Records:
    try:
        return _Records.model_validate_json(file.read_bytes())
    except OSError:
        raise SettingsRefused("SI_RECORDS names a file that cannot be read.") from None
    except ValidationError as malformed:
        where = sorted({".".join(map(str, error["loc"])) or "the file" for error in malformed.errors()})
        raise SettingsRefused(f"SI_RECORDS is malformed at: {', '.join(where)}.") from None


def _unit(record: _UnitRecord, secret: str) -> InsuredUnit:
    people = [_person(record.legal_representative, Role.LEGAL_REPRESENTATIVE, secret)]
    people += [_person(operator, Role.OPERATOR, secret) for operator in record.operators]
    return InsuredUnit(uscc=record.uscc, name=record.name, people=people)


def _person(record: _PersonRecord, role: Role, secret: str) -> UnitPerson:
    return UnitPerson(
        role=role,
        name=record.name,
        document_hash=document_hash(secret, record.id_type, record.id_number),
        document_masked=mask_id_number(record.id_number),
    )
