"""Every page of the desk, for :mod:`idp.app` to register."""

from __future__ import annotations

from idp.appeal.desk import decision, figures, numbers, one, papers, queue
from idp.appeal.desk.room import blueprint

__all__ = ["blueprint", "decision", "figures", "numbers", "one", "papers", "queue"]
