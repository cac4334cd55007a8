"""A proxy before PostgreSQL that cuts connections at the worst moment: around a COMMIT."""

from __future__ import annotations

import contextlib
import random
import select
import selectors
import socket
import tempfile
import threading
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"


class CuttingProxy:
    """Listens on a Unix socket of its own; `folder` is the host of its address.

    Of the commits that pass while `share` is above 0, that share is cut: half of them before PostgreSQL has heard of
    it, half of them after it has answered and before the answer has come back.
    """

    def __init__(self, server: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="baton-proxy-"))
        self.share = 0.0
        #: Commits that never arrived, and commits whose answer never came back.
        self.cut_before = 0
        self.cut_after = 0
        self._server = str(server / _SOCKET)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self.folder / _SOCKET))
        self._listening.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more connections, and remove the socket."""
        self._listening.close()
        (self.folder / _SOCKET).unlink()
        self.folder.rmdir()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with client, server, selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
            server.connect(self._server)
            selector.register(client, selectors.EVENT_READ)
            selector.register(server, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    if key.fileobj is server:
                        client.sendall(data)
                    elif b"COMMIT" in data and random.random() < self.share:
                        self._cut(client, server, data)
                        return
                    else:
                        server.sendall(data)

    def _cut(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        if random.random() < 0.5:
            self.cut_before += 1
            return
        while data:
            server.sendall(data)
            # What makes the server answer may come behind the COMMIT.
            if select.select([server, client], [], [])[0][0] is server:
                self.cut_after += bool(server.recv(65536))
                return
            data = client.recv(65536)
