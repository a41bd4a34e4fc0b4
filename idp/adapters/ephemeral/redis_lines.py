"""Connections to Redis, each asked one command at a time.

hiredis speaks the protocol, the kernel keeps the time, and a command is one send and one read of the thread
that asks. redis-py does much more, and costs three to five times as much for each command and 5 MB in every
worker (docs/performance.md).
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from collections import deque
from hashlib import sha1
from typing import Any, Final

import hiredis

from idp.adapters.ephemeral.redis_address import Address

Word = str | bytes | int
"""What a command is made of."""

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 3.0
_READ_BYTES = 8192
_UNFINISHED = object()
# What a server says of itself, and not of the command: another one may be behind the name by now.
_NOT_THIS_SERVER = ("READONLY", "LOADING", "MASTERDOWN", "NOAUTH")


class CommandRefused(Exception):
    """Redis did not do it; the message is its own."""


class LineBroken(Exception):
    """Whether the command took effect nobody knows: no answer came in time, or the connection ended."""


class Script:
    """A script Redis keeps, and the hash by which it is called."""

    __slots__ = ("sha", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


class Line:
    """One connection, greeted. Raises LineBroken, or CommandRefused if Redis does not let us in."""

    __slots__ = ("_answers", "_socket", "pid")

    def __init__(self, address: Address) -> None:
        self.pid = os.getpid()
        self._answers = hiredis.Reader(
            protocolError=LineBroken, replyError=CommandRefused, notEnoughData=_UNFINISHED
        )
        try:
            self._socket = address.connect(within=CONNECT_SECONDS)
        except OSError as fault:
            raise LineBroken("no connection") from fault
        self._socket.settimeout(ANSWER_SECONDS)
        try:
            for command in address.greeting:
                self.ask(*command)
        except (LineBroken, CommandRefused):
            self.close()
            raise

    def ask(self, *command: Word) -> Any:
        """The answer to `command`. Raises LineBroken, CommandRefused."""
        self.send(*command)
        try:
            return self.read()
        except TimeoutError as late:
            raise LineBroken("no answer in time") from late

    def send(self, *command: Word) -> None:
        """Say `command`. Raises LineBroken."""
        try:
            self._socket.sendall(hiredis.pack_command(command))  # type: ignore[arg-type]  # says it wants one word
        except OSError as fault:
            raise LineBroken("the connection ended") from fault

    def read(self) -> Any:
        """The next answer. Raises LineBroken, CommandRefused; TimeoutError if none came in time."""
        while (answer := self._answers.gets()) is _UNFINISHED:
            try:
                heard = self._socket.recv(_READ_BYTES)
            except TimeoutError:
                raise
            except BlockingIOError as late:  # the kernel's word for the same
                raise TimeoutError from late
            except OSError as fault:
                raise LineBroken("the connection ended") from fault
            if not heard:
                raise LineBroken("Redis ended the connection")
            self._answers.feed(heard)
        if isinstance(answer, CommandRefused):
            raise answer
        return answer

    def wait_at_most(self, seconds: float) -> None:
        """Let every read from now on last so long; at least a millisecond, as 0 would mean something else."""
        self._socket.settimeout(max(seconds, 0.001))

    def leave_time_to_the_kernel(self) -> None:
        """Bound sending and reading by ANSWER_SECONDS without a look before each: half the system calls.

        Under TLS all stays as it is, because one read there is several.
        """
        if self._is_plain:
            bound = struct.pack("@ll", int(ANSWER_SECONDS), int(ANSWER_SECONDS % 1 * 1e6))
            for side in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self._socket.setsockopt(socket.SOL_SOCKET, side, bound)
            self._socket.settimeout(None)

    def is_quiet(self) -> bool:
        """Whether the connection stands, as far as one can see, and has nothing to say."""
        # Nobody asked: what could be read is the end, or belongs to somebody else; so is what came already.
        if self._answers.has_data():
            return False
        try:
            if self._is_plain:
                self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            else:
                self._socket.settimeout(0)
                self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        finally:
            if not self._is_plain:
                self._socket.settimeout(ANSWER_SECONDS)
        return False

    def close(self) -> None:
        """End it."""
        self._socket.close()

    @property
    def _is_plain(self) -> bool:
        return type(self._socket) is socket.socket


class Lines:
    """As many connections to `address` as threads ask at once, at most `most`; opened when first needed."""

    def __init__(self, address: Address, *, most: int, patience: float) -> None:
        self._address = address
        self._turns = threading.BoundedSemaphore(most)
        self._patience = patience
        self._idle: deque[Line] = deque()

    def ask(self, *command: Word) -> Any:
        """The answer to `command`.

        A thread waits `patience` seconds for its turn, and nothing is sent twice. Raises LineBroken,
        CommandRefused.
        """
        if not self._turns.acquire(timeout=self._patience):
            raise LineBroken("no connection was free in time")
        try:
            line = self._take()
            is_good = False
            try:
                answer = line.ask(*command)
                is_good = True
                return answer
            except CommandRefused as refused:
                is_good = not str(refused).startswith(_NOT_THIS_SERVER)
                raise
            finally:
                # Whatever else happened, the next answer on this line may be that to this command.
                if is_good:
                    self._idle.append(line)
                else:
                    line.close()
        finally:
            self._turns.release()

    def run(self, script: Script, *, keys: tuple[str, ...], values: tuple[bytes | int, ...] = ()) -> Any:
        """What `script` answers. Raises LineBroken, CommandRefused."""
        given = (len(keys), *keys, *values)
        try:
            return self.ask("EVALSHA", script.sha, *given)
        except CommandRefused as refused:
            if not str(refused).startswith("NOSCRIPT"):
                raise
            # Redis was started anew, or never heard it: it keeps what it is told whole.
            return self.ask("EVAL", script.text, *given)

    def close(self) -> None:
        """Let go of the idle connections; the next command opens one again."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Line:
        """The connection that was used last, as its memory is warm; alive as far as one can see."""
        while self._idle:
            try:
                line = self._idle.pop()
            except IndexError:  # another thread had it
                break
            # After a fork it is our parent's; to close it here leaves it open there.
            if line.pid == os.getpid() and line.is_quiet():
                return line
            line.close()
        line = Line(self._address)
        line.leave_time_to_the_kernel()
        return line
