"""What every refusal looks like: a problem (RFC 9457) with words that help."""

from __future__ import annotations

from typing import Any

import httpx

FIELDS = ("type", "title", "status", "detail", "code", "remedy", "request_id")


def problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The body of a refusal, after a look at everything that each must carry."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert [name for name in FIELDS if not body.get(name)] == []
    assert body["status"] == status
    assert body["type"] == f"urn:safelight:problem:{body['code']}"
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert code in (None, body["code"]), body
    assert "nosniff" in answer.headers["X-Content-Type-Options"]
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    return body
