"""The models as a user sees them: what each takes and costs, whether it can be used now, and which is the default."""

from __future__ import annotations

from datetime import date
from typing import Any

from safelight.catalog.catalog import Catalog
from safelight.domain.errors import CallerError
from safelight.services.outlook import Outlook


def shown_models(catalog: Catalog, outlook: Outlook, today: date) -> list[dict[str, Any]]:
    """In the order of the catalog. Pure."""
    kinds = {model.kind for model in catalog.models}
    defaults = {_default(catalog, kind, outlook, today) for kind in kinds}
    shown = []
    for model in catalog.models:
        reason = catalog.why_unavailable(model, configured=outlook.configured, today=today, missing=outlook.missing)
        learnt = outlook.learnt.get(model.id)
        now = {
            "available": reason is None,
            "unavailable_reason": reason,
            "default": model.id in defaults,
            "measured_jobs": learnt.jobs if learnt else 0,
        }
        shown.append({**model.public(), **now})
    return shown


def _default(catalog: Catalog, kind: str, outlook: Outlook, today: date) -> str | None:
    try:
        return catalog.resolve(kind, None, configured=outlook.configured, today=today).model.id
    except CallerError:
        return None
