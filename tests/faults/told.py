"""Faults of what people are told: live updates that cannot be opened, webhooks that nobody takes."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from safelight.testing.throwaway import free_port
from tests.faults.fault import Injected, fault
from tests.faults.system import System


@fault("SOCKET_URL_MISMATCH", "it names another port than the server's")
def wrong_port(patient: System) -> Injected:
    url = f"ws://127.0.0.1:{free_port()}/api/ws"
    patient.made.set(socket_url=url)
    patient.working()
    return Injected(evidence={"socket_url": url}, by_hand=lambda: patient.made.set(socket_url=""))


@fault("SOCKET_URL_MISMATCH", "pages come over https and may not open it")
def not_wss(patient: System) -> Injected:
    patient.working()
    patient.made.set(public_url="https://pictures.test", socket_url="ws://pictures.test/api/ws")
    return Injected(by_hand=lambda: patient.made.set(socket_url=""))


@fault("LIVE_UPDATES_BROKEN", "the server hangs")
def hanging(patient: System) -> Injected:
    server, _ = patient.working(lease_seconds=30)
    patient.made.set(lease_seconds=30)
    server.freeze()

    def restart() -> None:
        server.kill()
        patient.serve()

    return Injected(by_hand=restart)


@fault("LIVE_UPDATES_BROKEN", "a proxy passes no sockets on")
def deaf_proxy(patient: System) -> Injected:
    port = _without_sockets(patient)
    patient.made.set(socket_url=f"ws://localhost.localdomain:{port}/api/ws")
    patient.working()
    return Injected(by_hand=lambda: patient.made.set(socket_url=""))


@fault("WEBHOOKS_FAILING", "the receiver is gone for good")
def receiver_gone(patient: System) -> Injected:
    return _receiver(patient, 410)


@fault("DELIVERY_MISSING", "the receiver answers 410", ask="explain", goes=False)
def delivery_missing(patient: System) -> Injected:
    return _receiver(patient, 410)


@fault("DELIVERY_MISSING", "the receiver has moved", ask="explain", goes=False)
def receiver_moved(patient: System) -> Injected:
    return _receiver(patient, 301)


def _receiver(patient: System, status: int) -> Injected:
    host = f"127.0.0.1:{_answering(patient, status)}"
    patient.made.set(allow_private_hosts=host)
    patient.working()
    job = patient.submit(callback={"url": f"http://{host}/hook"})
    patient.until_status(job, "completed")
    patient.until(lambda: patient.rows("SELECT 1 FROM delivery_tries"), "it was told")

    def an_hour_later() -> None:
        patient.change("UPDATE deliveries SET ended_at = ended_at - 3700")

    return Injected(job, by_hand=an_hour_later)


def _answering(patient: System, status: int) -> int:
    """The port of something that answers every request with this status."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    patient.stack.callback(server.server_close)
    patient.stack.callback(server.shutdown)
    return int(server.server_address[1])


def _without_sockets(patient: System) -> int:
    return _answering(patient, 400)
