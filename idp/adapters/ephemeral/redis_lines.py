"""Connections to Redis, each asked one command at a time.

redis-py's own client and pool note, count and guard so much around a command that it costs two to three
times what sending it and reading its answer does; here the connections stay redis-py's, with all they know
of the protocol, and are handed on by a few lines.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from hashlib import sha1
from typing import Any

import redis


class Script:
    """A script Redis keeps, and the hash by which it is called."""

    __slots__ = ("sha", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


class Lines:
    """As many connections of `pool` as threads ask at once, at most `most`; opened when first needed."""

    def __init__(self, pool: redis.ConnectionPool, *, most: int, patience: float) -> None:
        self._pool = pool
        self._turns = threading.BoundedSemaphore(most)
        self._patience = patience
        # Half of what a connection does has no types.
        self._idle: deque[Any] = deque()

    def ask(self, *command: str | bytes | int) -> Any:
        """The answer to `command`, as it came over the line.

        A thread waits `patience` seconds for its turn. Nothing is sent twice. Raises redis.RedisError.
        """
        if not self._turns.acquire(timeout=self._patience):
            raise redis.ConnectionError("no connection was free in time")
        line = None
        try:
            line = self._take()
            line.send_command(*command)
            answer = line.read_response()
        except redis.ResponseError:
            self._idle.append(line)  # Redis refused; its line is as good as before
            raise
        except BaseException:
            if line is not None:
                # Whatever else happened, the next answer on this line may be that to this command.
                line.disconnect()
                self._pool.release(line)
            raise
        else:
            self._idle.append(line)
            return answer
        finally:
            self._turns.release()

    def run(self, script: Script, *, keys: tuple[str, ...], values: tuple[bytes | int, ...] = ()) -> Any:
        """What `script` answers. Raises redis.RedisError."""
        given = (len(keys), *keys, *values)
        try:
            return self.ask("EVALSHA", script.sha, *given)
        except redis.exceptions.NoScriptError:
            # Redis was started anew, or never heard it: it keeps what it is told whole.
            return self.ask("EVAL", script.text, *given)

    def close(self) -> None:
        """Let go of the idle connections; the next command opens one again."""
        while self._idle:
            line = self._idle.pop()
            line.disconnect()
            self._pool.release(line)

    def _take(self) -> Any:
        """The connection that was used last, as its memory is warm; alive as far as one can see."""
        try:
            line = self._idle.pop()
        except IndexError:
            return self._pool.get_connection()
        if line.pid != os.getpid():
            # After a fork it is our parent's, and so are all the others.
            self._idle.clear()
            return self._pool.get_connection()
        try:
            is_spoilt = line.can_read()  # nobody asked, so what can be read is the end
        except redis.RedisError:
            is_spoilt = True
        if is_spoilt:
            line.disconnect()  # it connects again at the next command
        return line
