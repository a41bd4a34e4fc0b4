"""What somebody tells of a company and of its representative, each value as the form parsed it (B03–B10).

Registration, activation and appeals ask for the same; a journey keeps it, and so does an appeal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from idp.accounts.documents import Document
from idp.accounts.models import IdType


@dataclass(frozen=True, slots=True)
class Claim:
    """The company and its representative as somebody tells them; nothing of it is checked yet."""

    type: str
    name: str
    uscc: str
    representative_name: str
    document: Document

    def as_facts(self) -> dict[str, Any]:
        """As a journey keeps it."""
        document = self.document
        return {
            "type": self.type,
            "name": self.name,
            "uscc": self.uscc,
            "representative_name": self.representative_name,
            "id_type": document.id_type.value,
            "id_number": document.id_number,
            "valid_from": document.valid_from.isoformat(),
            "valid_until": document.valid_until.isoformat() if document.valid_until else "",
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Claim:
        """From what a journey keeps."""
        until = facts["valid_until"]
        return cls(
            facts["type"],
            facts["name"],
            facts["uscc"],
            facts["representative_name"],
            Document(
                IdType(facts["id_type"]),
                facts["id_number"],
                date.fromisoformat(facts["valid_from"]),
                date.fromisoformat(until) if until else None,
            ),
        )
