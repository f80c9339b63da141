"""The one pipeline that is loaded: another model takes its place. For the child: this imports torch and diffusers."""

from __future__ import annotations

import gc
from typing import Any

import torch
from diffusers import DiffusionPipeline

from safelight.children.serving import Refused
from safelight.domain.outcomes import ErrorClass
from safelight.providers.diffusers.memory import ran_out_of_memory


class Shelf:
    """Room for one pipeline."""

    def __init__(self) -> None:
        self._model: str | None = None
        self._pipeline: Any = None

    def pipeline(self, model: str) -> Any:
        """The pipeline of a model, on the best device there is. Raises Refused."""
        if model != self._model:
            self.clear()
            self._pipeline, self._model = _loaded(model), model
        return self._pipeline

    def clear(self) -> None:
        """Give the memory back before something else needs it."""
        self._pipeline, self._model = None, None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _loaded(model: str) -> Any:
    device = best_device()
    precision = torch.float32 if device == "cpu" else torch.float16
    try:
        pipeline = DiffusionPipeline.from_pretrained(model, local_files_only=True, dtype=precision).to(device)
    except Exception as error:  # diffusers raises what its parts raise
        if ran_out_of_memory(error):
            raise Refused(
                ErrorClass.UNAVAILABLE,
                f"There is not enough memory on {device!r} to load {model!r}. Free some, or use a smaller model.",
            ) from error
        if isinstance(error, OSError | ValueError):
            raise Refused(
                ErrorClass.MODEL_RETIRED,
                f"No pipeline can be loaded from {model!r}: {error} Nothing is downloaded: put the weights there, "
                "or correct the model's route in the catalog.",
            ) from error
        raise
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
