"""An installation whose only paid provider is a stand-in of one that Safelight ships an adapter for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safelight.testing.throwaway import free_port
from tests.support.server import Installation, installation
from tests.support.stand_in import StandInProcess, stand_in_provider

MODELS = {"replicate": "black-forest-labs/flux-1.1-pro", "modelslab": "modelslab/flux"}
KEYS = {"replicate": "REPLICATE_API_TOKEN", "modelslab": "MODELSLAB_API_KEY"}


@dataclass(frozen=True)
class Paid:
    """The installation and its provider, each a process of its own."""

    made: Installation
    provider: StandInProcess
    model: str

    def submit(self, prompt: str) -> str:
        """The id of a new job of its model."""
        body = {"kind": "image", "prompt": prompt, "model": self.model}
        answer = self.made.request("POST", "/api/jobs", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])


@contextmanager
def paid(folder: Path, name: str, **settings: object) -> Iterator[Paid]:
    """With keys in the environment, as an operator would set it up; no server runs yet."""
    with stand_in_provider(folder, name) as provider:
        environ = {KEYS[name]: "a-key-of-nobody", f"SAFELIGHT_{name.upper()}_BASE_URL": provider.url}
        with installation(folder / "made", environ, **settings) as made:
            yield Paid(made, provider, MODELS[name])


def reachable() -> tuple[list[str], dict[str, object]]:
    """Words and settings of a server that providers on this machine may call back."""
    port = free_port()
    place = f"127.0.0.1:{port}"
    return ["--port", str(port)], {"public_url": f"http://{place}", "allow_private_hosts": place}
