"""The pages of 刷脸登录: the question, the yes, the code, and what is said when nothing comes of it."""

from __future__ import annotations

import html
import re

import httpx2
import pytest

from idp.proof import face as proof
from tests.login.acting import is_in, later
from tests.neighbours import Neighbours
from tests.scan.faces import (
    APhoneOfNobody,
    FaceWorld,
    ask,
    begin_here,
    check_of,
    face_world,
    finish,
    ticket_of,
)
from tests.world import World, error_sentences


@pytest.fixture
def here(world: World, neighbours: Neighbours) -> FaceWorld:
    return face_world(world, neighbours)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"agreed": ""}, "请阅读说明并勾选同意；不同意的话，可以用其他方式登录"),
        ({"name": ""}, "请填写姓名"),
        ({"id_number": "990100199001011235"}, "居民身份证号码不正确，请核对 18 位号码"),
        ({"id_number": "E12345678"}, "居民身份证号码不正确，请核对 18 位号码"),
    ],
)
def test_nothing_begins_without_a_yes_and_a_right_number(
    here: FaceWorld, typed: dict[str, str], sentence: str
) -> None:
    browser = here.world.browser()
    page = ask(browser, here.world.a_person(), at="/login/face", **typed)
    assert error_sentences(page) == [sentence]
    assert "用其他方式登录" in page.text


def test_the_yes_is_not_presumed_and_the_captcha_is_needed(here: FaceWorld) -> None:
    browser, person = here.world.browser(), here.world.a_person()
    page = browser.open("/login/face")
    assert "agreed" not in page.form()["fields"]
    assert "只用于本次核验，不保存照片" in page.text
    page = browser.submit(
        {"name": person.name, "id_number": person.id_number, "agreed": "y", "captcha": "0000"}
    )
    assert error_sentences(page) == ["图形验证码不正确，请填写新的一张"]


def test_a_person_is_checked_so_many_times_an_hour_wherever_it_is_asked(here: FaceWorld) -> None:
    person = here.world.a_person()
    for number in range(proof.CHECKS_A_PERSON):
        assert "check=" in ask(here.world.browser(address=f"198.51.100.{number}"), person).url
    # Of those beyond, one may go through in a while: the others wait.
    ask(here.world.browser(address="198.51.100.90"), person)
    page = ask(here.world.browser(address="198.51.100.91"), person)
    assert page.status == 429
    assert "尝试次数过多" in page.text
    other = ask(here.world.browser(address="198.51.100.91"), here.world.a_person())
    assert "check=" in other.url


def test_who_is_known_by_the_account_is_not_kept_out_by_strangers(here: FaceWorld) -> None:
    person, own = here.world.a_person(), here.world.browser(address="198.51.100.200")
    own.sign_in_person(person)
    for number in range(proof.CHECKS_A_PERSON + 2):
        page = ask(here.world.browser(address=f"198.51.100.{number}"), person)
    assert page.status == 429
    assert "check=" in ask(own, person).url


def test_the_checks_of_an_address_are_limited_as_the_installation_wants(
    world: World, neighbours: Neighbours
) -> None:
    here = face_world(world, neighbours, face_checks_an_address=2)
    statuses = [ask(here.world.browser(), here.world.a_person()).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_of_the_ways_to_show_a_face_one_comes_first_and_a_link_leads_back(here: FaceWorld) -> None:
    browser = here.world.browser()
    page = ask(browser, here.world.a_person())
    on_phones = re.search(r'<a class="([^"]+)"[^>]*data-scan-open', page.html)
    assert on_phones
    assert "govuk-button--secondary" in on_phones[1], "beside 在本机刷脸"
    back = re.search(r'href="([^"]+)">返回上一步', page.html)
    assert back
    assert '<h1 class="tx-h1">刷脸登录</h1>' in browser.open(html.unescape(back[1])).html


def test_a_check_that_has_begun_can_be_begun_anew_on_the_desktop_at_once(here: FaceWorld) -> None:
    browser = here.world.browser()
    page = ask(browser, here.world.a_person())
    APhoneOfNobody(here.world).page_for(ticket_of(page))
    page = browser.open(page.url)
    assert "重新刷脸" in page.text
    here_only = here.world.browser()
    page = ask(here_only, here.world.a_person())
    begin_here(here_only)
    assert "重新刷脸" in here_only.open(page.url).text


def test_the_page_shows_the_number_that_is_chosen_on_the_phone(here: FaceWorld) -> None:
    browser = here.world.browser()
    page = ask(browser, here.world.a_person())
    ticket = ticket_of(page)
    numbers = APhoneOfNobody(here.world).scan(ticket).get_json()["numbers"]
    told = browser.open(f"/scan/wait/{ticket}").response.get_json()["number"]
    assert told in numbers
    assert f"<span data-scan-number>{told}</span>" in browser.open(page.url).html


def test_a_code_is_changed_on_request_and_the_old_one_ends(here: FaceWorld) -> None:
    browser, phone = here.world.browser(), APhoneOfNobody(here.world)
    first = ticket_of(ask(browser, here.world.a_person()))
    page = browser.submit({"again": "1"})
    second = ticket_of(page)
    assert second != first
    assert phone.scan(first).status_code == 410
    assert phone.scan(second).status_code == 200


def test_an_opened_page_keeps_its_code(here: FaceWorld) -> None:
    browser = here.world.browser()
    page = ask(browser, here.world.a_person())
    assert ticket_of(browser.open(page.url)) == ticket_of(page)


def test_a_face_that_took_longer_than_the_code_still_counts(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    page = ask(browser, person)
    service_page = APhoneOfNobody(here.world).page_for(ticket_of(page))
    with later(seconds=200):
        assert here.simulators.press(service_page, "passed").status_code == 303
        assert is_in(finish(browser, check_of(page)))


def test_without_a_face_service_nobody_is_offered_one(world: World) -> None:
    browser = world.browser()
    assert "刷脸" not in browser.open("/login/person").text
    assert browser.open("/login/face").status == 404
    assert "urn:idp:loa:3" not in browser.open("/.well-known/openid-configuration").html


def test_with_one_it_is_offered_to_natural_persons_and_promised_in_discovery(here: FaceWorld) -> None:
    browser = here.world.browser()
    assert "刷脸登录" in browser.open("/login/person").text
    assert "刷脸登录" not in browser.open("/login/legal").text
    told = browser.open("/.well-known/openid-configuration").response.get_json()
    assert "urn:idp:loa:3" in told["acr_values_supported"]


def test_a_face_service_that_is_away_is_said_and_another_way_is_named(
    world: World, neighbours: Neighbours
) -> None:
    here = face_world(world, neighbours, face_url="http://127.0.0.1:1/face")
    browser = here.world.browser()
    ask(browser, here.world.a_person())
    page = browser.submit(number=1)
    assert (page.status, "人脸核验服务现在没有应答" in page.text) == (503, True)
    assert "用其他方式登录" in page.text


def test_the_page_of_the_service_keeps_no_picture_and_runs_no_foreign_code(here: FaceWorld) -> None:
    browser = here.world.browser()
    ask(browser, here.world.a_person())
    page = httpx2.get(begin_here(browser), trust_env=False)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert 'type="file"' not in page.text
    assert "multipart" not in page.text
