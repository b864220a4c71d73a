"""Owns a TCP proxy in front of a broker that holds chosen requests and lets them go at a chosen moment.

It knows the frame of a request (length, api key, version, correlation id) and not its content: a request is chosen by
its api key and by bytes in it, such as a transactional id. Answers are passed on as they come. Loopback only; each wait
is bounded.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from kdg.sandbox.nodes import HOST, free_ports

BOUND = 60.0
"""The longest wait, in seconds."""
_PIECE = 1 << 16
_HEAD = struct.Struct(">hhi")  # api key, version, correlation id


class Api(enum.IntEnum):
    """The requests that are held in tests (https://kafka.apache.org/protocol, Api Keys)."""

    PRODUCE = 0
    FETCH = 1
    OFFSET_COMMIT = 8
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class Cut(enum.Enum):
    """What happens to the client's connection when its request is held."""

    NO = "it stays open; later requests wait behind the held one"
    CLOSE = "it is closed in order"
    RESET = "it is reset"


@dataclass(slots=True, eq=False)
class Held:
    """Holds the first request that fits, until `release` or `arrive_late`. caught: set when the request is held."""

    api: Api
    within: tuple[bytes, ...]
    cut: Cut
    upstream: tuple[str, int]
    caught: threading.Event = field(default_factory=threading.Event)
    _go: threading.Event = field(default_factory=threading.Event)
    _frame: bytes = b""
    _late: bool = False

    def fits(self, frame: bytes) -> bool:
        """Whether this request is to be held."""
        return _HEAD.unpack_from(frame)[0] == self.api and all(part in frame for part in self.within)

    def take(self, frame: bytes) -> None:
        """Keep the request."""
        self._frame = frame
        self.caught.set()

    def wait(self) -> Self:
        """Return when the request is held."""
        assert self.caught.wait(BOUND), f"no {self.api.name} with {self.within!r} came"
        return self

    def release(self) -> None:
        """Send the request on, over the connection that it came from."""
        assert self.caught.is_set(), f"no {self.api.name} is held"
        assert self.cut is Cut.NO, "its connection is gone: let it arrive late"
        self._go.set()

    def arrive_late(self) -> bytes:
        """Send the request to the broker over another connection, as a slow network would.

        Nothing more is sent over the connection that it came from. Returns the broker's answer, without its head.
        """
        assert self.caught.is_set(), f"no {self.api.name} is held"
        self._late = True
        self._go.set()
        with socket.create_connection(self.upstream, BOUND) as late:
            late.sendall(_framed(self._frame))
            return _read_frame(late)[4:]

    def stand_still(self) -> bool:
        """For the proxy: wait until it is released. True if the request goes on over the same connection."""
        self._go.wait(BOUND)
        return not self._late


class Proxy:
    """Listens on a port inside `with`. upstream: the address of the broker; set it before a client connects."""

    def __init__(self) -> None:
        self.upstream = (HOST, 0)
        self._listener = _listen()
        self.port: int = self._listener.getsockname()[1]
        self._holds: list[Held] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        _in_thread(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closed = True
        self.forget()
        _shut(self._listener)
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _shut(connection)

    def hold(self, api: Api, *within: bytes, cut: Cut = Cut.NO) -> Held:
        """Hold the next request of the kind with all of these bytes in it."""
        held = Held(api, within, cut, self.upstream)
        with self._lock:
            self._holds.append(held)
        return held

    def forget(self) -> None:
        """Hold no more requests, and release those that are held."""
        with self._lock:
            holds, self._holds = self._holds, []
        for held in holds:
            held._go.set()  # noqa: SLF001  # of the same module

    # ── connections ──

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            _in_thread(lambda client=client: self._serve(client))

    def _serve(self, client: socket.socket) -> None:
        try:
            broker = socket.create_connection(self.upstream, BOUND)
        except OSError:  # the broker is away
            _shut(client)
            return
        broker.settimeout(None)
        for end in (client, broker):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, broker}
        _in_thread(lambda: _copy(broker, client))
        try:
            self._requests(client, broker)
        finally:
            _shut(client)
            _shut(broker)
            with self._lock:
                self._open -= {client, broker}

    def _requests(self, client: socket.socket, broker: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                frame = _read_frame(client)
                held = self._wanted(frame)
                if held is not None and held.cut is not Cut.NO:
                    _cut(client, held.cut)
                    held.take(frame)
                    return
                if held is not None:
                    held.take(frame)
                    if not held.stand_still():
                        return
                broker.sendall(_framed(frame))

    def _wanted(self, frame: bytes) -> Held | None:
        """The hold for this request, if there is one. Each hold takes one request."""
        with self._lock:
            for held in self._holds:
                if not held.caught.is_set() and held.fits(frame):
                    return held
        return None


def _listen() -> socket.socket:
    """Listen on a port below those of outgoing connections, like the sandbox's brokers (kdg/sandbox/nodes.py)."""
    for port in free_ports():
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            listener.close()
            continue
        listener.listen(128)
        return listener
    raise AssertionError("no free port")


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_PIECE):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _cut(client: socket.socket, how: Cut) -> None:
    if how is Cut.RESET:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # with nothing to linger for: RST
        return
    _shut(client)


def _shut(end: socket.socket) -> None:
    """Close a socket that another thread may be reading from."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _read_frame(source: socket.socket) -> bytes:
    return _read(source, struct.unpack(">i", _read(source, 4))[0])


def _read(source: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = source.recv(min(size - len(data), _PIECE))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _framed(frame: bytes) -> bytes:
    return struct.pack(">i", len(frame)) + frame


def _in_thread(what: object) -> None:
    assert callable(what)
    threading.Thread(target=what, daemon=True).start()
