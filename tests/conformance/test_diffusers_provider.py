"""The diffusers adapter with a real pipeline: random weights, 64 pixels, painted by torch in another environment.

torch is far too large to be installed with the rest. `make diffusers-test` makes that environment and runs this.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from safelight.domain.outcomes import Done, ErrorClass, Output, Rejected
from safelight.providers.diffusers.memory import ran_out_of_memory
from safelight.providers.diffusers.provider import DiffusersProvider
from safelight.providers.protocol import Generation, Provider
from safelight.testing.provider_conformance import ProviderConformance
from safelight.testing.support import LocalSupport
from tests.support.watcher import Watcher, with_provider

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("SAFELIGHT_TEST_DIFFUSERS_PYTHON", str(ROOT / ".venv-diffusers/bin/python"))
PATIENCE_S = 300.0

needs_torch = pytest.mark.skipif(
    not Path(PYTHON).exists(), reason="needs torch and diffusers in an environment of their own: 'make diffusers-test'"
)


class InTorch(DiffusersProvider):
    """Its child runs under the other environment's Python, which finds Safelight in this folder."""

    environment: ClassVar[Mapping[str, str]] = {**DiffusersProvider.environment, "PYTHONPATH": str(ROOT / "src")}

    def __init__(self, python: str = PYTHON) -> None:
        super().__init__(60.0, (python, "-P", "-m"))


@cache
def made(folder: Path) -> str:
    folder.mkdir()
    program = str(ROOT / "tests/support/tiny_pipeline.py")
    subprocess.run([PYTHON, program, str(folder)], check=True, capture_output=True, timeout=PATIENCE_S)
    return str(folder / "pipeline")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(tmp_path_factory.getbasetemp() / "tiny-pipeline")


def wish(weights: str, **params: Any) -> Generation:
    small = {"width": 64, "height": 64, "steps": 4, "seed": 7}
    return Generation("image", weights, "a boat on a lake", {**small, **params})


@needs_torch
class TestDiffusersProvider(ProviderConformance):
    local = LocalSupport("`diffusers`", "image", is_ai=True, previews=True, needs="diffusers")
    patience_s = PATIENCE_S
    folder: ClassVar[str]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _weights(cls, weights: str) -> None:
        cls.folder = weights

    def make_provider(self) -> Provider:
        return InTorch()

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return wish(self.folder, n=n, seed=seed)


@needs_torch
def test_each_step_is_progress_with_a_rough_look_and_the_picture_says_that_it_is_ai(weights: str) -> None:
    async def body(provider: InTorch) -> None:
        watcher = Watcher()
        done = await provider.start(wish(weights, steps=5, n=2, format="webp"), "call", watcher)
        assert isinstance(done, Done), done
        for at, output in enumerate(done.outputs):
            assert isinstance(output, Output)
            assert Image.open(BytesIO(output.data)).size == (64, 64) == (output.width, output.height)
            assert output.metadata == {"seed": 7 + at, "ai_generated": True, "renderer": "diffusers"}
        assert len(watcher.seen) == 2 + 2 * 5
        shares = [progress for progress, _ in watcher.seen]
        assert shares == sorted(set(shares))
        looks = [preview.data for _, preview in watcher.seen if preview]
        assert len(set(looks)) == 10
        assert Image.open(BytesIO(looks[0])).size == (256, 256)

    with_provider(InTorch, body, PATIENCE_S)


@needs_torch
def test_a_picture_nobody_wants_any_more_ends_after_the_step(weights: str) -> None:
    async def body(provider: InTorch) -> None:
        watcher = Watcher(stop_at=4)
        state = await provider.start(wish(weights, steps=500), "call", watcher)
        assert isinstance(state, Rejected)
        assert (state.error.error_class, state.error.message) == (ErrorClass.UNAVAILABLE, "stopped")
        assert len(watcher.seen) == 4
        assert isinstance(await provider.start(wish(weights), "call", Watcher()), Done)

    with_provider(InTorch, body, PATIENCE_S)


@needs_torch
def test_another_model_takes_the_place_of_the_one_that_is_loaded(weights: str, tmp_path: Path) -> None:
    async def body(provider: InTorch) -> None:
        other = shutil.copytree(weights, tmp_path / "other")
        first = await provider.start(wish(weights), "call", Watcher())
        assert await provider.start(wish(str(other)), "call", Watcher()) == first
        shutil.rmtree(other)
        assert isinstance(await provider.start(wish(str(other)), "call", Watcher()), Done), "it is still loaded"
        assert await provider.start(wish(weights), "call", Watcher()) == first
        gone = await provider.start(wish(str(other)), "call", Watcher())
        assert isinstance(gone, Rejected)
        assert gone.error.error_class is ErrorClass.MODEL_RETIRED

    with_provider(InTorch, body, PATIENCE_S)


@needs_torch
@pytest.mark.parametrize("model", ["/nowhere/at/all", "someone/not-in-the-cache"])
def test_weights_that_are_not_there_are_not_downloaded_but_explained(model: str) -> None:
    async def body(provider: InTorch) -> None:
        state = await provider.start(wish(model), "call", Watcher())
        assert isinstance(state, Rejected)
        assert state.error.error_class is ErrorClass.MODEL_RETIRED
        assert model in state.error.message
        assert "Nothing is downloaded" in state.error.message

    with_provider(InTorch, body, PATIENCE_S)


@needs_torch
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads from /proc how much memory a process has")
def test_a_picture_for_which_there_is_no_memory_is_refused_with_what_helps(weights: str, tmp_path: Path) -> None:
    """The system itself says no to torch: the child may have hardly more than a small picture takes."""
    taken: list[int] = []

    async def measure(provider: InTorch) -> None:
        assert isinstance(await provider.start(wish(weights, steps=1), "call", Watcher()), Done)
        assert provider.child_pid
        taken.append(_most_memory_kb(provider.child_pid))

    async def body(provider: InTorch) -> None:
        state = await provider.start(wish(weights, width=1536, height=1536, steps=1), "call", Watcher())
        assert isinstance(state, Rejected)
        assert state.error.error_class is ErrorClass.INVALID_REQUEST
        assert "1536x1536" in state.error.message
        assert "smaller" in state.error.message
        assert isinstance(await provider.start(wish(weights, steps=1), "call", Watcher()), Done), (
            "it goes on after that"
        )

    with_provider(InTorch, measure, PATIENCE_S)
    bounded = tmp_path / "python"
    bounded.write_text(f'#!/bin/sh\nulimit -v {taken[0] + 100_000}\nexec "{PYTHON}" "$@"\n')
    bounded.chmod(0o700)
    with_provider(lambda: InTorch(str(bounded)), body, PATIENCE_S)


def _most_memory_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmPeak"))


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"width": 63}, "multiples of 8"),
        ({"steps": 0}, "steps"),
        ({"n": 11}, "n is 11"),
        ({"guidance": "x"}, "guidance"),
    ],
)
def test_what_no_pipeline_could_do_is_refused_before_anything_is_loaded(params: dict[str, Any], word: str) -> None:
    async def body(provider: DiffusersProvider) -> None:
        state = await provider.start(wish("any", **params), "call", Watcher())
        assert isinstance(state, Rejected)
        assert state.error.error_class is ErrorClass.INVALID_REQUEST
        assert word in state.error.message
        assert provider.child_pid is None

    with_provider(DiffusersProvider, body)


def test_the_ways_in_which_memory_runs_out_are_known() -> None:
    class OutOfMemoryError(Exception):
        """As torch's."""

    spoken = RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried …")
    assert ran_out_of_memory(OutOfMemoryError("CUDA out of memory."))
    assert ran_out_of_memory(spoken)
    assert ran_out_of_memory(MemoryError())
    assert not ran_out_of_memory(RuntimeError("the sizes do not match"))
