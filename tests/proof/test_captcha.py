"""The captcha: one answer, one form, one browser, two minutes; a picture and a sound that keep the secret."""

import io
import struct
import tempfile
import wave
from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.proof import captcha, captcha_image, captcha_sound

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FULL_WIDTH = {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}


@pytest.fixture(params=["sql", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EphemeralStore]:
    store: EphemeralStore
    if request.param == "sql":
        store = SqlEphemeralStore(tmp_path / "ephemeral.db")
    else:
        store = RedisEphemeralStore(
            request.getfixturevalue("redis_url"), prefix=request.getfixturevalue("redis_prefix")
        )
    yield store
    store.close()


def a_captcha(store: EphemeralStore) -> tuple[str, str]:
    """The id of a captcha for the form `login` in the browser `b1`, and its answer."""
    made = captcha.issue(store, purpose="login", browser="b1", now=NOW)
    answer = captcha.answer(store, made.id)
    assert answer is not None
    return made.id, answer


def check(
    store: EphemeralStore,
    captcha_id: str | None,
    supplied: str | None,
    *,
    purpose: str = "login",
    browser: str = "b1",
    now: datetime = NOW,
) -> str:
    """What became of a try: "solved", or the reason of the refusal."""
    try:
        captcha.check(store, captcha_id, supplied, purpose=purpose, browser=browser, now=now)
    except captcha.CaptchaRefused as refused:
        return refused.reason
    return "solved"


def another(answer: str) -> str:
    return answer[:-1] + ("2" if answer[-1] != "2" else "3")


def test_the_right_answer_solves_it_once(store: EphemeralStore) -> None:
    captcha_id, answer = a_captcha(store)
    assert check(store, captcha_id, answer) == "solved"
    assert check(store, captcha_id, answer) == "expired"


@pytest.mark.parametrize(
    ("supplied", "reason"), [("2222222", "wrong"), ("abcd", "wrong"), ("", "missing"), (None, "missing")]
)
def test_any_other_answer_burns_it(store: EphemeralStore, supplied: str | None, reason: str) -> None:
    captcha_id, answer = a_captcha(store)
    assert check(store, captcha_id, supplied) == reason
    assert check(store, captcha_id, answer) == "expired"
    assert captcha.image(store, captcha_id, now=NOW) is None


def test_one_wrong_character_is_wrong(store: EphemeralStore) -> None:
    captcha_id, answer = a_captcha(store)
    assert check(store, captcha_id, another(answer)) == "wrong"
    captcha_id, answer = a_captcha(store)
    assert check(store, captcha_id, answer[:3]) == "wrong"


def test_it_lives_two_minutes(store: EphemeralStore) -> None:
    captcha_id, answer = a_captcha(store)
    last_moment = NOW + timedelta(minutes=2) - SECOND
    assert captcha.image(store, captcha_id, now=last_moment) is not None
    assert check(store, captcha_id, answer, now=last_moment) == "solved"


def test_after_two_minutes_it_is_over(store: EphemeralStore) -> None:
    captcha_id, answer = a_captcha(store)
    over = NOW + timedelta(minutes=2)
    assert captcha.image(store, captcha_id, now=over) is None
    assert captcha.sound(store, captcha_id, now=over) is None
    assert check(store, captcha_id, answer, now=over) == "expired"


def test_the_page_learns_when_it_ends(store: EphemeralStore) -> None:
    made = captcha.issue(store, purpose="login", browser="b1", now=NOW)
    assert made.expires_at == NOW + timedelta(minutes=2)


def test_it_is_worth_nothing_on_another_form(store: EphemeralStore) -> None:
    captcha_id, answer = a_captcha(store)
    assert check(store, captcha_id, answer, purpose="reset") == "wrong"
    assert check(store, captcha_id, answer) == "expired"


def test_it_is_worth_nothing_in_another_browser(store: EphemeralStore) -> None:
    captcha_id, answer = a_captcha(store)
    assert check(store, captcha_id, answer, browser="b2") == "wrong"
    assert check(store, captcha_id, answer) == "expired"


def test_form_and_browser_cannot_be_shifted_into_each_other(store: EphemeralStore) -> None:
    made = captcha.issue(store, purpose="login", browser="x\x00b", now=NOW)
    answer = captcha.answer(store, made.id)
    assert check(store, made.id, answer, purpose="login\x00x", browser="b") == "wrong"


@pytest.mark.parametrize(
    "captcha_id", [None, "", "never-issued", "A" * 22, "验证码", "a\x00b", "x" * 100_000]
)
def test_an_id_nobody_issued_is_expired(store: EphemeralStore, captcha_id: str | None) -> None:
    assert check(store, captcha_id, "2345") == "expired"
    assert check(store, captcha_id, "") == "missing"
    assert captcha.image(store, captcha_id or "", now=NOW) is None
    assert captcha.sound(store, captcha_id or "", now=NOW) is None
    assert captcha.answer(store, captcha_id or "") is None


def test_full_width_digits_and_spaces_are_forgiven(store: EphemeralStore) -> None:
    for spell in (
        lambda answer: answer.translate(FULL_WIDTH),
        " ".join,
        "\u3000".join,
        lambda answer: f"\t{answer}\r\n",
    ):
        captcha_id, answer = a_captcha(store)
        assert check(store, captcha_id, spell(answer)) == "solved"


def test_spaces_alone_are_no_answer(store: EphemeralStore) -> None:
    captcha_id, _ = a_captcha(store)
    assert check(store, captcha_id, " \u3000\t") == "missing"


def test_ids_cannot_be_guessed_and_answers_differ(store: EphemeralStore) -> None:
    made = [a_captcha(store) for _ in range(50)]
    assert len({captcha_id for captcha_id, _ in made}) == 50
    assert {len(captcha_id) for captcha_id, _ in made} == {22}  # 128 bits
    assert len({answer for _, answer in made}) > 40


def test_answers_are_four_characters_that_are_drawn_and_spoken(store: EphemeralStore) -> None:
    for _ in range(50):
        _, answer = a_captcha(store)
        assert len(answer) == 4
        assert set(answer) <= set(captcha.CHARACTERS)
    for character in captcha.CHARACTERS:
        assert captcha_sound.speak(character, "seed")


def test_looking_and_listening_do_not_spend_it(store: EphemeralStore) -> None:
    captcha_id, answer = a_captcha(store)
    for _ in range(3):
        assert captcha.image(store, captcha_id, now=NOW)
        assert captcha.sound(store, captcha_id, now=NOW)
    assert check(store, captcha_id, answer) == "solved"


def test_asked_again_picture_and_sound_are_the_same(store: EphemeralStore) -> None:
    captcha_id, _ = a_captcha(store)
    assert captcha.image(store, captcha_id, now=NOW) == captcha.image(store, captcha_id, now=NOW)
    assert captcha.sound(store, captcha_id, now=NOW) == captcha.sound(store, captcha_id, now=NOW)


def test_two_pictures_of_one_answer_differ() -> None:
    assert captcha_image.draw("2345", "one seed") != captcha_image.draw("2345", "another seed")
    assert captcha_sound.speak("2345", "one seed") != captcha_sound.speak("2345", "another seed")


def png_chunks(data: bytes) -> list[bytes]:
    """The types of a PNG's chunks, in order."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    types, place = [], 8
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        types.append(kind)
        place += 12 + length
    return types


@pytest.mark.parametrize("text", ["2345", "6789", "8888", "4747"])
def test_the_picture_is_a_png_of_ink_on_paper(text: str) -> None:
    data = captcha_image.draw(text, "seed")
    with Image.open(io.BytesIO(data)) as picture:
        picture.verify()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (captcha_image.WIDTH, captcha_image.HEIGHT)
        pixels = picture.convert("RGB").tobytes()
    colours = Counter(zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True))
    (paper, _), (ink, inked) = colours.most_common(2)
    assert (paper, ink) == ((0xF0, 0xF4, 0xFB), (0x27, 0x4B, 0x8F))
    assert 0.06 < inked / colours.total() < 0.3
    assert len(data) < 10_000


def test_the_picture_says_the_answer_in_pixels_only() -> None:
    data = captcha_image.draw("2345", "seed")
    assert set(png_chunks(data)) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
    assert b"2345" not in data
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info == {}


def test_the_picture_shows_the_whole_of_each_character() -> None:
    for seed in range(40):
        with Image.open(io.BytesIO(captcha_image.draw("2846", str(seed)))) as picture:
            shades = picture.tobytes()
        # Only curves and specks may reach the upper and lower edge, a few pixels each.
        for row in (shades[: captcha_image.WIDTH], shades[-captcha_image.WIDTH :]):
            assert sum(shade > 8 for shade in row) < captcha_image.WIDTH / 4, seed


def heard(data: bytes) -> list[int]:
    """The samples of a WAV, which is what we promise it to be."""
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16_000)
        return list(array("h", sound.readframes(sound.getnframes())))


def test_the_sound_is_a_wav_of_a_few_seconds_never_clipped() -> None:
    for seed in range(20):
        samples = heard(captcha_sound.speak("2369", str(seed)))
        assert 3 <= len(samples) / captcha_sound.RATE <= 7
        assert 8_000 < max(map(abs, samples)) < 32_000


def test_the_sound_says_the_answer_by_voice_only() -> None:
    data = captcha_sound.speak("2345", "seed")
    assert data[:4] == b"RIFF"
    assert data[36:40] == b"data"  # the format, then the samples: no room for a title or a comment
    assert len(data) == 44 + struct.unpack_from("<I", data, 40)[0]


def test_noise_lies_under_the_whole_sound() -> None:
    samples = heard(captcha_sound.speak("2345", "seed"))
    tenth = captcha_sound.RATE // 10
    for start in range(0, len(samples) - tenth, tenth):
        assert max(map(abs, samples[start : start + tenth])) > 100


def test_recordings_exist_for_the_characters_and_no_others() -> None:
    recorded = {path.stem for path in (Path(captcha_sound.__file__).parent / "sounds").iterdir()}
    assert recorded == set(captcha.CHARACTERS)


anything = st.none() | st.text() | st.text(st.characters(codec=None, categories=["Cs", "Nd", "Zs", "Cc"]))


@pytest.fixture(scope="module")
def module_store() -> Iterator[EphemeralStore]:
    with tempfile.TemporaryDirectory() as directory:
        store = SqlEphemeralStore(Path(directory) / "ephemeral.db")
        yield store
        store.close()


@settings(deadline=None)
@given(supplied=anything)
@example("\ud800")
@example("\x00")
@example("\ufdfa" * 5000)
def test_whatever_is_typed_is_an_answer_or_a_refusal(
    module_store: EphemeralStore, supplied: str | None
) -> None:
    captcha_id, answer = a_captcha(module_store)
    outcome = check(module_store, captcha_id, supplied)
    assert outcome in {"wrong", "missing"} or (supplied or "").split() == [answer]
    assert check(module_store, captcha_id, answer) == "expired"


@settings(deadline=None)
@given(captcha_id=anything, browser=st.text())
@example("\ud800" * 22, "\ud800")
def test_whatever_the_hidden_field_holds_is_refused(
    module_store: EphemeralStore, captcha_id: str | None, browser: str
) -> None:
    assert check(module_store, captcha_id, "2345", browser=browser) == "expired"
