"""docs/join.md keeps its word: what stands there runs, and refuses what it says it refuses.

The Java source is compiled and run by hand when it changes, because its library comes from no place that the
tests can count on; here it is only held to be whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.docs.joining import PAGE, ROOT, Visitor, blocks, lines_of, running
from tests.running_demo import RunningDemo, wait_for
from tests.services import free_port

NODE_MODULES = ROOT / "tests" / "openid_client" / "node_modules"
NOBODY = "单位登录"
SECONDS_TO_BE_TOLD = 20


def in_python(folder: Path, port: int) -> list[str]:
    """The Python portal of the page, with its addition, and how the page starts it."""
    (folder / "portal.py").write_text("\n\n".join(blocks("python")), encoding="utf-8")
    return [sys.executable, "-m", "flask", "--app", "portal", "run", "--port", str(port)]


def in_node(folder: Path, node: str) -> list[str]:
    """The Node portal of the page, its package beside it, and how the page starts it."""
    (folder / "portal.mjs").write_text(blocks("js")[0], encoding="utf-8")
    (folder / "node_modules").symlink_to(NODE_MODULES)
    return [node, "portal.mjs"]


@pytest.fixture(scope="module", params=["python", "node"])
def portal(
    request: pytest.FixtureRequest, running_demo: RunningDemo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a portal of the page, running."""
    folder, port = tmp_path_factory.mktemp("portal"), free_port()
    if request.param == "python":
        command = in_python(folder, port)
    else:
        command = in_node(folder, request.getfixturevalue("node_path"))
    address = f"http://localhost:{port}"
    with running(running_demo, folder, command, address):
        yield address


@pytest.fixture
def visitor(visit: Callable[[], Visitor]) -> Visitor:
    """Somebody who visits the portal."""
    return visit()


@pytest.fixture
def visit(running_demo: RunningDemo, portal: str) -> Iterator[Callable[[], Visitor]]:
    """Makes visitors, each with a browser of his own."""
    opened: list[httpx2.Client] = []

    def make() -> Visitor:
        opened.append(httpx2.Client(timeout=20, trust_env=False))
        return Visitor(running_demo, portal, opened[-1])

    yield make
    for http in opened:
        http.close()


def test_an_operator_is_shown_with_company_and_rights(visitor: Visitor, running_demo: RunningDemo) -> None:
    assert NOBODY in visitor.reads()
    shown = visitor.sign_in("operator").text
    operator = running_demo.account("operator")
    company = running_demo.account("legal", uscc=operator["uscc"])
    for words in (company["name"], operator["name"], "operator", "manage_seals", "valid_until"):
        assert words in shown


def test_a_representative_is_shown_without_a_mandate(visitor: Visitor) -> None:
    shown = visitor.sign_in("legal").text
    assert "legal_representative" in shown
    assert "manage_seals" not in shown


def test_signing_out_ends_it_here_and_there(visitor: Visitor) -> None:
    visitor.sign_in("operator")
    assert visitor.is_known_to_the_provider()
    back = visitor.http.post(f"{visitor.portal}/logout", follow_redirects=True)
    assert str(back.url).startswith(f"{visitor.portal}/")
    assert NOBODY in back.text
    assert not visitor.is_known_to_the_provider()


def test_an_answer_of_another_issuer_is_refused(visitor: Visitor) -> None:
    answer = visitor.answer("operator")
    assert "&iss=" in answer
    forged = re.sub(r"&iss=[^&]*", "&iss=https://evil.example", answer)
    assert visitor.http.get(forged).status_code == 400
    assert NOBODY in visitor.reads()


def test_an_answer_without_an_issuer_is_refused(visitor: Visitor) -> None:
    answer = visitor.answer("operator")
    assert visitor.http.get(re.sub(r"&iss=[^&]*", "", answer)).status_code == 400
    assert NOBODY in visitor.reads()


def test_an_answer_is_worth_nothing_in_another_browser(visit: Callable[[], Visitor]) -> None:
    victim = visit()
    victim.http.get(f"{victim.portal}/login")
    assert victim.http.get(visit().answer("operator")).status_code == 400
    assert NOBODY in victim.reads()


def test_an_answer_is_worth_nothing_twice(visitor: Visitor) -> None:
    answer = visitor.answer("operator")
    assert visitor.http.get(answer).is_redirect
    assert visitor.http.get(answer).status_code == 400


def test_a_refusal_of_the_person_is_said(visitor: Visitor) -> None:
    # Somebody who never allowed this portal anything, whatever test came before.
    answer = visitor.answer("operator", decision="deny", case="several")
    said = visitor.http.get(answer)
    assert said.status_code == 400
    assert "access_denied" in said.text
    assert NOBODY in visitor.reads()


@pytest.mark.parametrize("portal", ["python"], indirect=True)
def test_the_addition_ends_the_session_of_who_left_elsewhere(visitor: Visitor) -> None:
    visitor.sign_in("operator")
    assert NOBODY not in visitor.reads()
    visitor.leaves_the_provider()
    wait_for(lambda: NOBODY in visitor.reads(), SECONDS_TO_BE_TOLD)


@pytest.mark.parametrize("portal", ["python"], indirect=True)
def test_the_addition_takes_nothing_but_a_logout_token(visitor: Visitor) -> None:
    visitor.sign_in("operator")
    leaving = visitor.http.post(f"{visitor.portal}/logout").headers["Location"]
    [id_token] = parse_qs(urlsplit(leaving).query)["id_token_hint"]
    visitor.reads("/login")  # the provider still knows him: he is back with the same sid
    assert NOBODY not in visitor.reads()
    for supplied in (id_token, "nonsense", ""):
        told = httpx2.post(
            f"{visitor.portal}/backchannel-logout", data={"logout_token": supplied}, trust_env=False
        )
        assert told.status_code == 400
    assert NOBODY not in visitor.reads()


@pytest.mark.parametrize(("language", "fewer_than"), [("python", 40), ("js", 60), ("java", 110)])
def test_a_portal_is_as_short_as_promised(language: str, fewer_than: int) -> None:
    assert 0 < lines_of(blocks(language)[0]) < fewer_than


def test_the_java_source_is_whole() -> None:
    [source], [project] = blocks("java"), blocks("xml")
    assert source.count("{") == source.count("}")
    assert "public class Portal" in source
    assert "public static void main(" in source
    imported = set(re.findall(r"^import org\.(\w+)\.", source, re.MULTILINE))
    assert imported == set(re.findall(r"<artifactId>(jose4j)</artifactId>", project))


def test_every_number_is_in_the_list_of_errors() -> None:
    listed = set(re.findall(r"^### (\d{4})$", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\b\d{4}\b", PAGE.split("## When it does not work")[1]))
    assert named
    assert named <= listed
