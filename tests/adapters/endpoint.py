"""A chat endpoint on 127.0.0.1 that answers by script: at most so many requests, then it refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Requests one endpoint answers, and bytes of a request it reads.
MOST, LONGEST = 500, 1 << 20


class Endpoint:
    """`script(shown, body)` gives the content of the reply, or (status, headers, raw body)."""

    def __init__(self, script: Callable[[dict[str, str], dict[str, Any]], Any]) -> None:
        self.script, self.seen, self.keys, self.lock = script, [], [], threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(min(int(self.headers["Content-Length"]), LONGEST))
                body = json.loads(raw)
                shown = json.loads(body["messages"][1]["content"])
                with outer.lock:
                    outer.seen.append(body)
                    outer.keys.append(self.headers.get("Authorization"))
                    said = outer.script(shown, body) if len(outer.seen) <= MOST else (503, {}, b"")
                status, headers, out = said if isinstance(said, tuple) else (200, {}, reply(said))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


def reply(content: Any, finish: str = "stop") -> bytes:
    """A chat completion that says this."""
    message = {"role": "assistant", "content": content}
    return json.dumps({"choices": [{"finish_reason": finish, "message": message}]}).encode()


def says(**field: Any) -> str:
    """The content of a reply that keeps to the schema."""
    return json.dumps(field)


@contextmanager
def endpoint(script: Callable[[dict[str, str], dict[str, Any]], Any]) -> Iterator[Endpoint]:
    """An endpoint while this holds."""
    there = Endpoint(script)
    thread = threading.Thread(target=there.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield there
    finally:
        there.server.shutdown()
        there.server.server_close()
        thread.join(5)
