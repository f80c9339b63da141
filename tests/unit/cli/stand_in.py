"""A stand-in for the server on a real loopback port: canned answers, so that commands run as they do for people."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JOB_ID = "0199a2c4-0000-7000-8000-00000000abcd"
OTHER_ID = "0199a2c4-1111-7000-8000-00000000abce"
ASSET = {"id": "a", "mime": "image/png", "width": 512, "height": 512, "bytes": 5, "duration_s": None}

Reply = tuple[int, Any]


def job(status: str = "completed", **more: Any) -> dict[str, Any]:
    """A whole job body, as the contract has it."""
    ended = status not in {"pending", "processing"}
    body: dict[str, Any] = {
        "id": JOB_ID,
        "user_id": "local",
        "kind": "image",
        "model": "procedural",
        "queue": "image",
        "status": status,
        "stage": "delivered" if ended else "queued",
        "progress": 1.0 if ended else 0.0,
        "sequence": 9 if ended else 1,
        "priority": 0,
        "prompt": "a boat",
        "params": {"width": 512, "height": 512, "seed": 7},
        "inputs": [],
        "labels": {},
        "assets": [],
        "text": None,
        "error": None,
        "credits": {"held": 0, "captured": 1, "released": 0},
        "attempt": 1,
        "max_attempts": 3,
        "queue_info": None,
        "warnings": [],
        "request_id": "r-1",
        "created_at": "2026-01-02T03:04:05.000Z",
        "started_at": "2026-01-02T03:04:05.010Z" if status != "pending" else None,
        "finished_at": "2026-01-02T03:04:05.420Z" if ended else None,
    }
    return body | more


def event(type_: str, sequence: int, payload: dict[str, Any] | None = None) -> dict[str, Any]:
    at = f"2026-01-02T03:04:05.{sequence:03}Z"
    return {"type": type_, "job_id": JOB_ID, "sequence": sequence, "at": at, "payload": payload or {}}


def problem(status: int, code: str, **more: Any) -> Reply:
    return status, {"status": status, "code": code, "detail": f"It is {code}.", "remedy": "Do this."} | more


class StandIn:
    """Answers by `METHOD /path`; keeps what was asked. A list of events becomes an event stream."""

    def __init__(self) -> None:
        self.url = ""
        self.replies: dict[str, Reply | list[dict[str, Any]] | bytes] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    def submits(self, ended: dict[str, Any], *news: dict[str, Any]) -> None:
        """A server that takes a job, tells the news, and ends it like this."""
        path = f"/api/jobs/{ended['id']}"
        self.replies["POST /api/jobs"] = 202, job("pending", id=ended["id"])
        self.replies[f"GET {path}/events"] = [event("snapshot", 1, job("pending")), *news, event("snapshot", 9, ended)]
        self.replies[f"GET {path}"] = 200, ended


@contextmanager
def listening() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = f"{self.command} {self.path}"
            is_json = body and "json" in self.headers.get("Content-Type", "")
            stand_in.asked.append((asked, dict(self.headers), json.loads(body) if is_json else body or None))
            reply = stand_in.replies.get(asked.partition("?")[0], problem(404, "not_found"))
            match reply:
                case bytes():
                    self._send(200, "image/png", reply)
                case list():
                    text = "".join(f"id: {each['sequence']}\ndata: {json.dumps(each)}\n\n" for each in reply)
                    self._send(200, "text/event-stream", text.encode())
                case (status, document):
                    self._send(status, "application/json", json.dumps(document).encode())

        def _send(self, status: int, mime: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
