"""What `safelight submit --dry-run` does: ask what the job would cost and take, and make nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safelight.cli import when
from safelight.cli.door import opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.inputs import Given
from safelight.cli.out import err, out, plain, print_json

UNSEEN = "data:,"
"""Stands for a file that is not brought: a dry run does not look at it."""


async def rehearse(request: dict[str, Any], pictures: Sequence[Given], *, as_json: bool) -> int:
    """The exit code: 1 if the credits do not suffice."""
    inputs = [_unbrought(each) for each in pictures]
    async with opened() as door:
        quote = await door.client.dry_run(**request, inputs=inputs or None)
    if as_json:
        print_json(quote)
    else:
        _say(quote)
    return FINE if quote["affordable"] else FOUND


def _unbrought(given: Given) -> Given:
    rest = {name: value for name, value in given.items() if name != "file"}
    return {"data_uri": UNSEEN, **rest} if "file" in given else rest


def _say(quote: dict[str, Any]) -> None:
    for warning in quote["warnings"]:
        err().print(f"Note: {plain(warning['message'])}", style="yellow", soft_wrap=True)
    price = quote["price_credits"]
    suffix = "" if quote["affordable"] else ": more than there is in your account"
    out().print(f"{quote['model']} would cost {price} credit{'' if price == 1 else 's'}{suffix}.")
    out().print(_when(quote["predicted"]))


def _when(predicted: dict[str, Any]) -> str:
    if predicted["start_at"] is None:
        return f"When it would begin cannot be said: it would wait for {plain(predicted['waiting_for'] or 'its turn')}."
    now = when.now()
    if predicted["finish_at"] is None:
        return f"It would begin {when.ago(predicted['start_at'], now)}."
    usual, late = (when.span(-when.since_s(predicted[name], now)) for name in ("finish_at", "high"))
    return f"It would be done in about {usual}, and most likely within {late}."
