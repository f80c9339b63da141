"""Every table, index and constraint, once. Migrations build it; a test compares the two.

Times are epoch seconds (double precision), JSON is text, numbers that other rows refer to are never
reused. Constants in partial indexes are literals: statements must render theirs as literals too.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, CheckConstraint, Column, Float, Identity, Index, Integer, Table, Text, text

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CREDITS = sa.BigInteger()
TIME = Float(53)


def _number() -> Column[int]:
    return Column("number", NUMBER, Identity(), primary_key=True)


jobs = Table(
    "jobs",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("account", NUMBER, nullable=False),
    # what was asked
    Column("kind", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("provider_pin", Text),
    Column("queue", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("inputs", Text, nullable=False, server_default="[]"),
    Column("labels", Text, nullable=False, server_default="{}"),
    Column("outputs", Integer, nullable=False, server_default="1"),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("request_id", Text),
    Column("warnings", Text, nullable=False, server_default="[]"),
    # what people see
    Column("status", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("progress", Float(53), nullable=False, server_default="0"),
    Column("sequence", Integer, nullable=False),
    Column("error", Text),
    Column("text", Text),
    Column("cut_short", Boolean, nullable=False, server_default=sa.false()),
    # who may run it, and when
    Column("ready", Boolean, nullable=False),
    Column("waiting_for", Text),
    Column("due_at", TIME),
    Column("vstart", Float(53), nullable=False),
    Column("share", Float(53), nullable=False, server_default="1"),
    Column("resumes", Boolean, nullable=False, server_default=sa.false()),
    # who holds it
    Column("worker_id", Text),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False, server_default="3"),
    Column("lost_n", Integer, nullable=False, server_default="0"),
    Column("claimed_at", TIME),
    # time
    Column("created_at", TIME, nullable=False),
    Column("start_at", TIME, nullable=False),
    Column("started_at", TIME),
    Column("finished_at", TIME),
    Column("deadline_at", TIME, nullable=False),
    Column("first_deadline_at", TIME),
    Column("run_limit_s", Float(53), nullable=False),
    Column("cancel_requested_at", TIME),
    # the row is its own outbox
    Column("published_at", TIME),
    Column("publish_n", Integer, nullable=False, server_default="0"),
    # money
    Column("price", CREDITS, nullable=False),
    Column("terms", Text),
    Column("captured", CREDITS, nullable=False, server_default="0"),
    Column("settled", Boolean, nullable=False, server_default=sa.false()),
    # lineage
    Column("parent", NUMBER),
    Column("replay_of", NUMBER),
    Column("resumed_call", Text),
    Column("pruning_at", TIME),
    # who is told, and how a request that comes again is known
    Column("callback", Text),
    Column("request_hash", Text),
    Index(
        "ix_jobs_claim",
        "queue",
        sa.desc("priority"),
        "vstart",
        "number",
        sqlite_where=text("ready"),
        postgresql_where=text("ready"),
    ),
    Index("ix_jobs_resume", "queue", "number", sqlite_where=text("resumes"), postgresql_where=text("resumes")),
    Index(
        "ix_jobs_due", "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")
    ),
    Index(
        "ix_jobs_held",
        "worker_id",
        sqlite_where=text("status = 'processing'"),
        postgresql_where=text("status = 'processing'"),
    ),
    Index(
        "ix_jobs_deadline",
        "deadline_at",
        sqlite_where=text("status IN ('pending', 'processing')"),
        postgresql_where=text("status IN ('pending', 'processing')"),
    ),
    Index(
        "ix_jobs_user",
        "user_id",
        sa.desc("number"),
        sqlite_where=text("parent IS NULL"),
        postgresql_where=text("parent IS NULL"),
    ),
    Index(
        "ix_jobs_user_status",
        "user_id",
        "status",
        sa.desc("number"),
        sqlite_where=text("parent IS NULL"),
        postgresql_where=text("parent IS NULL"),
    ),
    Index(
        "ix_jobs_parent", "parent", sqlite_where=text("parent IS NOT NULL"), postgresql_where=text("parent IS NOT NULL")
    ),
    Index(
        "ix_jobs_live_items",
        "parent",
        "number",
        sqlite_where=text("parent IS NOT NULL AND status IN ('pending', 'processing')"),
        postgresql_where=text("parent IS NOT NULL AND status IN ('pending', 'processing')"),
    ),
    Index(
        "ix_jobs_live_batches",
        "number",
        sqlite_where=text("kind = 'batch' AND status IN ('pending', 'processing')"),
        postgresql_where=text("kind = 'batch' AND status IN ('pending', 'processing')"),
    ),
    Index(
        "ix_jobs_parked",
        "waiting_for",
        "queue",
        sa.desc("priority"),
        "vstart",
        "number",
        sqlite_where=text("waiting_for IS NOT NULL"),
        postgresql_where=text("waiting_for IS NOT NULL"),
    ),
    Index(
        "ix_jobs_suspect",
        "queue",
        "number",
        sqlite_where=text("lost_n >= 2 AND status = 'pending'"),
        postgresql_where=text("lost_n >= 2 AND status = 'pending'"),
    ),
    Index(
        "ix_jobs_running",
        "queue",
        "user_id",
        sqlite_where=text("status = 'processing' OR resumes"),
        postgresql_where=text("status = 'processing' OR resumes"),
    ),
    Index(
        "ix_jobs_unheeded",
        "cancel_requested_at",
        sqlite_where=text("cancel_requested_at IS NOT NULL AND status IN ('pending', 'processing')"),
        postgresql_where=text("cancel_requested_at IS NOT NULL AND status IN ('pending', 'processing')"),
    ),
    Index(
        "uq_jobs_resumed_call",
        "resumed_call",
        unique=True,
        sqlite_where=text("resumed_call IS NOT NULL AND status IN ('pending', 'processing')"),
        postgresql_where=text("resumed_call IS NOT NULL AND status IN ('pending', 'processing')"),
    ),
    Index(
        "ix_jobs_pruning",
        "number",
        sqlite_where=text("pruning_at IS NOT NULL"),
        postgresql_where=text("pruning_at IS NOT NULL"),
    ),
    Index(
        "ix_jobs_replay",
        "replay_of",
        sqlite_where=text("replay_of IS NOT NULL"),
        postgresql_where=text("replay_of IS NOT NULL"),
    ),
    Index(
        "ix_jobs_finished",
        "finished_at",
        sqlite_where=text("finished_at IS NOT NULL"),
        postgresql_where=text("finished_at IS NOT NULL"),
    ),
    Index(
        "ix_jobs_request",
        "user_id",
        "request_hash",
        "number",
        sqlite_where=text("request_hash IS NOT NULL"),
        postgresql_where=text("request_hash IS NOT NULL"),
    ),
    CheckConstraint("status IN ('pending', 'processing', 'completed', 'failed', 'canceled', 'partial')", name="status"),
    CheckConstraint("NOT (ready AND status <> 'pending')", name="ready_is_pending"),
    CheckConstraint("NOT (resumes AND status <> 'pending')", name="resumes_is_pending"),
    CheckConstraint("settled = (status IN ('completed', 'failed', 'canceled', 'partial'))", name="settled_when_ended"),
    CheckConstraint("captured >= 0 AND captured <= price", name="captured_within_price"),
    sqlite_autoincrement=True,
)

"""A job and its row. `queue` is empty for a batch. `waiting_for` says what a parked job waits for: `user:NAME` (its
running cap), `worker:ID` (that worker runs it alone) or `gate:NAME` (that provider takes no calls).
`first_deadline_at` is the deadline before its first claim, for one that a gate sends back to wait. `resumed_call` is
the id of another job's call that this one picks up again; `terms` is the price as JSON where it is paid by use;
`pruning_at` marks an ended job whose files and rows are being removed. `callback` is where its events go, as JSON
(`url`, `events`); `request_hash` is kept only by doors whose clients repeat requests without a key."""

labels = Table(
    "labels",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("job", NUMBER, primary_key=True, autoincrement=False),
    Index("ix_labels_job", "job"),
    sqlite_with_rowid=False,
)
"""The labels of each job once more, to find jobs by them; `jobs.labels` is what they are."""

batches = Table(
    "batches",
    metadata,
    Column("job", NUMBER, primary_key=True, autoincrement=False),
    Column("items", Integer, nullable=False),
    Column("completed", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("canceled", Integer, nullable=False, server_default="0"),
)
"""How the items of each batch have ended so far; the sweep recounts batches without live items."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("job", NUMBER, primary_key=True, autoincrement=False),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", TIME, nullable=False),
    sqlite_with_rowid=False,
)

previews = Table(
    "previews",
    metadata,
    Column("job", NUMBER, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("mime", Text, nullable=False),
    Column("data", Text, nullable=False),
)
"""The newest preview of each running job, base64; gone when the job ends."""

calls = Table(
    "calls",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("job", NUMBER, nullable=False),
    Column("part", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("repeatable", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("remote_id", Text),
    Column("text", Text),
    Column("worker_id", Text, nullable=False),
    Column("sending_at", TIME, nullable=False),
    Column("accepted_at", TIME),
    Column("ended_at", TIME),
    Column("check_at", TIME),
    Column("checks_n", Integer, nullable=False, server_default="0"),
    Column("unknown_at", TIME),
    Column("given_up_at", TIME),
    Column("cost_usd", Float(53)),
    Column("error", Text),
    Column("provider_request_id", Text),
    Column("charge", Integer),
    Column("cut_short", Boolean, nullable=False, server_default=sa.false()),
    Index("ix_calls_job", "job"),
    Index(
        "ix_calls_remote",
        "remote_id",
        sqlite_where=text("remote_id IS NOT NULL"),
        postgresql_where=text("remote_id IS NOT NULL"),
    ),
    Index(
        "ix_calls_check",
        "check_at",
        sqlite_where=text("check_at IS NOT NULL"),
        postgresql_where=text("check_at IS NOT NULL"),
    ),
    Index(
        "uq_calls_open",
        "job",
        "part",
        unique=True,
        sqlite_where=text("state IN ('sending', 'accepted', 'unknown') AND given_up_at IS NULL"),
        postgresql_where=text("state IN ('sending', 'accepted', 'unknown') AND given_up_at IS NULL"),
    ),
    CheckConstraint("state IN ('sending', 'accepted', 'succeeded', 'failed', 'unknown')", name="state"),
    sqlite_autoincrement=True,
)
"""One row per provider call. `cost_usd` is an estimate until the provider has named its price. `check_at`: when to look
after an open call whose job has ended; `unknown_at`: since when nobody knows whether it was accepted."""

spend = Table(
    "spend",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("usd", Float(53), nullable=False, server_default="0"),
)
"""What each provider's calls cost per UTC day (`2026-01-31`), for its daily ceiling."""

gates = Table(
    "gates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("cooldown_until", TIME),
    Column("cooldowns", Integer, nullable=False, server_default="0"),
    Column("tripped_at", TIME),
    Column("trips", Integer, nullable=False, server_default="0"),
    Column("trial_at", TIME),
    Column("trial_call", Text),
    Column("trial_until", TIME),
    Column("paced_until", TIME),
    Column("spent_until", TIME),
    Column("spent_ceiling", Float(53)),
    Column("error_class", Text),
    Column("reason", Text),
    Column("failed_at", TIME),
)
"""One row per provider and key, made by its first call (`domain/gates.py` has the rules). `id` is both, joined."""

assets = Table(
    "assets",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("job", NUMBER, nullable=False),
    Column("call", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("thumbnail_key", Text),
    Column("mime", Text, nullable=False),
    Column("bytes", sa.BigInteger, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration_s", Float(53)),
    Column("sha256", Text, nullable=False),
    Column("ai_generated", Boolean, nullable=False),
    Column("recovered", Boolean, nullable=False, server_default=sa.false()),
    Column("created_at", TIME, nullable=False),
    Column("removed_at", TIME),
    Index("ix_assets_job", "job"),
    Index(
        "ix_assets_removed",
        "number",
        sqlite_where=text("removed_at IS NOT NULL"),
        postgresql_where=text("removed_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)
"""`removed_at` marks a file that its user deleted: it and its row are being removed."""

uploads = Table(
    "uploads",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("bytes", sa.BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME),
    Column("stored_at", TIME),
    Column("removing_at", TIME),
    Index("ix_uploads_user", "user_id", "sha256"),
    Index("ix_uploads_key", "key"),
    Index(
        "ix_uploads_unused",
        "user_id",
        "expires_at",
        sqlite_where=text("expires_at IS NOT NULL"),
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
    Index(
        "ix_uploads_expiry",
        "expires_at",
        sqlite_where=text("expires_at IS NOT NULL"),
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
    Index(
        "ix_uploads_leaving",
        "number",
        sqlite_where=text("removing_at IS NOT NULL"),
        postgresql_where=text("removing_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)
"""Pictures that users brought, for jobs to start from. The row comes before its file (`stored_at`) and goes after it
(`removing_at`): no file is without a row. It goes after `expires_at`, which is empty while a job names it."""

job_inputs = Table(
    "job_inputs",
    metadata,
    Column("job", NUMBER, primary_key=True, autoincrement=False),
    Column("upload", NUMBER, primary_key=True, autoincrement=False),
    Index("ix_job_inputs_upload", "upload"),
    sqlite_with_rowid=False,
)
"""Which uploads each job starts from. What the job needs to know of them stands in its own row."""

accounts = Table(
    "accounts",
    metadata,
    _number(),
    Column("user_id", Text, nullable=False, unique=True),
    Column("balance", CREDITS, nullable=False, server_default="0"),
    Column("held", CREDITS, nullable=False, server_default="0"),
    CheckConstraint("held >= 0 AND balance >= held", name="covers_holds"),
    sqlite_autoincrement=True,
)

ledger = Table(
    "ledger",
    metadata,
    _number(),
    Column("account", NUMBER, nullable=False),
    Column("job", NUMBER),
    Column("kind", Text, nullable=False),
    Column("balance_delta", CREDITS, nullable=False),
    Column("held_delta", CREDITS, nullable=False),
    Column("balance_after", CREDITS, nullable=False),
    Column("reference", Text, unique=True),
    Column("note", Text, nullable=False, server_default=""),
    Column("at", TIME, nullable=False),
    Index("ix_ledger_account", "account", "number"),
    Index("ix_ledger_job", "job"),
    Index(
        "uq_ledger_settlement",
        "job",
        unique=True,
        sqlite_where=text("kind IN ('capture', 'release')"),
        postgresql_where=text("kind IN ('capture', 'release')"),
    ),
    CheckConstraint("kind IN ('grant', 'hold', 'capture', 'release', 'refund', 'adjustment')", name="kind"),
    CheckConstraint("job IS NOT NULL OR reference IS NOT NULL", name="says_what_for"),
    sqlite_autoincrement=True,
)

queues = Table(
    "queues",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_at", TIME),
    Column("pause_reason", Text),
    Column("resumed_to", TIME),
    Column("clock", Float(53), nullable=False, server_default="0"),
)
"""One row per queue: whether it is paused, and how far its fair clock has come (the `vstart` last claimed).

`resumed_to`: while it is being resumed, the deadline down to which jobs have got the paused time."""

users = Table(
    "users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("tier", Text),
    Column("running_cap", Integer),
    Index(
        "ix_users_capped",
        "running_cap",
        sqlite_where=text("running_cap IS NOT NULL"),
        postgresql_where=text("running_cap IS NOT NULL"),
    ),
)
"""Users of whom the operator has said something: their tier (a name in the catalog file), how many jobs may run."""

durations = Table(
    "durations",
    metadata,
    Column("model", Text, primary_key=True),
    Column("jobs", Integer, nullable=False),
    Column("p50_s", Float(53), nullable=False),
    Column("p95_s", Float(53), nullable=False),
    Column("p99_s", Float(53), nullable=False, server_default="0"),
)
"""How long the last completed jobs of each model ran."""

usage_hours = Table(
    "usage_hours",
    metadata,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("credits", sa.BigInteger, nullable=False),
    Column("jobs", Integer, nullable=False),
)
"""Credits that jobs captured, by the hour (since 1970) in which they ended; written when it is over."""

fair_tags = Table(
    "fair_tags",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("tag", Float(53), nullable=False),
)
"""Where each user's next job starts on a queue's fair clock."""

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Text, nullable=False),
    Column("url", Text),
    Column("backend", Text, nullable=False),
    Column("nudge_address", Text),
    Column("queues", Text, nullable=False),
    Column("providers", Text, nullable=False),
    Column("kinds", Text, nullable=False, server_default="[]"),
    Column("slots", Integer, nullable=False),
    Column("busy", Integer, nullable=False, server_default="0"),
    Column("version", Text, nullable=False),
    Column("loop_lag_ms", Float(53), nullable=False, server_default="0"),
    Column("rss_bytes", sa.BigInteger, nullable=False, server_default="0"),
    Column("started_at", TIME, nullable=False),
    Column("beat_at", TIME, nullable=False),
    Column("beat_n", Integer, nullable=False, server_default="0"),
    Column("draining", Boolean, nullable=False, server_default=sa.false()),
    Column("sweeps_n", Integer, nullable=False, server_default="0"),
    Column("swept_at", TIME),
    Column("lost_at", TIME),
)
"""One row per process; it is removed when the process ends in good order."""

departures = Table(
    "departures",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("left_at", TIME, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Of each queue the worker that left last in good order."""

installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts shared by all processes, such as the secret that signs asset URLs."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("scopes", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME),
    Column("revoked_at", TIME),
    Column("used_at", TIME),
    Index("ix_api_keys_user", "user_id"),
)
"""Keys of users, as SHA-256 of the whole key. `scopes` reads `jobs+read`, `shown` has the key's first characters.

Rows stay when a key is revoked: that one was made is what ended local mode.
"""

tickets = Table(
    "tickets",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("key_id", Text),
    Column("expires_at", TIME, nullable=False),
    Index("ix_tickets_expiry", "expires_at"),
)
"""What a browser shows in place of a key: a ticket, whose row goes when it is used, or a session, until it ends."""

rates = Table(
    "rates",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("full_at", TIME, nullable=False),
)
"""When each user's allowance of submits will be whole again: all that a leaky bucket has to remember."""

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("previous", Text),
    Column("rotated_at", TIME),
)
"""What signs the webhooks to each user; for a day after `rotated_at` the previous one signs beside it."""

deliveries = Table(
    "deliveries",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("job", NUMBER, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries_n", Integer, nullable=False, server_default="0"),
    Column("due_at", TIME),
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Index("uq_deliveries_event", "job", "sequence", unique=True),
    Index(
        "ix_deliveries_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
    CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="due_while_waiting"),
    sqlite_autoincrement=True,
)
"""One row per event that a job's callback is told; `id` is its `webhook-id`, the same at every try. Whoever takes one
to send it moves `due_at` on first: if it dies, another tries again then."""

delivery_tries = Table(
    "delivery_tries",
    metadata,
    Column("delivery", NUMBER, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("at", TIME, nullable=False),
    Column("took_s", Float(53), nullable=False),
    Column("status", Integer),
    Column("error", Text),
    sqlite_with_rowid=False,
)
"""What came of each try: the receiver's HTTP status, or why there was none."""

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("labels", Text, primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("value", Float(53), nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
"""What metrics count, moved in the transaction of what they count. `labels` is a JSON object with sorted keys. A value
is the sum over its shards: processes that count the same thing do not wait for each other."""

projects = Table(
    "projects",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    Index("ix_projects_user", "user_id", "number"),
    sqlite_autoincrement=True,
)
"""What the avatar door groups jobs by: their label `project_id`."""

recoveries = Table(
    "recoveries",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("action", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("message", Text, nullable=False, server_default=""),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", TIME, nullable=False),
    Column("effective_at", TIME, nullable=False),
    Column("state", Text, nullable=False),
    Column("jobs", Integer, nullable=False),
    Column("users", Integer, nullable=False),
    Column("credits", CREDITS, nullable=False),
    Column("untouched", Text, nullable=False, server_default="{}"),
    Column("counts", Text, nullable=False, server_default="{}"),
    Column("stopped_by", Text),
    Column("ended_at", TIME),
    Index(
        "ix_recoveries_open",
        "effective_at",
        sqlite_where=text("state IN ('planned', 'running')"),
        postgresql_where=text("state IN ('planned', 'running')"),
    ),
    CheckConstraint("action IN ('requeue', 'fail', 'cancel', 'retry')", name="action"),
    CheckConstraint("state IN ('planned', 'running', 'done', 'canceled')", name="state"),
    sqlite_autoincrement=True,
)
"""What an operator has planned for many jobs at once. `filter` is JSON (`services/job_filter.py`); `jobs`, `users` and
`credits` are what it found, `untouched` how many it had to leave alone, by reason; `counts` what became of the jobs."""

recovery_jobs = Table(
    "recovery_jobs",
    metadata,
    Column("recovery", NUMBER, primary_key=True, autoincrement=False),
    Column("job", NUMBER, primary_key=True, autoincrement=False),
    Column("outcome", Text),
    Column("detail", Text),
    Column("at", TIME),
    Index("ix_recovery_jobs_job", "job"),
    Index(
        "ix_recovery_jobs_left",
        "recovery",
        "job",
        sqlite_where=text("outcome IS NULL"),
        postgresql_where=text("outcome IS NULL"),
    ),
    sqlite_with_rowid=False,
)
"""The jobs that a recovery is for, as they were found when it was planned. `outcome` is empty until one was looked at
again and dealt with, in the same transaction; `detail` is the id of the new job, or why there is none."""
