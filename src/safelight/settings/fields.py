"""Every setting: its type, default and limits, what it does in a sentence, and what it takes in words."""

from __future__ import annotations

import ipaddress
import os.path
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from safelight.domain.access import GivenKey, read_given_key
from safelight.domain.ids import is_user_id
from safelight.domain.rates import RateLimit, read_rate
from safelight.domain.unknown import UnknownPolicy

PREFIX = "SAFELIGHT_"
DAY_S = 86_400.0
MIB = 1024 * 1024

_A_BASE = "an http:// or https:// URL without query, such as https://pictures.example.org"


def _not_a_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("true and false are not numbers")
    return value


def _in_lower_case(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _is_a_place(place: str) -> str:
    """`host:port`, an IPv6 address in brackets."""
    parts = urlsplit(f"//{place}")
    if not parts.hostname or not parts.port or parts.netloc != place or "@" in place:  # .port raises ValueError itself
        raise ValueError("not host:port")
    return place.lower()


def _is_a_given_key(text: str) -> str:
    given = read_given_key(text)
    if not is_user_id(given.user_id):
        raise ValueError("not the name of a user")
    return text


def _is_a_network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


def _is_an_origin(text: str) -> str:
    """As browsers send it: scheme, host and, unless it is the usual one, port."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("is no origin")
    return text.lower()


def _is_a_rate(text: str) -> str:
    read_rate(text)
    return text


def _is_an_expectation(text: str) -> str:
    queue, _, n = text.partition(":")
    if not queue or not n.isdecimal() or not 1 <= int(n) <= 10_000:
        raise ValueError("not queue:number")
    return text


def _each_once(keys: tuple[str, ...]) -> tuple[str, ...]:
    if len({read_given_key(each).key for each in keys}) < len(keys):
        raise ValueError("one key stands there twice")
    return keys


ApiKeys = Annotated[
    tuple[Annotated[str, AfterValidator(_is_a_given_key)], ...],
    BeforeValidator(_as_list),
    AfterValidator(_each_once),
]
Expectations = Annotated[tuple[Annotated[str, AfterValidator(_is_an_expectation)], ...], BeforeValidator(_as_list)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_is_a_network)], ...], BeforeValidator(_as_list)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_is_an_origin)], ...], BeforeValidator(_as_list)]
Places = Annotated[tuple[Annotated[str, AfterValidator(_is_a_place)], ...], BeforeValidator(_as_list)]
Whole = Annotated[int, BeforeValidator(_not_a_bool)]
Seconds = Annotated[float, BeforeValidator(_not_a_bool)]
Dollars = Annotated[float, BeforeValidator(_not_a_bool)]
Share = Annotated[float, BeforeValidator(_not_a_bool)]
LogFormat = Annotated[Literal["auto", "json", "console"], BeforeValidator(_in_lower_case)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_in_lower_case)]


def _setting(
    default: Any,
    about: str,
    *,
    expects: str,
    shown: str | None = None,
    secret: bool = False,
    usual: tuple[str, ...] = (),
    **limits: Any,
) -> Any:
    """One setting. `shown` is how its default reads where it is computed; `secret` keeps it out of every output.

    `usual` are the variables, without our prefix, under which everybody keeps it.
    """
    extra: dict[str, JsonValue] = {"expects": expects, "shown": shown, "secret": secret, "usual": list(usual)}
    return Field(default, description=about, json_schema_extra=extra, **limits)


def _key(provider: str, *usual: str) -> Any:
    """The key of a provider."""
    return _setting(
        None,
        f"Key of {provider}. Its models can be used as soon as it is set.",
        expects="a key",
        shown="none",
        secret=True,
        usual=usual,
        repr=False,
        min_length=1,
    )


def _provider_base(provider: str, address: str) -> Any:
    """Where a provider is asked: a stand-in in tests, a proxy, or another installation of the same API."""
    return _setting(None, f"Base address of {provider}.", expects=_A_BASE, shown=f"`{address}`")


def _keep_days(what: str) -> Any:
    """How long the jobs of one kind are kept."""
    return _setting(
        None,
        f"The same for {what}; 0 keeps them for ever.",
        expects="a whole number from 0 to 36500",
        shown="as `SAFELIGHT_KEEP_JOBS_DAYS`",
        ge=0,
        le=36_500,
    )


class Settings(BaseModel):
    """Every setting of this installation, checked. Made by `load_settings`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    config: Path | None = _setting(
        None,
        "TOML file with any of these settings, in lower case and without the prefix.",
        expects="the path of a TOML file",
        shown="`./safelight.toml` if it exists",
    )
    data_dir: Path = _setting(
        Path("safelight-data"),
        "Where the SQLite database and the pictures are kept.",
        expects="the path of a folder",
        shown="`./safelight-data`",
    )
    host: str = _setting("127.0.0.1", "Address to listen on.", expects="a host name or an IP address")
    port: Whole = _setting(
        8000, "Port to listen on; 0 takes a free one.", expects="a whole number from 0 to 65535", ge=0, le=65_535
    )
    public_url: str | None = _setting(
        None,
        "Base of the URLs handed out, when a proxy stands in front.",
        expects=_A_BASE,
        shown="the request's own base",
    )
    trusted_proxies: Networks = _setting(
        (),
        "Proxies whose `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` are believed.",
        expects="addresses or networks, such as 127.0.0.1,10.0.0.0/8",
        shown="none",
    )
    cors_origins: Origins = _setting(
        (),
        "Pages of other origins whose scripts may call the API, by key or ticket; never in local mode.",
        expects="origins, such as https://app.example.org,https://admin.example.org",
        shown="none",
    )
    socket_url: str | None = _setting(
        None,
        "Address of the socket of live updates that jobs name, when it is not below the public URL.",
        expects="a ws:// or wss:// URL without query, such as wss://live.example.org/api/ws",
        shown="`/api/ws` below the public URL",
    )
    database_url: str | None = _setting(
        None,
        "Where jobs, credits and events are kept.",
        expects="sqlite:///path or postgresql://user:password@host/name",
        shown="`safelight.db` in the data folder",
        repr=False,
    )
    queue: Literal["database"] = _setting("database", "How workers hear that a job is due.", expects="`database`")
    storage_url: str | None = _setting(
        None,
        "Where pictures are kept.",
        expects="file:///absolute/path, s3://bucket/path, gs://bucket/path or az://container/path",
        shown="`assets` in the data folder",
        repr=False,
    )
    image_max_bytes: Whole = _setting(
        100 * MIB,
        "The largest picture that is taken from a provider's address.",
        expects="bytes, a whole number from 1024 to 1073741824",
        ge=1024,
        le=1024 * MIB,
    )
    video_max_bytes: Whole = _setting(
        2048 * MIB,
        "The largest film that is taken from a provider's address.",
        expects="bytes, a whole number from 1024 to 1099511627776",
        ge=1024,
        le=1024 * 1024 * MIB,
    )
    storage_redirect: bool = _setting(
        True,
        "Whether files in an object store are fetched from it directly, by its own signed addresses. `false` where"
        " browsers cannot reach it: then they pass through Safelight.",
        expects="`true` or `false`",
    )
    catalog: Path | None = _setting(
        None, "TOML file that changes or extends the model catalog.", expects="the path of a TOML file", shown="none"
    )
    secret: str | None = _setting(
        None,
        "Signs asset URLs; the same in all processes.",
        expects="at least 16 characters of random text",
        shown="drawn once, kept in the database",
        secret=True,
        repr=False,
        min_length=16,
    )
    api_keys: ApiKeys = _setting(
        (),
        "Keys that open this installation, beside those of `safelight keys create`.",
        expects="key:user:scopes, several with commas between them: a key of 16 or more characters, scopes as in"
        " `jobs+read+admin`",
        shown="none",
        secret=True,
        repr=False,
    )
    worker_concurrency: Whole = _setting(
        4, "Jobs one worker process runs at a time.", expects="a whole number from 1 to 10000", ge=1, le=10_000
    )
    expected_workers: Expectations = _setting(
        (),
        "How many processes should serve which queue: `safelight doctor` says when some are missing.",
        expects="queue:number, several with commas between them, such as image:2,video:1",
        shown="none",
    )
    alert_backlog: Whole = _setting(
        100,
        "Jobs waiting in a queue, the oldest for long, that are an error to the doctor; half as many are a warning.",
        expects="a whole number from 2 to 1000000",
        ge=2,
        le=1_000_000,
    )
    alert_backlog_seconds: Seconds = _setting(
        60.0, "How old the oldest of them must be.", expects="seconds, from 1 to 86400", ge=1, le=86_400
    )
    alert_errors: Whole = _setting(
        10,
        "Failed jobs within an hour that are too many.",
        expects="a whole number from 1 to 1000000",
        ge=1,
        le=1_000_000,
    )
    alert_error_share: Share = _setting(
        0.05,
        "Share of the jobs of an hour, of 20 at least, that may fail.",
        expects="a number from 0.001 to 1",
        ge=0.001,
        le=1,
    )
    alert_slow_times: Share = _setting(
        2.0,
        "A job is slow that takes so many times what all but one in twenty of its model needed.",
        expects="a number from 1 to 100",
        ge=1,
        le=100,
    )
    alert_restarts: Whole = _setting(
        3,
        "Processes of one machine lost within ten minutes that are too many.",
        expects="a whole number from 1 to 1000",
        ge=1,
        le=1_000,
    )
    alert_memory_share: Share = _setting(
        0.8,
        "Share of its machine's memory that one process may hold.",
        expects="a number from 0.01 to 1",
        ge=0.01,
        le=1,
    )
    alert_credits_times: Share = _setting(
        3.0,
        "Credits used within an hour are too many if they are so many times the mean of the last seven days.",
        expects="a number from 1 to 1000",
        ge=1,
        le=1_000,
    )
    user_running_limit: Whole | None = _setting(
        None,
        "Jobs of one user that may run in one queue at a time; more wait their turn.",
        expects="a whole number from 1 to 10000",
        shown="no limit",
        ge=1,
        le=10_000,
    )
    rate_limit: Annotated[str, AfterValidator(_is_a_rate)] | None = _setting(
        None,
        "Jobs that one user may submit in a time; each item of a batch counts. Local mode has no limit.",
        expects="a number and a time, such as 60/minute, 5/second or 1000/hour",
        shown="no limit",
    )
    unknown_calls: Annotated[UnknownPolicy, BeforeValidator(_in_lower_case)] = _setting(
        UnknownPolicy.RECONCILE,
        "What follows when nobody knows whether a provider accepted a call: look for it, then fail and release;"
        " fail and release at once; or make one more call, which may pay twice.",
        expects="`reconcile`, `fail_and_release` or `retry_once`",
    )
    reconcile_seconds: Seconds = _setting(
        600.0, "How long such a call is looked for.", expects="seconds, from 0 to 86400", ge=0, le=86_400
    )
    daily_spend_usd: Dollars | None = _setting(
        None,
        "Ceiling on what the calls to each provider are expected to cost per UTC day; jobs beyond it wait.",
        expects="US dollars, from 0 to 1000000",
        shown="no limit",
        ge=0,
        le=1_000_000,
    )
    refused_words: Path | None = _setting(
        None,
        "File of words and phrases, one per line: prompts that hold one are refused.",
        expects="the path of a text file",
        shown="none",
    )
    prompt_hook_failure: Annotated[Literal["refuse", "allow"], BeforeValidator(_in_lower_case)] = _setting(
        "refuse",
        "What becomes of a prompt where a prompt hook fails or does not answer.",
        expects="`refuse` or `allow`",
    )
    lease_seconds: Seconds = _setting(
        30.0,
        "A worker that is silent for this long is lost, and its jobs are taken up by others.",
        expects="seconds, from 1 to 3600",
        ge=1,
        le=3_600,
    )
    sweep_seconds: Seconds = _setting(
        5.0,
        "How often to look for overdue jobs and lost workers.",
        expects="seconds, from 0.1 to 600",
        ge=0.1,
        le=600,
    )
    deadline_text_seconds: Seconds = _setting(
        120.0, "Longest run of a text job.", expects="seconds, from 1 to 86400", ge=1, le=86_400
    )
    deadline_image_seconds: Seconds = _setting(
        600.0, "Longest run of an image job.", expects="seconds, from 1 to 86400", ge=1, le=86_400
    )
    deadline_upscale_seconds: Seconds = _setting(
        600.0, "Longest run of an upscale job.", expects="seconds, from 1 to 86400", ge=1, le=86_400
    )
    deadline_video_seconds: Seconds = _setting(
        2400.0, "Longest run of a video job.", expects="seconds, from 1 to 86400", ge=1, le=86_400
    )
    max_wait_seconds: Seconds = _setting(
        3600.0, "Longest wait of a job before its first run.", expects="seconds, from 1 to 604800", ge=1, le=604_800
    )
    batch_max_wait_seconds: Seconds = _setting(
        86_400.0,
        "Longest wait of a batch's items before their first run.",
        expects="seconds, from 1 to 604800",
        ge=1,
        le=604_800,
    )
    drain_seconds: Seconds | None = _setting(
        None,
        "How long a stopping worker waits for calls that cannot be handed over.",
        expects="seconds, from 0 to 86400",
        shown="`60`, or the longest run of a job at a provider that costs money",
        ge=0,
        le=86_400,
    )
    keep_jobs_days: Whole = _setting(
        0,
        "Days after which ended jobs are removed, with their files; 0 keeps them for ever.",
        expects="a whole number from 0 to 36500",
        ge=0,
        le=36_500,
    )
    keep_text_days: Whole | None = _keep_days("texts")
    keep_image_days: Whole | None = _keep_days("pictures")
    keep_upscale_days: Whole | None = _keep_days("upscales")
    keep_video_days: Whole | None = _keep_days("films")
    upload_max_bytes: Whole = _setting(
        20 * MIB,
        "The largest picture that may be uploaded, or fetched from a URL, as input of a job.",
        expects="bytes, a whole number from 1024 to 268435456",
        ge=1024,
        le=256 * MIB,
    )
    upload_max_pixels: Whole = _setting(
        50_000_000,
        "The most pixels (width times height) that such a picture may have.",
        expects="a whole number from 1 to 500000000",
        ge=1,
        le=500_000_000,
    )
    upload_quota_bytes: Whole = _setting(
        1024 * MIB,
        "What one user's pictures may take that no job uses; they are removed after a day.",
        expects="bytes, a whole number from 1024 to 1099511627776",
        ge=1024,
        le=1024 * 1024 * MIB,
    )
    allow_private_hosts: Places = _setting(
        (),
        "Hosts in private networks from which inputs and results may be fetched; all others are refused.",
        expects="host:port, several with commas between them",
        shown="none",
    )
    log_format: LogFormat = _setting(
        "auto", "`auto` is `console` in a terminal and `json` elsewhere.", expects="`auto`, `json` or `console`"
    )
    log_level: LogLevel = _setting(
        "info", "Least important lines to log.", expects="`debug`, `info`, `warning` or `error`"
    )

    url: str | None = _setting(
        None,
        "Server the command line talks to.",
        expects=_A_BASE,
        shown="the one that runs here",
    )
    api_key: str | None = _setting(
        None,
        "Key the command line shows to that server.",
        expects="a key",
        shown="none",
        secret=True,
        repr=False,
        min_length=1,
    )

    openai_api_key: str | None = _key("OpenAI", "OPENAI_API_KEY")
    openai_base_url: str | None = _provider_base("OpenAI", "https://api.openai.com/v1")
    huggingface_api_key: str | None = _key("Hugging Face", "HF_TOKEN", "HUGGINGFACE_API_KEY")
    huggingface_base_url: str | None = _provider_base("Hugging Face", "https://router.huggingface.co")
    replicate_api_token: str | None = _key("Replicate", "REPLICATE_API_TOKEN")
    replicate_base_url: str | None = _provider_base("Replicate", "https://api.replicate.com")
    modelslab_api_key: str | None = _key("ModelsLab", "MODELSLAB_API_KEY")
    modelslab_base_url: str | None = _provider_base("ModelsLab", "https://modelslab.com")
    anthropic_api_key: str | None = _key("Anthropic", "ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = _provider_base("Anthropic", "https://api.anthropic.com")
    gemini_api_key: str | None = _key("Google Gemini", "GEMINI_API_KEY")
    gemini_base_url: str | None = _provider_base("Google Gemini", "https://generativelanguage.googleapis.com")

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each value came from, by field: `default`, `environment SAFELIGHT_PORT`, `safelight.toml` ..."""
        return {name: self._sources.get(name, "default") for name in type(self).model_fields}

    @property
    def given_keys(self) -> list[GivenKey]:
        """The keys of `api_keys`, read."""
        return [read_given_key(each) for each in self.api_keys]

    @property
    def expected(self) -> Mapping[str, int]:
        """`expected_workers` by queue."""
        return {queue: int(n) for queue, _, n in (each.partition(":") for each in self.expected_workers)}

    @property
    def database_address(self) -> str:
        """The database in force; absolute if it is a file."""
        return self.database_url or f"sqlite:///{self.data_dir / 'safelight.db'}"

    @property
    def rate(self) -> RateLimit | None:
        """The rate limit, read."""
        return None if self.rate_limit is None else read_rate(self.rate_limit)

    @property
    def keep_s(self) -> Mapping[str, float | None]:
        """How long ended jobs are kept, by kind; None is for ever."""
        kinds = {
            "text": self.keep_text_days,
            "image": self.keep_image_days,
            "upscale": self.keep_upscale_days,
            "video": self.keep_video_days,
        }
        days = {kind: self.keep_jobs_days if own is None else own for kind, own in kinds.items()}
        return {kind: kept * DAY_S if kept else None for kind, kept in days.items()}

    @property
    def longest_job_s(self) -> float:
        """The longest that a job without a limit of its own may take from its start time to its deadline."""
        short_s = max(self.deadline_text_seconds, self.deadline_image_seconds, self.deadline_upscale_seconds)
        wait_s = max(self.max_wait_seconds, self.batch_max_wait_seconds, DAY_S)
        return wait_s + max(short_s, self.deadline_video_seconds)

    @property
    def storage_address(self) -> str:
        """The store in force, as a URL that obstore reads."""
        return self.storage_url or (self.data_dir / "assets").as_uri()

    @field_validator("data_dir", "catalog", "config", "refused_words")
    @classmethod
    def _absolute(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return None if path is None else _from_cwd(path, info)

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        if not host or any(character in host for character in "/@? \t"):
            raise ValueError("not a host name")
        return host

    @field_validator(
        "public_url",
        "url",
        "openai_base_url",
        "huggingface_base_url",
        "replicate_base_url",
        "modelslab_base_url",
        "anthropic_base_url",
        "gemini_base_url",
    )
    @classmethod
    def _is_a_base(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("not a base URL")
        return url.rstrip("/")

    @field_validator("socket_url")
    @classmethod
    def _is_a_socket(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("not the URL of a socket")
        return url

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None or (url.startswith("postgresql://") and urlsplit(url).path.strip("/")):
            return url
        path = url.removeprefix("sqlite:///")
        if path == url or not path or path.startswith(":memory:") or "?" in path:
            raise ValueError("not the URL of a database")
        return f"sqlite:///{_from_cwd(Path(path), info)}"

    @field_validator("storage_url")
    @classmethod
    def _is_a_store(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        local = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
        if not local and not (parts.scheme in ("s3", "gs", "az") and parts.netloc):
            raise ValueError("not the URL of a store")
        return url


def variable(name: str) -> str:
    """The environment variable of a field: its usual name, or ours."""
    return next(iter(usual_variables(name)), f"{PREFIX}{name.upper()}")


def usual_variables(name: str) -> tuple[str, ...]:
    """The variables without our prefix that mean this field, the first that is set before the others."""
    usual = _extra(name)["usual"]
    return tuple(map(str, usual)) if isinstance(usual, list) else ()


def expects(name: str) -> str:
    """What the field takes, in words."""
    return str(_extra(name)["expects"])


def computed_default(name: str) -> str | None:
    """How the field's default reads, in Markdown, where it is worked out at start; else None."""
    shown = _extra(name)["shown"]
    return None if shown is None else str(shown)


def is_secret(name: str) -> bool:
    return bool(_extra(name)["secret"])


def _extra(name: str) -> Mapping[str, Any]:
    extra = Settings.model_fields[name].json_schema_extra
    return extra if isinstance(extra, Mapping) else {}


def absolute_path(cwd: Path, path: Path) -> Path:
    """The path counted from `cwd`, with `~` and `..` worked out. Raises ValueError for what can be no path."""
    if "\x00" in str(path):
        raise ValueError("no path holds the character NUL")
    try:
        return Path(os.path.normpath((cwd / path.expanduser()).absolute()))
    except RuntimeError as error:  # ~user of a user who is not there
        raise ValueError(str(error)) from error


def _from_cwd(path: Path, info: ValidationInfo) -> Path:
    cwd: Path = (info.context or {}).get("cwd") or Path.cwd()
    return absolute_path(cwd, path)
