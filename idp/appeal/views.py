"""Every page for whoever is not signed in, under the room's one blueprint."""

from __future__ import annotations

from idp.appeal import applicant, materials, result
from idp.appeal.room import blueprint

__all__ = ["applicant", "blueprint", "materials", "result"]
