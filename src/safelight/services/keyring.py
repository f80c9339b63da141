"""Which credentials open this installation, asked of the database at most once a second for each.

So a key that is revoked, and the first key that is made, are felt in every running process within that second.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from safelight.domain.access import PREFIX, SCOPES, GivenKey, hashed, new_token, written_scopes
from safelight.domain.clock import local_s
from safelight.domain.errors import SafelightError
from safelight.domain.secrets import keep_secret
from safelight.events.shared_look import SharedLook
from safelight.services import api_keys, tickets
from safelight.services.api_keys import ApiKey
from safelight.services.credits import LOCAL_USER
from safelight.services.tickets import SESSION_LIVES_S, TICKET_LIVES_S, Ticket
from safelight.store.database import Database

log = structlog.get_logger(__name__)

KEEP_S = 1.0
MOST_KEPT = 10_000
LONGEST_TOKEN = 500


@dataclass(frozen=True, slots=True)
class Pass:
    """What a valid credential grants. `key_id` is None in local mode, where nobody shows one."""

    user_id: str
    scopes: frozenset[str]
    key_id: str | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a credential opens nothing, as the end of a sentence."""

    why: str


LOCAL = Pass(LOCAL_USER, frozenset(SCOPES))
_UNKNOWN = Refused("is not known here")


class KeyRing:
    """`given` are the keys of the settings: with one of them, or one in the database, local mode is over."""

    def __init__(
        self, database: Database, given: Iterable[GivenKey], secret: bytes, *, was_keyed: bool, keep_s: float = KEEP_S
    ) -> None:
        self._database, self._keep_s = database, keep_s
        self._given = {hashed(each.key): _pass_of(each, secret) for each in given}
        self._given_by_id = {each.key_id: each for each in self._given.values()}
        self._keyed = was_keyed or bool(self._given)
        self._looked_at = local_s()
        self._look = SharedLook(self._look_for_keys)
        self._kept: OrderedDict[str, tuple[float, Pass]] = OrderedDict()
        self._noted: set[asyncio.Task[None]] = set()

    async def is_local(self, shown: str | None = None) -> bool:
        """Whether everybody is the user `local`. Nothing brings local mode back once it is over.

        Who shows what looks like one of our keys has a reason to: the first key may be a moment old.
        """
        is_stale = local_s() - self._looked_at >= self._keep_s
        if not self._keyed and (is_stale or (shown or "").startswith(PREFIX)):
            await self._look.take()  # nobody goes by the old answer while a newer one is on its way
        return not self._keyed

    async def _look_for_keys(self) -> None:
        with suppress(SafelightError, OSError, TimeoutError):  # a database that is away makes no keys
            async with asyncio.timeout(self._keep_s):
                self._keyed = await self._database.read(api_keys.any_was_made)
        self._looked_at = local_s()

    async def by_key(self, key: str) -> Pass | Refused:
        """Raises Unavailable where the database cannot say."""
        if len(key) > LONGEST_TOKEN:
            return _UNKNOWN
        hash_ = hashed(key)
        if hash_ in self._given:
            return self._given[hash_]
        if not key.startswith(PREFIX):
            return _UNKNOWN
        return self._known(hash_) or await self._looked_up(hash_)

    async def by_session(self, token: str) -> Pass | Refused:
        """By the value of a session's cookie."""
        hash_ = tickets.session_hash(token[:LONGEST_TOKEN])
        return self._known(hash_) or self._keep(
            hash_, await self._behind(await self._database.read(tickets.unexpired, hash_))
        )

    async def by_ticket(self, token: str) -> Pass | Refused:
        """This uses it up. It is looked for first: whoever has none must not make the database write."""
        hash_ = tickets.ticket_hash(token[:LONGEST_TOKEN])
        if await self._database.read(tickets.unexpired, hash_) is None:
            return _UNKNOWN
        return await self._behind(await self._database.write(tickets.take_ticket, hash_))

    async def still_opens(self, found: Pass) -> bool:
        """Whether what was granted before still is: for connections that stay open for long.

        A database that is away takes nothing back.
        """
        if found.key_id is None or await self.is_local():
            return await self.is_local()
        with suppress(SafelightError, OSError):
            return not isinstance(await self._by_id(found.key_id), Refused)
        return True

    async def new_ticket(self, found: Pass) -> tuple[str, float]:
        """A ticket for the same as this pass, and when it expires."""
        return await self._put(found, "tk-", tickets.ticket_hash, TICKET_LIVES_S)

    async def new_session(self, found: Pass) -> tuple[str, float]:
        """A session for the same as this pass, and when it expires: with its key, at the latest."""
        return await self._put(found, "se-", tickets.session_hash, SESSION_LIVES_S)

    async def end_session(self, token: str) -> None:
        hash_ = tickets.session_hash(token[:LONGEST_TOKEN])
        self._kept.pop(hash_, None)
        await self._database.write(tickets.end_session, hash_)

    async def _put(self, found: Pass, prefix: str, hash_of: Callable[[str], str], lives_s: float) -> tuple[str, float]:
        token = new_token(prefix)
        row = Ticket(found.user_id, written_scopes(found.scopes), found.key_id, found.expires_at or 0.0)
        return token, await self._database.write(tickets.put_ticket, hash_of(token), row, lives_s)

    def _known(self, name: str) -> Pass | None:
        at, found = self._kept.get(name, (None, None))
        return found if at is not None and local_s() - at < self._keep_s else None

    def _keep(self, name: str, found: Pass | Refused) -> Pass | Refused:
        """Refusals are not kept: a key works from the moment it is made, and nobody can fill memory with wrong ones."""
        if isinstance(found, Pass):
            self._kept[name] = local_s(), found
            self._kept.move_to_end(name)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    async def _looked_up(self, hash_: str) -> Pass | Refused:
        return self._keep(hash_, self._opened(*await self._database.read(api_keys.key_by_hash, hash_)))

    async def _by_id(self, key_id: str) -> Pass | Refused:
        if key_id in self._given_by_id:
            return self._given_by_id[key_id]
        if known := self._known(key_id):
            return known
        return self._keep(key_id, self._opened(*await self._database.read(api_keys.key_by_id, key_id)))

    async def _behind(self, ticket: Ticket | None) -> Pass | Refused:
        """What the key behind a ticket or a session grants now. One that was made without a key is worth nothing."""
        if ticket is None or ticket.key_id is None:
            return _UNKNOWN
        return await self._by_id(ticket.key_id)

    def _opened(self, key: ApiKey | None, now: float) -> Pass | Refused:
        if key is None:
            return _UNKNOWN
        if trouble := key.trouble(now):
            return Refused(trouble)
        if key.used_at is None or now - key.used_at >= api_keys.USED_EVERY_S:
            task = asyncio.create_task(self._note_use(key.id))
            self._noted.add(task)
            task.add_done_callback(self._noted.discard)
        return Pass(key.user_id, key.scopes, key.id, key.expires_at)

    async def _note_use(self, key_id: str) -> None:
        """Nobody waits for it, and nothing depends on it."""
        try:
            await self._database.write(api_keys.note_use, key_id)
        except (SafelightError, OSError) as error:
            log.info("key_use_not_noted", key_id=key_id, error=str(error))


def _pass_of(given: GivenKey, secret: bytes) -> Pass:
    """Its id follows from the key, alike in all processes, and says nothing of it to who lacks the secret."""
    keep_secret(given.key)
    mark = hmac.new(secret, f"api-key:{given.key}".encode(), hashlib.sha256).hexdigest()[:20]
    return Pass(given.user_id, given.scopes, f"setting-{mark}")
