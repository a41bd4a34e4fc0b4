"""The phone app's server: one page for every route, headers against strangers, files that stay together."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from relying_parties.app import assets
from relying_parties.app.app import create_app
from relying_parties.app.config import load_settings
from relying_parties.app.shell import ROUTES
from relying_parties.app.skins import SKINS
from relying_parties.kit.settings import SettingsRefused

ISSUER = "https://id.example.org"
OWN = "https://app.example.org"
GIVEN = {"APP_ISSUER": ISSUER, "APP_BASE_URL": OWN}
MODULES = sorted(assets.STATIC_DIR.glob("*.js"))


@pytest.fixture
def phone() -> FlaskClient:
    return create_app(load_settings(GIVEN)).test_client()


def get(phone: FlaskClient, path: str, base: str = OWN) -> Any:
    # Buffered: a file that is sent is closed again.
    return phone.get(path, base_url=base, buffered=True)


def policy(answer: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("skin", SKINS, ids=lambda skin: skin.key)
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_of_every_app_is_the_page_of_that_app(phone: FlaskClient, skin: Any, route: str) -> None:
    answer = get(phone, skin.path + route)
    assert answer.status_code == 200
    assert f"<title>{skin.name}</title>" in answer.text
    assert f'href="{skin.path}manifest.webmanifest"' in answer.text


def test_the_server_knows_the_routes_that_the_page_draws() -> None:
    main = (assets.STATIC_DIR / "main.js").read_text(encoding="utf-8")
    drawn = {path.removeprefix("/") for path in re.findall(r'^route\("(/[a-z-]*)"', main, re.MULTILINE)}
    assert drawn == {*ROUTES, "callback"}


@pytest.mark.parametrize(
    "path", ["/nothing", "/social-card/callback", "/scan/x", "/static/x/../app.py", "/me/"]
)
def test_what_is_no_page_is_said_to_be_none(phone: FlaskClient, path: str) -> None:
    answer = get(phone, path)
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text


def test_an_app_without_its_last_slash_is_found(phone: FlaskClient) -> None:
    answer = get(phone, "/social-card")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/social-card/")


def test_a_page_may_talk_to_the_provider_and_to_nobody_else(phone: FlaskClient) -> None:
    allowed = policy(get(phone, "/"))
    assert allowed["default-src"] == ["'none'"]
    assert allowed["connect-src"] == ["'self'", ISSUER]
    assert allowed["script-src"] == ["'self'"]
    assert allowed["form-action"] == allowed["frame-ancestors"] == allowed["base-uri"] == ["'none'"]
    assert not any("unsafe" in source for sources in allowed.values() for source in sources)


@pytest.mark.parametrize("path", ["/", "/config.json", "/sw.js", "/nothing", "/manifest.webmanifest"])
def test_every_answer_bears_the_headers(phone: FlaskClient, path: str) -> None:
    headers = get(phone, path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert "max-age=" in headers["Strict-Transport-Security"]
    assert "Set-Cookie" not in headers


def test_over_http_on_loopback_nobody_is_bound_to_https() -> None:
    plain = create_app(load_settings({})).test_client()
    assert "Strict-Transport-Security" not in get(plain, "/", "http://localhost:8004").headers


def test_another_host_name_is_not_this_app(phone: FlaskClient) -> None:
    assert get(phone, "/", "https://another.example.org").status_code == 400


def test_the_page_holds_no_script_and_no_style_of_its_own(phone: FlaskClient) -> None:
    page = get(phone, "/").text
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert "style=" not in page
    assert re.findall(r"\son[a-z]+=", page) == []


def test_no_module_writes_markup() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function")
    assert [path.name for path in MODULES if forbidden.search(path.read_text(encoding="utf-8"))] == []


def test_without_its_scripts_the_page_says_what_to_do(phone: FlaskClient) -> None:
    page = get(phone, "/social-card/").text
    body = page[page.index('id="app"') :]
    for words in ("正在打开电子社保卡", "更新浏览器", "在电脑上用密码登录"):
        assert words in body


YOUNGER = re.compile(
    r"\|\|=|&&=|\?\?=|hasOwn\b|structuredClone|AbortSignal\.|replaceAll|Promise\.any|\.at\(-?\d|findLast|toSorted|"
    r"randomUUID|Object\.groupBy|withResolvers|\bthis\.#|^\s+#\w|\bstatic \{|^(?:const .* = )?await\b",
    re.MULTILINE,
)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_asks_for_nothing_younger_than_chrome_80(module: Path) -> None:
    assert YOUNGER.findall(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "newer", ["a ||= b", "Object.hasOwn(a, b)", "AbortSignal.any([a])", "await start();"]
)
def test_what_is_younger_would_be_seen(newer: str) -> None:
    assert YOUNGER.search(newer)


def test_modules_are_short() -> None:
    assert MODULES
    assert [path.name for path in MODULES if len(path.read_text(encoding="utf-8").splitlines()) >= 200] == []


def test_the_page_is_told_the_provider_and_the_apps(phone: FlaskClient) -> None:
    told = get(phone, "/config.json").json
    assert told["issuer"] == ISSUER
    assert [(each["key"], each["path"], each["client_id"]) for each in told["channels"]] == [
        ("jishiban", "/", "jishiban"),
        ("social_card", "/social-card/", "social-card"),
        ("licence", "/licence/", "licence"),
    ]


def test_client_ids_are_the_installations_own() -> None:
    phone = create_app(load_settings(GIVEN | {"APP_SOCIAL_CARD": "card-9"})).test_client()
    assert get(phone, "/config.json").json["channels"][1]["client_id"] == "card-9"


def test_each_app_says_which_identities_come_along_and_whether_it_scans(phone: FlaskClient) -> None:
    told = {each["key"]: each for each in get(phone, "/config.json").json["channels"]}
    assert "法人" in told["jishiban"]["brings"]
    assert "法人" not in told["social_card"]["brings"] + told["social_card"]["says"]
    assert [key for key, each in told.items() if each["closed"]] == ["licence"]
    assert "尚未开通" in told["licence"]["says"]
    assert "扫一扫" not in told["licence"]["says"]


def test_only_the_social_card_runs_as_a_mini_program_too() -> None:
    assert [skin.key for skin in SKINS if "mini_program" in skin.surfaces] == ["social_card"]


@pytest.mark.parametrize("skin", SKINS, ids=lambda skin: skin.key)
def test_each_app_can_be_put_on_the_home_screen(phone: FlaskClient, skin: Any) -> None:
    answer = get(phone, f"{skin.path}manifest.webmanifest")
    manifest = json.loads(answer.data)
    assert answer.mimetype == "application/manifest+json"
    assert (manifest["name"], manifest["start_url"], manifest["display"]) == (
        skin.name,
        skin.path,
        "standalone",
    )
    for icon in manifest["icons"]:
        picture = get(phone, icon["src"])
        assert (picture.status_code, picture.mimetype) == (200, "image/png")


@pytest.mark.parametrize("size", [192, 512])
def test_a_picture_is_as_large_as_it_says(size: int) -> None:
    with Image.open(assets.STATIC_DIR / "icons" / f"{size}.png") as picture:
        assert picture.size == (size, size)


def test_no_manifest_where_no_app_is(phone: FlaskClient) -> None:
    assert get(phone, "/scan/manifest.webmanifest").status_code == 404


def test_a_file_of_this_version_is_kept_and_one_of_another_is_not(phone: FlaskClient) -> None:
    kept = get(phone, assets.address("main.js"))
    assert "immutable" in kept.headers["Cache-Control"]
    older = get(phone, "/static/0123456789/main.js")
    assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-cache")
    assert older.data == kept.data


def test_pages_and_settings_are_never_kept_without_asking(phone: FlaskClient) -> None:
    for path in ("/", "/config.json", "/sw.js"):
        assert get(phone, path).headers["Cache-Control"] == "no-cache"


def test_the_service_worker_keeps_everything_the_app_is_made_of(phone: FlaskClient) -> None:
    worker = get(phone, "/sw.js")
    assert worker.mimetype == "text/javascript"
    stated = re.search(r"^const FILES = (.*);$", worker.text, re.MULTILINE)
    assert stated
    files = json.loads(stated[1])
    assert {assets.address(path.name) for path in MODULES if path.name != "sw.js"} <= set(files)
    assert [path for path in files if get(phone, path).status_code != 200] == []
    page = get(phone, "/").text
    linked = set(re.findall(r'<link rel="stylesheet" href="([^"]+)"', page))
    assert linked
    assert linked <= set(files)


def test_a_changed_file_changes_the_service_worker(phone: FlaskClient) -> None:
    assert f'const VERSION = "{assets.version()}";' in get(phone, "/sw.js").text


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"APP_ISSUER": "http://id.example.org"}, "APP_ISSUER"),
        ({"APP_BASE_URL": "https://app.example.org/app"}, "APP_BASE_URL"),
        ({"APP_PORT": "phone"}, "APP_PORT"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsRefused, match=named):
        load_settings(GIVEN | wrong)


def test_the_app_does_not_start_with_wrong_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "relying_parties.app"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "APP_ISSUER": "no address",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "APP_ISSUER" in done.stderr
    assert "Traceback" not in done.stderr
