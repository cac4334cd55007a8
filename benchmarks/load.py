"""A load of HTTP requests from one thread: cheap enough to share the machine with the server that it measures."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Load:
    """What a load has met: seconds per request, and seconds of the whole."""

    seconds: list[float] = field(default_factory=list)
    whole: float = 0.0

    @property
    def per_second(self) -> float:
        """Return requests a second."""
        return len(self.seconds) / self.whole


class Connection:
    """One kept-open connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.begun = 0.0
        self._received = b""

    def send(self, request: bytes) -> None:
        """Send a whole request."""
        self.begun = time.perf_counter()
        self._received = b""
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has arrived; return whether the answer is complete. Stops the benchmark on any refusal."""
        part = self.socket.recv(65536)
        if not part:
            raise SystemExit("The server closed a connection.")
        self._received += part
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return False
        if not head.startswith(b"HTTP/1.1 2"):
            raise SystemExit(f"Refused: {self._received[:1000]!r}")
        return len(body) >= _content_length(head)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return the bytes of a POST request."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def drive(port: int, requests: Iterable[bytes], connections: int) -> Load:
    """Send all requests, as many at a time as there are connections, each connection's next after its answer."""
    load = Load()
    waiting = iter(requests)
    selector = selectors.DefaultSelector()
    begun = time.perf_counter()
    opened = [Connection(port) for _ in range(connections)]
    busy = sum(_next(selector, connection, waiting, register=True) for connection in opened)
    while busy:
        for connection in _ready(selector):
            if not connection.receive():
                continue
            load.seconds.append(time.perf_counter() - connection.begun)
            busy -= not _next(selector, connection, waiting)
    load.whole = time.perf_counter() - begun
    for connection in opened:
        connection.socket.close()
    return load


def _ready(selector: selectors.BaseSelector) -> Sequence[Connection]:
    found = selector.select(timeout=60)
    if not found:
        raise SystemExit("The server has not answered for a minute.")
    return [key.data for key, _ in found]


def _next(
    selector: selectors.BaseSelector, connection: Connection, waiting: Iterator[bytes], *, register: bool = False
) -> bool:
    request = next(waiting, None)
    if request is None:
        if not register:
            selector.unregister(connection.socket)
        return False
    connection.send(request)
    if register:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    return True
