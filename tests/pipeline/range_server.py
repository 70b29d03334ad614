"""A web server on this machine that serves a folder, answers range requests, and remembers what it sent."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Served:
    """What was asked of the server."""

    address: str = ""
    ranges: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, first byte and number of bytes of every answer with content."""

    def of(self, folder: str) -> list[tuple[int, int]]:
        """Return the ranges of the files of one folder."""
        return [(start, length) for name, start, length in self.ranges if name.startswith(f"{folder}/")]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, root: Path, served: Served, knows_ranges: bool, *arguments: object) -> None:
        self.root, self.served, self.knows_ranges = root, served, knows_ranges
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def _answer(self, with_content: bool) -> None:
        name = self.path.lstrip("/")
        if not (self.root / name).is_file():
            self.send_error(404)
            return
        content = (self.root / name).read_bytes()
        first, last = 0, len(content) - 1
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and self.knows_ranges:
            first, last = int(asked[1]), min(int(asked[2] or last), last)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        else:
            self.send_response(200)
        if self.knows_ranges:
            self.send_header("Accept-Ranges", "bytes")
        body = content[first : last + 1]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_content:
            self.served.ranges.append((name, first, len(body)))
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def serve(root: Path, knows_ranges: bool = True) -> Iterator[Served]:
    """Serve the folder meanwhile."""
    served = Served()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, root, served, knows_ranges)) as server:
        served.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield served
        server.shutdown()
