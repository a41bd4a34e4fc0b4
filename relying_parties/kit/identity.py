"""Who a verified answer says is here: the human, the company he acts for, and by what right.

The provider's claims (OpenID Connect, and its own) become typed values here; below nobody reads JSON.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, StrictBool, StringConstraints, ValidationError

from relying_parties.kit.masking import mask_phone
from relying_parties.kit.provider import AnswerRefused

Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=300)]


class Kind(StrEnum):
    """Which sign-in a portal asks for: a company's (单位登录) or a person's own (个人登录)."""

    UNIT = "unit"
    PERSON = "person"


class Role(StrEnum):
    """By what right somebody is here."""

    LEGAL_REPRESENTATIVE = "legal_representative"
    OPERATOR = "operator"
    NATURAL_PERSON = "natural_person"


_ROLES = {Kind.UNIT: {Role.LEGAL_REPRESENTATIVE, Role.OPERATOR}, Kind.PERSON: {Role.NATURAL_PERSON}}


class Company(BaseModel):
    """The company somebody acts for."""

    model_config = ConfigDict(frozen=True)

    uscc: Text
    name: Text


class Mandate(BaseModel):
    """The right of an operator; `valid_until` is the first instant at which it no longer holds."""

    model_config = ConfigDict(frozen=True)

    valid_from: AwareDatetime
    valid_until: AwareDatetime
    manage_operators: StrictBool
    manage_seals: StrictBool
    department: Annotated[str, StringConstraints(max_length=300)] | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether the right holds at `now`."""
        return self.valid_from <= now < self.valid_until


class Profile(BaseModel):
    """What a portal keeps of an identity while its session lasts; no document number."""

    model_config = ConfigDict(frozen=True)

    sub: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=255)]
    role: Role
    name: Text
    acr: Text
    phone_masked: str | None = None
    company: Company | None = None
    mandate: Mandate | None = None

    @property
    def kind(self) -> Kind:
        """Which sign-in this profile comes from."""
        return Kind.PERSON if self.company is None else Kind.UNIT


@dataclass(frozen=True)
class Document:
    """An identity document, as given for one comparison; never stored and never printed."""

    id_type: str = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """A verified answer of the provider; `document` where the client may ask for it."""

    profile: Profile
    document: Document | None = None

    @classmethod
    def read(cls, kind: Kind, claims: dict[str, Any], userinfo: dict[str, Any], now: datetime) -> Self:
        """The identity in a verified ID token's `claims` and in the `userinfo` of the same sign-in.

        Raises AnswerRefused where the two disagree, or do not answer a request of this `kind`.
        """
        if userinfo.get("sub") != claims["sub"]:
            raise AnswerRefused("userinfo is about somebody else (OpenID Connect Core 5.3.2)")
        profile = _profile(claims, userinfo)
        _check_answers(kind, profile, userinfo)
        if profile.mandate is not None and not profile.mandate.is_live(now):
            raise AnswerRefused("the mandate does not hold now")
        return cls(profile, _document(userinfo))


def _profile(claims: dict[str, Any], userinfo: dict[str, Any]) -> Profile:
    role = claims.get("role")
    try:
        return Profile.model_validate(
            {
                "sub": claims["sub"],
                "role": role,
                "name": userinfo.get("name"),
                "acr": claims["acr"],
                "phone_masked": _phone(userinfo),
                "company": claims.get("entity"),
                "mandate": userinfo.get("mandate") if role == Role.OPERATOR else None,
            }
        )
    except ValidationError as malformed:
        fields = sorted({str(error["loc"][0]) for error in malformed.errors()})
        raise AnswerRefused(f"claims are missing or malformed: {', '.join(fields)}") from None


def _check_answers(kind: Kind, profile: Profile, userinfo: dict[str, Any]) -> None:
    if profile.role not in _ROLES[kind] or profile.kind is not kind:
        raise AnswerRefused("the answer is for another kind of sign-in than was asked")
    if profile.role is Role.OPERATOR and profile.mandate is None:
        raise AnswerRefused("an operator without a mandate")
    if profile.company is None:
        return
    entity = userinfo.get("entity")
    if not isinstance(entity, dict) or entity.get("uscc") != profile.company.uscc:
        raise AnswerRefused("userinfo names another company than the ID token")
    if userinfo.get("role", profile.role) != profile.role:
        raise AnswerRefused("userinfo names another role than the ID token")


def _phone(userinfo: dict[str, Any]) -> str | None:
    masked, full = userinfo.get("phone_number_masked"), userinfo.get("phone_number")
    if isinstance(full, str):
        return mask_phone(full)
    return masked if isinstance(masked, str) else None


def _document(userinfo: dict[str, Any]) -> Document | None:
    id_type, number = userinfo.get("id_type"), userinfo.get("id_number")
    if not isinstance(id_type, str) or not isinstance(number, str):
        return None
    return Document(id_type, number)
