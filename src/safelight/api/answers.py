"""What calls answer, as OpenAPI tells it: the shapes of bodies, and which statuses each call can give.

Routes translate services' answers and declare no models of their own; a test sends whatever fits /openapi.json and
holds the answers against this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from safelight.domain.jobs import Stage, Status

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
FLAG: Final[Schema] = {"type": "boolean"}
TIME: Final[Schema] = {"type": "string", "format": "date-time", "description": "UTC, milliseconds, `Z`."}
ANYTHING: Final[Schema] = {"type": "object"}


def _or_null(schema: Schema, description: str = "") -> Schema:
    told = {"description": description} if description else {}
    if isinstance(kind := schema.get("type"), str):
        return {**schema, "type": [kind, "null"], **told}
    return {"anyOf": [schema, {"type": "null"}], **told}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _object(**fields: Schema) -> Schema:
    """All of its fields are always there."""
    return {"type": "object", "required": list(fields), "properties": fields, "additionalProperties": False}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


SIGNED_ADDRESS: Final[Schema] = {**TEXT, "description": "Absolute, signed, good for a day."}
ASSET: Final = _object(
    id=TEXT,
    url=SIGNED_ADDRESS,
    thumbnail_url=_or_null(TEXT),
    mime=TEXT,
    width=_or_null(WHOLE),
    height=_or_null(WHOLE),
    bytes=WHOLE,
    duration_s=_or_null(NUMBER),
    sha256=TEXT,
    ai_generated=FLAG,
    recovered=FLAG,
)
INPUT: Final[Schema] = {
    "type": "object",
    "required": ["role", "mime", "width", "height", "bytes", "url"],
    "properties": {
        **dict.fromkeys(("role", "upload", "asset", "mime"), TEXT),
        **dict.fromkeys(("width", "height", "bytes"), WHOLE),
        "url": SIGNED_ADDRESS,
    },
}
ERROR: Final[Schema] = {
    "type": "object",
    "required": ["code", "message", "remedy", "retryable", "provider", "provider_code", "provider_message"],
    "properties": {
        **dict.fromkeys(("code", "message", "remedy"), TEXT),
        "retryable": FLAG,
        **dict.fromkeys(("provider", "provider_code", "provider_message", "provider_request_id"), _or_null(TEXT)),
    },
}
WARNINGS: Final = _list(_object(code=TEXT, message=TEXT))
JOB_FIELDS: Final[dict[str, Schema]] = {
    "id": TEXT,
    "user_id": TEXT,
    "kind": {**TEXT, "enum": ["image", "video", "text", "upscale", "batch"]},
    "model": _or_null(TEXT, "Null for a batch."),
    "queue": _or_null(TEXT),
    "status": {**TEXT, "enum": [str(status) for status in Status]},
    "stage": {**TEXT, "enum": [str(stage) for stage in Stage]},
    "progress": {**NUMBER, "minimum": 0, "maximum": 1},
    "sequence": {**WHOLE, "description": "Grows with all news of the job: drop what is older than what you have."},
    "priority": WHOLE,
    "prompt": _or_null(TEXT),
    "params": {**ANYTHING, "description": "Complete: with every default, and the seed."},
    "inputs": _list(INPUT),
    "labels": {**ANYTHING, "additionalProperties": TEXT},
    "assets": _list(_ref("Asset")),
    "text": _or_null(TEXT),
    "error": _or_null(_ref("JobError")),
    "credits": _object(held=WHOLE, captured=WHOLE, released=WHOLE),
    "cost_usd": NUMBER,
    "attempt": WHOLE,
    "max_attempts": WHOLE,
    "parent_id": _or_null(TEXT),
    "replay_of": _or_null(TEXT),
    "items": _or_null(
        _object(total=WHOLE, by_status={**ANYTHING, "additionalProperties": WHOLE}, url=TEXT), "Of a batch."
    ),
    "queue_info": _or_null(
        _object(
            position=_or_null(WHOLE, "1 is next; null while it does not stand in line, and in lists."),
            eta_s=_or_null(NUMBER, "Until a worker will be free for it, about; null where that cannot be said."),
            waiting_for=_or_null(TEXT, "What keeps it from standing in line."),
            due_at=_or_null(TIME),
            since=_or_null(TIME, "When it could be started at last: its start time, or its last return to the queue."),
        ),
        "While it waits.",
    ),
    "warnings": WARNINGS,
    "request_id": _or_null(TEXT),
    "cancel_requested": FLAG,
    "created_at": TIME,
    "started_at": _or_null(TIME),
    "finished_at": _or_null(TIME),
    "deadline_at": TIME,
    "urls": {"type": "object", "required": ["self", "events", "cancel", "debug"], "additionalProperties": TEXT},
}
JOB: Final[Schema] = {
    "type": "object",
    "required": list(JOB_FIELDS),
    "properties": {**JOB_FIELDS, "jobId": {**TEXT, "description": "The same as `id`, at addresses of older clients."}},
    "additionalProperties": False,
}
QUOTE: Final = _object(
    price_credits=WHOLE,
    affordable=FLAG,
    kind=TEXT,
    model=_or_null(TEXT),
    params=ANYTHING,
    items=_or_null(WHOLE, "How many jobs a batch would have."),
    predicted=_object(
        start_at=_or_null(TIME, "Null where it cannot be said."),
        finish_at=_or_null(TIME),
        low=_or_null(TIME, "The end, if it began at once."),
        high=_or_null(TIME, "The end, if it takes as long as one in twenty of its model."),
        waiting_for=_or_null(TEXT, "What keeps it from being said when it would begin."),
    ),
    warnings=WARNINGS,
)
PAGE: Final = _object(jobs=_list(_ref("Job")), nextCursor=_or_null(TEXT, "The `cursor` of the next page."))
ACCOUNT: Final = _object(user_id=TEXT, balance=WHOLE, held=WHOLE, available=WHOLE)
MODELS: Final = _object(models=_list(ANYTHING))
TOUCHED: Final = {
    "jobs": WHOLE,
    "credits": WHOLE,
    "untouched": _list(_object(reason=TEXT, jobs=WHOLE, why=TEXT)),
}
OUTCOMES: Final[Schema] = {**ANYTHING, "additionalProperties": WHOLE, "description": "How many jobs, by outcome."}
FOUND: Final = {
    **TOUCHED,
    "more": {**FLAG, "description": "There are more than are dealt with at once."},
    "sample": _list(_object(id=TEXT, user_id=TEXT, model=_or_null(TEXT), status=TEXT, price=WHOLE, created_at=TIME)),
}
MEMBER: Final = _object(
    id=TEXT,
    user_id=TEXT,
    model=_or_null(TEXT),
    status=TEXT,
    price=WHOLE,
    outcome=_or_null(TEXT, "Null until it was dealt with."),
    detail=_or_null(TEXT, "The id of the job that was made, or why there is none."),
    at=_or_null(TIME),
)
RECOVERY: Final[dict[str, Schema]] = {
    "id": TEXT,
    "action": {**TEXT, "enum": ["requeue", "fail", "cancel", "retry"]},
    "filter": ANYTHING,
    "message": _or_null(TEXT),
    "state": {**TEXT, "enum": ["planned", "running", "done", "canceled"]},
    "requested_by": TEXT,
    "requested_at": TIME,
    "effective_at": TIME,
    "stopped_by": _or_null(TEXT),
    "ended_at": _or_null(TIME),
    "users": WHOLE,
    **TOUCHED,
    "outcomes": OUTCOMES,
}
SCHEMAS: Final[Mapping[str, Schema]] = {
    "Account": ACCOUNT,
    "Asset": ASSET,
    "Canceled": _object(was={**TEXT, "enum": ["pending", "processing", "ended"]}, job=_ref("Job")),
    "Job": JOB,
    "JobError": ERROR,
    "JobPage": PAGE,
    "Models": MODELS,
    "ManyJobs": _object(
        **FOUND,
        outcomes=OUTCOMES,
        made=_list(_object(**{"from": TEXT, "id": TEXT})),
        refusal=_or_null(TEXT, "What stopped it."),
    ),
    "Quote": QUOTE,
    "Recoveries": _object(recoveries=_list(_ref("Recovery")), nextCursor=_or_null(TEXT)),
    "Recovery": _object(**RECOVERY),
    "RecoveryPlan": _object(**RECOVERY, more=FOUND["more"], sample=FOUND["sample"]),
    "RecoverySurvey": _object(users=WHOLE, **FOUND),
    "RecoveryWithJobs": _object(**RECOVERY, members=_list(MEMBER)),
}

_JOB: Final = _ref("Job")
_SUBMITTED: Final[dict[str, tuple[str, Schema | None]]] = {
    "200": (
        "The ended job (`Prefer: wait`, or a repeated key), or the price and prediction of a dry run",
        {"anyOf": [_ref("Job"), _ref("Quote")]},
    ),
    "202": ("Accepted, durable, its credits held", _JOB),
}
_SUBMITS: Final = ("", "/image-generation", "/video-generation", "/text-generation", "/image-upscale")
ANSWERS: Final[Mapping[tuple[str, str], dict[str, tuple[str, Schema | None]]]] = {
    **{(f"/api/jobs{path}", "post"): _SUBMITTED for path in (*_SUBMITS, "/batch-generation")},
    ("/api/jobs", "get"): {"200": ("A page", _ref("JobPage"))},
    ("/api/jobs/{job_id}/items", "get"): {"200": ("A page", _ref("JobPage"))},
    ("/api/jobs/{job_id}", "get"): {
        "200": ("It has ended", _JOB),
        "202": ("Not finished yet; `Retry-After` says when to look again", _JOB),
        "304": ("Nothing has changed since the `ETag` in `If-None-Match`", None),
    },
    ("/api/jobs/{job_id}", "delete"): {"204": ("It is gone", None)},
    ("/api/jobs/{job_id}/cancel", "post"): {"200": ("What it was, and is now", _ref("Canceled"))},
    ("/api/jobs/{job_id}/retry", "post"): {
        "200": ("It was waiting for its next try, which is due now; or a repeated key's job", _JOB),
        "201": ("A new job", _JOB),
    },
    ("/api/jobs/{job_id}/replay", "post"): {
        "200": ("A repeated key's job", _JOB),
        "201": ("A new job", _JOB),
    },
    ("/api/models", "get"): {
        "200": ("Every model", _ref("Models")),
        "304": ("Nothing has changed since the `ETag` in `If-None-Match`", None),
    },
    ("/api/jobs/cancel", "post"): {"200": ("What became of them, or would", _ref("ManyJobs"))},
    ("/api/jobs/retry", "post"): {"200": ("What became of them, or would", _ref("ManyJobs"))},
    ("/api/admin/recoveries", "post"): {
        "200": ("A dry run: what it would touch", _ref("RecoverySurvey")),
        "201": ("Planned", _ref("RecoveryPlan")),
    },
    ("/api/admin/recoveries", "get"): {"200": ("A page", _ref("Recoveries"))},
    ("/api/admin/recoveries/{recovery_id}", "get"): {"200": ("It, and its jobs", _ref("RecoveryWithJobs"))},
    ("/api/admin/recoveries/{recovery_id}", "delete"): {"200": ("Stopped", _ref("Recovery"))},
    ("/api/credits", "get"): {"200": ("What one has", _ref("Account"))},
    ("/api/assets/{asset_id}", "delete"): {"204": ("It is gone", None)},
}
"""By path and method: status → what it means and the body's schema; None for no body."""

REFUSALS: Final[Mapping[str, str]] = {
    "400": "The request cannot be read",
    "401": "No valid key",
    "402": "Not enough credits",
    "403": "Not with this key, or not from there",
    "404": "There is no such thing of yours",
    "409": "Not in the state it is in",
    "410": "It was there, and is gone",
    "413": "Larger than is taken",
    "422": "Something in it is wrong; `errors` says what, by field",
    "429": "Too often; `Retry-After` says when to come again",
    "503": "Not now; `Retry-After` says when to come again",
}


def describe(call: dict[str, Any], path: str, method: str, problem: Schema) -> None:
    """Complete one operation: its answers, and every refusal that it can meet."""
    responses = call["responses"]
    for status, (text, schema) in ANSWERS.get((path, method), {}).items():
        content = {"application/json": {"schema": schema}} if schema is not None else {}
        responses[status] = {"description": text, **({"content": content} if content else {})}
    if "application/problem+json" not in responses.get("4XX", {}).get("content", {}):
        return  # another door's form
    for status in _refusals(call, path, method):
        responses.setdefault(
            status, {"description": REFUSALS[status], "content": {"application/problem+json": {"schema": problem}}}
        )


def _refusals(call: Mapping[str, Any], path: str, method: str) -> list[str]:
    found = ["400", "422", "429", "503"]
    found += ["401", "403"] if call.get("security") else []
    found += ["404"] if "{" in path else []
    if method == "post":
        found += ["413"]
    if (path, method) in ANSWERS and method in ("post", "delete") and ("{" in path or path.startswith("/api/admin")):
        found += ["409"]
    if _SUBMITTED is ANSWERS.get((path, method)) or path.endswith(("/retry", "/replay")):
        found += ["402", "410"]
    return sorted(found)
