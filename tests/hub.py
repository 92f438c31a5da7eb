"""A server of this machine that stands for the hub, and cuts, changes and withholds files when told to."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gen import lock
from gen.lock import Lock, Model, ModelFile, written

REVISION = "a" * 40
BIG = bytes(range(256)) * 4_000  # 1 MB


@dataclass
class Hub:
    """What the server holds, what it does wrong, and which requests came."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    small: set[str] = field(default_factory=set)  # stored without a digest, as the hub does with text
    cut_after: int | None = None
    slow_after: int | None = None
    hides_length: bool = False
    list_of_files: bytes | None = None  # what it answers when asked for its files
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, range

    def listing(self) -> bytes:
        if self.list_of_files is not None:
            return self.list_of_files
        rows = [
            {"rfilename": path, "size": len(body)}
            | ({} if path in self.small else {"lfs": {"sha256": digest(body), "size": len(body)}})
            for path, body in self.files.items()
        ]
        return json.dumps({"sha": REVISION, "siblings": rows}).encode()


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            path = self.path.removeprefix(f"/owner/big/resolve/{REVISION}/").removeprefix("/files/")
            hub.asked.append((path, asked))
            body = hub.listing() if self.path.startswith("/api/models/owner/big/") else hub.files.get(path)
            if body is None:
                self.send_error(404)
                return
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            self.send_response(206 if asked else 200)
            if not hub.hides_length:
                self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            for place in range(start, len(body), 100_000):
                if hub.cut_after is not None and place >= hub.cut_after:
                    return
                if hub.slow_after is not None and place >= hub.slow_after:
                    time.sleep(30)
                self.wfile.write(body[place : place + 100_000])
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Says nothing."""

    return Handler


@contextmanager
def served() -> Iterator[Hub]:
    """A hub with one small and one large file."""
    held = Hub(files={"config.json": b"{}", "a/model.safetensors": BIG})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(held))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()


def entry_of(hub: Hub, *, pinned: bool = True, missing: str = "") -> Model:
    """The entry of what the server holds."""
    return Model(
        name="big",
        repo="owner/big",
        revision=REVISION,
        licence="MIT",
        research_only=False,
        sense="text",
        missing=missing,
        files=tuple(
            ModelFile(path, len(body), digest(body)) if pinned else ModelFile(path)
            for path, body in hub.files.items()
        ),
    )


def quiet(line: str) -> None:
    """Says nothing."""


def locked(entry: Model) -> Model:
    """The entry, and a lock that holds nothing else."""
    lock.LOCK.write_text(written(Lock((), (entry,))))
    return entry
