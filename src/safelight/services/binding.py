"""From what a request names to what its jobs keep: every input becomes a file of its user before a job counts on it.

A worker so needs no foreign URL, and the job can be made again with the same pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from safelight.domain.errors import InvalidParams
from safelight.net.errors import FetchError, RefusedTarget
from safelight.net.posting import refuse_private_target
from safelight.services import inputs
from safelight.services.inputs import FETCHED, MOST_INPUT_BYTES, InputRef, OwnAsset
from safelight.services.intake import Intake
from safelight.services.own_urls import asset_of, is_own
from safelight.services.prepare import Caller, JobRequest
from safelight.services.prepare_batch import BatchRequest
from safelight.services.submission import Submission
from safelight.services.submit_batch import BatchSubmission
from safelight.services.uploads import Upload
from safelight.storage.pictures import FORMATS, RefusedPicture

MOST_FETCHED = 20
"""Different URLs and data URIs of one request: a batch of hundreds is for uploads."""
FETCHED_AT_ONCE = 4
MOST_ERRORS = 100

Named = tuple[inputs.Source, str]
"""Source and value: the same picture may be named many times, and is looked for once."""
Found = Upload | OwnAsset
Prepared = Submission | BatchSubmission


@dataclass(frozen=True, slots=True)
class _Asked:
    """One input of a job, and what its place in the request is called."""

    ref: InputRef
    path: str

    @property
    def named(self) -> Named:
        return self.ref.source, self.ref.value


def has_inputs(request: JobRequest | BatchRequest) -> bool:
    """Whether any of its jobs starts from a picture."""
    return any(_asked(request))


async def bind(intake: Intake, request: JobRequest | BatchRequest, prepared: Prepared, caller: Caller) -> Prepared:
    """The same jobs, with what they start from in storage. Raises InvalidParams with every input that is of no use.

    May raise RateLimited, StorageFailed and Unavailable as well: a picture is kept on the way.
    """
    asked = _asked(request)
    binding = _begun(intake, asked, caller)
    await binding.look_up()
    await binding.bring_in()
    return binding.bound(prepared, asked)


async def looked_up(
    intake: Intake, request: JobRequest | BatchRequest, prepared: Prepared, caller: Caller
) -> Prepared | None:
    """The same from what is in storage already; None if something would have to be fetched. Raises InvalidParams.

    Addresses are checked, as far as that can be done without asking anybody but the name server.
    """
    asked = _asked(request)
    binding = _begun(intake, asked, caller)
    await binding.look_up()
    return binding.bound(prepared, asked) if await binding.has_all() else None


def _asked(request: JobRequest | BatchRequest) -> list[list[_Asked]]:
    """By job."""
    if isinstance(request, JobRequest):
        return [_asked_of(request, str)]
    return [_asked_of(item.request, item.name_of) for item in request.items]


def _asked_of(request: JobRequest, name_of: Callable[[str], str]) -> list[_Asked]:
    return [_Asked(ref, name_of(f"inputs[{i}].{ref.source}")) for i, ref in enumerate(request.inputs)]


def _begun(intake: Intake, asked: Sequence[Sequence[_Asked]], caller: Caller) -> _Binding:
    paths: dict[Named, str] = {}
    for each in (each for job in asked for each in job):
        paths.setdefault(each.named, each.path)
    return _Binding(intake, caller.user_id, [intake.rules.public_url or "", caller.base], paths)


class _Binding:
    """Looks for the inputs of one request. `paths` has what each is called where it is named first."""

    def __init__(self, intake: Intake, user_id: str, bases: Collection[str], paths: Mapping[Named, str]) -> None:
        self._intake, self._user_id, self._bases, self._paths = intake, user_id, bases, paths
        self.found: dict[Named, Found] = {}

    async def look_up(self) -> None:
        """What is in storage already. Raises InvalidParams, also for what must not be fetched."""
        if not self._paths:
            return
        here = {named: ref for named in self._paths if (ref := self._here(*named))}
        rows = await self._intake.database.read(inputs.named_inputs, self._user_id, list(here.values()))
        self.found = {named: row for named, row in zip(here, rows, strict=True) if row}
        wrong = {named: _not_there(ref) for named, ref in here.items() if named not in self.found}
        wrong |= {named: why for named, row in self.found.items() if (why := self._why_unfit(row))}
        wrong |= {
            named: "is an address of this installation, but no file of it"
            for named in self._elsewhere()
            if named[0] == "url" and is_own(named[1], self._bases)
        }
        too_many = f"one request brings at most {MOST_FETCHED} different pictures; upload them first"
        wrong |= dict.fromkeys(self._elsewhere()[MOST_FETCHED:], too_many)
        self._refuse(wrong)

    async def bring_in(self) -> None:
        """Fetch the others. Raises InvalidParams."""
        elsewhere, turns = self._elsewhere(), asyncio.Semaphore(FETCHED_AT_ONCE)
        brought = await asyncio.gather(*(self._bring(named, turns) for named in elsewhere))
        results = dict(zip(elsewhere, brought, strict=True))
        self.found |= {named: result for named, result in results.items() if not isinstance(result, str)}
        self._refuse({named: result for named, result in results.items() if isinstance(result, str)})

    async def has_all(self) -> bool:
        """Whether nothing is elsewhere. Raises InvalidParams for addresses that nothing would be fetched from."""
        elsewhere = self._elsewhere()
        urls = [named for named in elsewhere if named[0] == "url"]
        reasons = await asyncio.gather(*(self._why_refused(url) for _, url in urls))
        self._refuse({named: why for named, why in zip(urls, reasons, strict=True) if why})
        return not elsewhere

    async def _why_refused(self, url: str) -> str | None:
        try:
            await refuse_private_target(self._intake.guarded, url)
        except RefusedTarget as error:
            return str(error)
        return None

    def bound(self, prepared: Prepared, asked: Sequence[Sequence[_Asked]]) -> Prepared:
        """The jobs with what was found for them. Raises InvalidParams."""
        if not self._paths:
            return prepared
        self.refuse_heavy(asked)
        if isinstance(prepared, Submission):
            return _with_inputs(prepared, asked[0], self.found)
        items = zip(prepared.items, asked, strict=True)
        return replace(prepared, items=tuple(_with_inputs(item, each, self.found) for item, each in items))

    def refuse_heavy(self, asked: Sequence[Sequence[_Asked]]) -> None:
        """Jobs whose pictures are too much together. Raises InvalidParams."""
        wrong = {}
        for each in asked:
            size = sum(self.found[one.named].bytes for one in each)
            if size > MOST_INPUT_BYTES:
                wrong[each[0].named] = f"the inputs of this job have {size} bytes together; at most {MOST_INPUT_BYTES}"
        self._refuse(wrong)

    async def _bring(self, named: Named, turns: asyncio.Semaphore) -> Upload | str:
        """The upload that it has become, or why it cannot be used."""
        source, value = named
        take = self._intake.from_url if source == "url" else self._intake.from_data
        async with turns:
            try:
                return await take(self._user_id, value)
            except RefusedPicture as error:
                return f"the picture {error}"
            except FetchError as error:
                return str(error)

    def _why_unfit(self, row: Found) -> str | None:
        """An upload was looked at when it came; a file of a job may be anything."""
        rules = self._intake.rules
        if isinstance(row, Upload):
            return None if row.stored_at is not None else "the upload has not come in yet"
        if row.mime not in FORMATS:
            return f"the file is {row.mime}; a job starts from PNG, JPEG or WebP pictures"
        if row.bytes > rules.most_bytes or (row.width or 0) * (row.height or 0) > rules.most_pixels:
            size = f"{row.width}x{row.height} pixels and {row.bytes} bytes"
            return f"the file has {size}; at most {rules.most_pixels} pixels and {rules.most_bytes} bytes are taken"
        return None

    def _here(self, source: inputs.Source, value: str) -> InputRef | None:
        """As an upload or an asset, which a URL of our own may name too."""
        if source == "url" and (asset := asset_of(value, self._bases)):
            return InputRef("", "asset", asset)
        return None if source in FETCHED else InputRef("", source, value)

    def _elsewhere(self) -> list[Named]:
        return [named for named in self._paths if not self._here(*named)]

    def _refuse(self, wrong: Mapping[Named, str]) -> None:
        if wrong:
            errors = {self._paths[named]: [text] for named, text in wrong.items()}
            first = next(f"{path}: {texts[0]}" for path, texts in errors.items())
            more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
            raise InvalidParams(f"{first}{more}", errors=dict(islice(errors.items(), MOST_ERRORS)))


def _not_there(ref: InputRef) -> str:
    if ref.source == "upload":
        return "there is no such upload of yours; one that no job uses goes after a day"
    return "there is no such file of yours"


def _with_inputs(submission: Submission, asked: Iterable[_Asked], found: Mapping[Named, Found]) -> Submission:
    pairs = [(each.ref.role, found[each.named]) for each in asked]
    used = dict.fromkeys(row.number for _, row in pairs if isinstance(row, Upload))
    stored = inputs.written([inputs.stored(role, row) for role, row in pairs])
    return replace(submission, inputs=stored, uploads=tuple(used)) if pairs else submission
