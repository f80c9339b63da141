"""The edge of the command line: an error becomes two lines and an exit code, never a traceback (but for --debug)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from safelight.domain.errors import BadCatalog, BadSettings, SafelightError

FINE, FOUND, MISUSED = 0, 1, 2
CLOSED_PIPE = 141
"""What a shell reports for a program that a closed pipe ended."""
HOW_TO_GIVE = "Pictures to start from are given with --input FILE|URL|ASSET[:ROLE]."
HOW_TO_SIGN_IN = "Set SAFELIGHT_API_KEY to a key of that server. Its operator makes them. (safelight keys create)"
BAD_REQUESTS = frozenset({400, 413, 422})


class Failure(NamedTuple):
    """What the person sees: what happened, details by field, one thing to do."""

    what: str
    remedy: str
    exit_code: int
    details: tuple[str, ...] = ()


class Edge(TyperGroup):
    """The root command. Everything that a command raises passes here, in a terminal and in tests alike."""

    def invoke(self, ctx: Any) -> Any:
        as_json = "--json" in ctx.args  # what follows the options of `safelight` itself
        try:
            with quiet_broken_pipe():
                return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            failure = explain(error)
            (show_json if as_json else show)(failure)
            raise typer.Exit(failure.exit_code) from None


def explain(error: Exception) -> Failure:
    """Every error says itself what to do; one that does not is a defect of ours, and is called so."""
    match error:
        case SafelightError():
            misused = isinstance(error, (BadSettings, BadCatalog))
            return Failure(error.what, str(error.remedy), MISUSED if misused else FOUND)
        case OSError() if error.strerror:
            where = f" ({error.filename})" if error.filename else ""
            return Failure(f"{error.strerror}{where}.", _remedy_of(error), FOUND)
    return _from_client(error) or Failure(
        f"{type(error).__name__}: {error}",
        "This is a defect in Safelight. Run it again as `safelight --debug ...` and report what it prints.",
        FOUND,
    )


def _remedy_of(error: OSError) -> str:
    match error:
        case FileNotFoundError() | NotADirectoryError() | IsADirectoryError():
            return "Check the path."
        case PermissionError():
            return "Check the path and its permissions."
    return "Check the path, its permissions and the free space."


def _from_client(error: Exception) -> Failure | None:
    from safelight.client import ClientError

    if not isinstance(error, ClientError):
        return None
    details = tuple(f"{path}: {text}" for path, texts in error.errors.items() for text in texts)
    said_twice = bool(details) and error.detail.startswith(details[0])
    what, *rest = details if said_twice else (error.detail, *details)
    remedy = f"{error.remedy} {HOW_TO_GIVE}" if "inputs" in error.errors else error.remedy
    if error.status == 401:
        remedy = HOW_TO_SIGN_IN
    return Failure(what, remedy, MISUSED if error.status in BAD_REQUESTS else FOUND, tuple(rest))


def show(failure: Failure) -> None:
    """On standard error, which stays free of colour when it is no terminal."""
    from safelight.cli.out import err, plain

    console = err()
    console.print(plain(failure.what), style="red", soft_wrap=True)
    for detail in failure.details:
        console.print(f"  {plain(detail)}", soft_wrap=True)
    console.print(plain(failure.remedy), soft_wrap=True)


def show_json(failure: Failure) -> None:
    """The same for a program: one document on standard error; standard output holds results only."""
    error = {"what": failure.what, "remedy": failure.remedy, "details": list(failure.details)}
    sys.stderr.write(json.dumps({"error": error}, ensure_ascii=False) + "\n")


@contextmanager
def quiet_broken_pipe() -> Iterator[None]:
    """`safelight jobs list | head -1` ends without a word when `head` has seen enough."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at exit
        raise SystemExit(CLOSED_PIPE) from None
