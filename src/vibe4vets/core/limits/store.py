"""The limits that all processes share, exact to the request: PostgreSQL counts."""

import hmac

from sqlalchemy import text

from vibe4vets.core import context
from vibe4vets.core.config import LimitSettings
from vibe4vets.core.database import Database, own_transaction
from vibe4vets.core.limits.exceptions import TooManyRequests
from vibe4vets.core.limits.local import LocalLimit
from vibe4vets.core.quotas import Limit, Spent, parse_limit
from vibe4vets.core.security import derive_key

SWEEP_LOCK = 7_264_387_005
SWEEP_EVERY = 100
"""New rows of one process between two looks at how many there are."""
MOST_ROWS = 95_000
KEPT_ROWS = 90_000
"""Between this and the promise of 100,000 there is room for what many processes add before one looks."""
MOST_TRIMMED = 50_000
"""What fits well into the time of a statement; the next look goes on."""

# The row is locked before it is compared, so that each request sees what all before it have spent. One more than the
# quota says that somebody was refused. now() stands still during the statement: both cases agree.
_SPEND = text("""
insert into rate_limits as r (key, spent, resets_at) values (:key, 1, now() + make_interval(secs => :seconds))
on conflict (key) do update set
  spent = case when r.resets_at <= now() then 1 else least(r.spent, :quota) + 1 end,
  resets_at = case when r.resets_at <= now() then excluded.resets_at else r.resets_at end
returning spent, greatest(1, ceil(extract(epoch from resets_at - clock_timestamp())))::int as seconds,
  xmax = 0 as is_new
""")
_GIVE_BACK = text("update rate_limits set spent = greatest(least(spent, :quota) - 1, 0) where key = :key")
_CLEAR = text("delete from rate_limits where key = :key")
_ALONE = text("select pg_try_advisory_xact_lock(:lock)")
_FORGET = text("delete from rate_limits where resets_at <= now()")
_COUNT = text("select count(*) from rate_limits")
# what was spent most holds back most, so it is kept longest
_TRIM = text("""
delete from rate_limits where key in (select key from rate_limits order by spent, resets_at limit :surplus)
""")


class Limits:
    """The limits of the settings by name; a limit that is off takes everything."""

    def __init__(self, settings: LimitSettings, key: bytes, database: Database) -> None:
        self._key = derive_key(key, "rate limits")
        self._database = database
        self._limits = {
            name: parse_limit(name.replace("_", "-"), getattr(settings, name)) for name in LimitSettings.model_fields
        }
        self.public_reads = LocalLimit(self._limits["public_reads"])
        self._added = 0

    def __getitem__(self, name: str) -> Limit | None:
        return self._limits[name]

    async def spend(self, name: str, key: str) -> None:
        """Count one of the limit `name` for `key`; raises TooManyRequests.

        A store that is down refuses (503), so that a limit cannot be escaped by breaking what counts.
        """
        limit = self._limits[name]
        if limit is None:
            return
        values = {"key": self._hash(name, key), "quota": limit.quota, "seconds": limit.seconds}
        async with own_transaction(self._database) as session:
            row = (await session.execute(_SPEND, values)).one()
        if row.is_new:
            await self._see_to_the_size()
        spent = Spent(limit, max(limit.quota - row.spent, 0), row.seconds)
        context.note_spent(spent)
        if row.spent > limit.quota:
            raise TooManyRequests(spent)

    async def give_back(self, name: str, key: str) -> None:
        """Undo one `spend` that was no harm."""
        if (limit := self._limits[name]) is not None:
            async with own_transaction(self._database) as session:
                await session.execute(_GIVE_BACK, {"key": self._hash(name, key), "quota": limit.quota})

    async def clear(self, name: str, key: str) -> None:
        """Forget what `key` has spent."""
        if self._limits[name] is not None:
            async with own_transaction(self._database) as session:
                await session.execute(_CLEAR, {"key": self._hash(name, key)})

    async def sweep(self) -> None:
        """Delete what is over, and what is too much; of several processes the first to come does it."""
        async with own_transaction(self._database) as session:
            if not (await session.execute(_ALONE, {"lock": SWEEP_LOCK})).scalar_one():
                return
            await session.execute(_FORGET)
            rows = (await session.execute(_COUNT)).scalar_one()
            if rows > MOST_ROWS:
                await session.execute(_TRIM, {"surplus": min(rows - KEPT_ROWS, MOST_TRIMMED)})

    async def _see_to_the_size(self) -> None:
        self._added += 1
        if self._added >= SWEEP_EVERY:
            self._added = 0
            await self.sweep()

    def _hash(self, name: str, key: str) -> bytes:
        """What stands for `key` in the table, of no use to whoever reads it there."""
        return hmac.digest(self._key, f"{name}\0{key}".encode(errors="surrogatepass"), "sha256")
