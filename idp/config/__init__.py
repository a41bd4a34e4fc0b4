"""Settings: typed, documented, read once from the environment.

``chapters`` says what an installation may decide, ``fields`` what a setting is, ``settings`` what has to fit,
``loading`` reads it.
"""

from __future__ import annotations

from idp.config.chapters import Mode
from idp.config.fields import PREFIX, Chapter, Secret, Setting, SettingsRefused, described
from idp.config.loading import (
    DEMO_PHONE,
    DEMO_SIMULATORS,
    as_variables,
    child_environment,
    kept_secret,
    load_demo_settings,
    load_settings,
    unread,
)
from idp.config.settings import CHAPTERS, Settings
from idp.config.web_addresses import is_address, is_loopback

__all__ = [
    "CHAPTERS",
    "DEMO_PHONE",
    "DEMO_SIMULATORS",
    "PREFIX",
    "Chapter",
    "Mode",
    "Secret",
    "Setting",
    "Settings",
    "SettingsRefused",
    "as_variables",
    "child_environment",
    "described",
    "is_address",
    "is_loopback",
    "kept_secret",
    "load_demo_settings",
    "load_settings",
    "unread",
]
