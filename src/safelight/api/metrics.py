"""Routes of metrics: one page, under the name that Prometheus looks for and under that of health."""

from __future__ import annotations

from fastapi import APIRouter, Response

from safelight.api.context import Installation, Reader
from safelight.worker.metrics_page import CONTENT_TYPE, page

router = APIRouter(tags=["health"])


@router.get(
    "/api/health/queues/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
@router.get("/metrics", include_in_schema=False)
async def metrics(safelight: Installation, reader: Reader) -> Response:
    """Jobs, credits and queues are told alike by every process; what has `safelight_…_seconds` is this process's."""
    return Response(await page(safelight.database), media_type=CONTENT_TYPE)
