"""Whether the pictures that jobs start from, and what becomes of them, are of a size that their models take.

Known when they are in storage: so a job that its provider would refuse is refused at submit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice

from safelight.catalog.catalog import Catalog
from safelight.domain.errors import InvalidParams, Remedy
from safelight.services import inputs
from safelight.services.binding import MOST_ERRORS, Prepared
from safelight.services.prepare import JobRequest
from safelight.services.prepare_batch import BatchRequest
from safelight.services.submission import Submission


def refuse_too_large(request: JobRequest | BatchRequest, prepared: Prepared, catalog: Catalog) -> None:
    """Raises InvalidParams with every picture that is too large for its job."""
    errors = dict(islice(_wrong(request, prepared, catalog), MOST_ERRORS))
    if errors:
        first = next(f"{path}: {texts[0]}" for path, texts in errors.items())
        more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
        remedy = Remedy("Give a smaller picture, or ask for a smaller result.")
        raise InvalidParams(f"{first}{more}", errors=errors, remedy=remedy)


def _wrong(request: JobRequest | BatchRequest, prepared: Prepared, catalog: Catalog) -> Iterator[tuple[str, list[str]]]:
    if isinstance(prepared, Submission):
        yield from _wrong_with(prepared, str, catalog)
    elif isinstance(request, BatchRequest):
        for item, asked in zip(prepared.items, request.items, strict=True):
            yield from _wrong_with(item, asked.name_of, catalog)


def _wrong_with(job: Submission, name_of: Callable[[str], str], catalog: Catalog) -> Iterator[tuple[str, list[str]]]:
    model = catalog.get(job.model)
    if model is None or not model.limits.max_input_pixels:
        return
    params = json.loads(job.params)
    for at, given in enumerate(inputs.read(job.inputs)):
        if texts := list(model.limits.input_errors(params, given.width, given.height)):
            yield name_of(f"inputs[{at}]"), texts
