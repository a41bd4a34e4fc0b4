"""Speaks a captcha's characters in Chinese, as a WAV that people understand and programs less so.

Each digit has its own speed and loudness, the pauses have no rhythm, and under it all lie a hiss and a
murmur of other digits spoken backwards. How the recordings were made stands in the package's docstring.
"""

from __future__ import annotations

import io
import random
import wave
from array import array
from functools import cache
from operator import add
from pathlib import Path

RATE = 16_000  # samples a second, mono, of 16 bit

_SOUNDS = Path(__file__).parent / "sounds"
_SPEEDS = (0.9, 0.95, 1.0, 1.05, 1.1)
# The recordings peak at 0.63 of full loudness, so voice, murmur and hiss together stay below 1.
_MURMUR = 0.15
_HISS = 4  # times a signed byte


def speak(text: str, seed: str) -> bytes:
    """Return `text` as a WAV of three to seven seconds; the same secret `seed` gives the same bytes again."""
    dice = random.Random(seed)  # noqa: S311 - not the secret: it unfolds one, which came from the CSPRNG
    spoken = array("h")
    _pause(spoken, dice.uniform(0.5, 0.9))
    for character in text:
        spoken.extend(_louder(_voice(character, dice.choice(_SPEEDS)), dice.uniform(0.75, 1)))
        _pause(spoken, dice.uniform(0.35, 0.8))
    return _to_wav(array("h", map(add, spoken, _background(len(spoken), dice))))


def _pause(spoken: array[int], seconds: float) -> None:
    spoken.frombytes(bytes(spoken.itemsize * round(seconds * RATE)))


def _background(length: int, dice: random.Random) -> list[int]:
    heard = [_HISS * sample for sample in array("b", dice.randbytes(length))]
    place = round(dice.uniform(0, 0.4) * RATE)
    while place < length:
        murmur = _louder(_voice(dice.choice(_recorded()), dice.choice(_SPEEDS))[::-1], _MURMUR)
        end = min(place + len(murmur), length)
        heard[place:end] = map(add, heard[place:end], murmur)
        place = end + round(dice.uniform(0.05, 0.4) * RATE)
    return heard


def _louder(samples: array[int], factor: float) -> array[int]:
    return array("h", [int(sample * factor) for sample in samples])


@cache
def _recorded() -> str:
    return "".join(sorted(path.stem for path in _SOUNDS.glob("?.wav")))


@cache
def _voice(character: str, speed: float) -> array[int]:
    """Return the recording of `character` at `speed`; some hundred kilobytes in all, kept for good."""
    with wave.open(str(_SOUNDS / f"{character}.wav"), "rb") as recording:
        samples = array("h", recording.readframes(recording.getnframes()))
    steps = (place * speed for place in range(int((len(samples) - 1) / speed)))
    return array("h", [_between(samples, step) for step in steps])


def _between(samples: array[int], step: float) -> int:
    """Return the sample at a place between two others."""
    place = int(step)
    return round(samples[place] + (samples[place + 1] - samples[place]) * (step - place))


def _to_wav(samples: array[int]) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())
    return out.getvalue()
