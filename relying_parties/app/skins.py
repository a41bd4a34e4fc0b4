"""The apps of the demo: one program, three names, each a client of its own at the provider (X17)."""

from dataclasses import dataclass
from typing import Any, Final

from relying_parties.app.config import Settings


@dataclass(frozen=True, slots=True)
class Skin:
    """One app: `key` is its channel at the provider, `path` where it lives here, with a slash at both ends.

    `surfaces`: as what it may run. `says` is what it is for, `brings` which identities come with the person.
    `closed`: it does not scan yet, and offers no scanning. `colour` is the one of its head
    (theme/static/tokens.css names it), for the phone's own bars, which know no style sheet.
    """

    key: str
    name: str
    path: str
    surfaces: tuple[str, ...]
    says: str
    brings: str
    colour: str
    closed: bool = False

    def told(self, client_id: str) -> dict[str, Any]:
        """What the page is told of it."""
        return {
            "key": self.key,
            "name": self.name,
            "path": self.path,
            "surfaces": list(self.surfaces),
            "says": self.says,
            "brings": self.brings,
            "closed": self.closed,
            "client_id": client_id,
        }


SKINS: Final = (
    Skin(
        "jishiban",
        "吉事办",
        "/",
        ("app",),
        "扫一扫，用个人、法人或经办人身份登录电脑上的网站。",
        "您的法人和经办人身份会一起出现。",
        "#1d56c8",
    ),
    Skin(
        "social_card",
        "电子社保卡",
        "/social-card/",
        ("app", "mini_program"),
        "扫一扫，用个人或经办人身份登录电脑上的网站。需要已领取的电子社保卡。",
        "您的经办人身份会一起出现。",
        "#0a7358",
    ),
    Skin(
        "licence",
        "电子营业执照",
        "/licence/",
        ("app",),
        "电子营业执照登录尚未开通。请用「吉事办」App，或者在电脑上用密码登录。",
        "",
        "#465365",
        closed=True,
    ),
)


def configuration(settings: Settings) -> dict[str, Any]:
    """What `/config.json` says: the provider, and the apps with their client ids."""
    client_ids = {
        "jishiban": settings.jishiban,
        "social_card": settings.social_card,
        "licence": settings.licence,
    }
    return {"issuer": settings.issuer, "channels": [skin.told(client_ids[skin.key]) for skin in SKINS]}


def manifest(skin: Skin, icons: dict[int, str]) -> dict[str, Any]:
    """The web app manifest of `skin`; `icons` are addresses by size in pixels."""
    return {
        "id": skin.path,
        "name": skin.name,
        "short_name": skin.name,
        "description": skin.says,
        "lang": "zh-Hans",
        "start_url": skin.path,
        "scope": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": skin.colour,
        "icons": [
            {"src": src, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for size, src in icons.items()
            for purpose in ("any", "maskable")
        ],
    }
