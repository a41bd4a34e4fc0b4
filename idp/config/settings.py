"""The settings of an installation: all chapters together, what has to fit, and what follows from them."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from idp.config.chapters import (
    Appeals,
    Console,
    Installation,
    Messages,
    Mode,
    Pages,
    Passwords,
    Phones,
    Registers,
    SignIns,
    Tokens,
    Uploads,
)
from idp.config.fields import Chapter
from idp.config.web_addresses import host_of, is_loopback


@dataclass(frozen=True, kw_only=True)
class Settings(
    Installation,
    Pages,
    SignIns,
    Passwords,
    Tokens,
    Console,
    Messages,
    Phones,
    Registers,
    Appeals,
    Uploads,
):
    """What an installation may decide."""

    def _problems(self) -> list[str]:
        problems = []
        loopback = is_loopback(urlsplit(self.issuer).hostname or "")
        if self.mode is Mode.DEMO and not loopback:
            problems.append("Demo mode runs on loopback only: IDP_ISSUER must be localhost.")
        if self.mode is Mode.PRODUCTION and not self.issuer.startswith("https://") and not loopback:
            problems.append("IDP_ISSUER must be https in production.")
        if self.mode is Mode.PRODUCTION and not self.database_url:
            problems.append("IDP_DATABASE_URL is required in production.")
        secret = self.secret_key.get_secret_value()
        if len(secret) < 32 or len(set(secret)) < 10:
            problems.append("IDP_SECRET_KEY must be at least 32 random characters.")
        problems += self._face_problems(is_on_loopback=loopback)
        problems += self._sms_problems()
        try:
            self.data_key_map()
        except (ValueError, binascii.Error):
            problems.append("IDP_DATA_KEYS must be id:base64 of 32 bytes, comma-separated.")
        return problems

    def _face_problems(self, *, is_on_loopback: bool) -> list[str]:
        """What is wrong with the face service that is named."""
        if not self.face_url:
            return []
        problems, key = [], self.face_key.get_secret_value()
        if len(key) < 32 or len(set(key)) < 10:
            problems.append("IDP_FACE_KEY must be at least 32 random characters, 10 of them different.")
        if self.mode is Mode.PRODUCTION and not is_on_loopback and is_loopback(host_of(self.face_url)):
            problems.append("IDP_FACE_URL must not be on loopback in production: browsers cannot reach it.")
        return problems

    def _sms_problems(self) -> list[str]:
        """What is wrong with how SMS leave, and come back as reports."""
        problems, token = [], self.sms_receipt_token.get_secret_value()
        if self.sms_vendor and self.sms_url:
            problems.append("IDP_SMS_URL and IDP_SMS_VENDOR exclude one another.")
        if token and (len(token) < 32 or len(set(token)) < 10):
            problems.append("IDP_SMS_RECEIPT_TOKEN must be at least 32 random characters.")
        return problems

    @property
    def demo(self) -> bool:
        """Whether demo routes exist."""
        return self.mode is Mode.DEMO

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are Secure and carry the __Host- prefix: whenever the issuer is https."""
        return self.issuer.startswith("https://")

    def seconds(self, name: str) -> timedelta:
        """The duration setting `name` as a timedelta."""
        return timedelta(seconds=getattr(self, name))

    def data_key_map(self) -> dict[int, bytes]:
        """Key id to 32-byte key, the encrypting one first. Raises ValueError when malformed."""
        keys: dict[int, bytes] = {}
        for item in self.data_keys.get_secret_value().split(","):
            key_id, _, encoded = item.strip().partition(":")
            key = base64.b64decode(encoded, validate=True)
            if len(key) != 32 or not 1 <= int(key_id) <= 255 or int(key_id) in keys:
                raise ValueError(item)
            keys[int(key_id)] = key
        return keys

    def proxy_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The networks named in `trusted_proxies`."""
        parts = (part.strip() for part in self.trusted_proxies.split(","))
        return [ipaddress.ip_network(part, strict=False) for part in parts if part]

    def effective_files_dir(self) -> Path:
        """Where uploaded files lie, by default in the var directory."""
        return Path(self.files_dir) if self.files_dir else self.var_dir / "files"

    def effective_database_url(self) -> str:
        """The database to use, by default SQLite in the var directory."""
        return self.database_url or f"sqlite:///{self.var_dir.resolve() / 'idp.db'}"


CHAPTERS: tuple[type[Chapter], ...] = tuple(base for base in Settings.__bases__ if issubclass(base, Chapter))
"""In the order of docs/settings.md."""
