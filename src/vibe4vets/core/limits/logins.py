"""Failed logins: a guesser is stopped, and the owner of the account is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vibe4vets.core.limits.exceptions import TooManyRequests
from vibe4vets.core.limits.store import Limits

_ACCOUNT, _ADDRESS = "login_failures_per_account", "login_failures_per_address"


class LoginThrottle:
    """Counts what an address fails at, in all and for each account, whether or not there is such an account.

    Nothing is counted against an account alone: whoever fails elsewhere cannot keep its owner out.
    """

    def __init__(self, limits: Limits, address: str) -> None:
        self._limits, self._address = limits, address

    @asynccontextmanager
    async def attempt(self, account: str, *, refusal: type[Exception]) -> AsyncIterator[None]:
        """Try to log in to `account` inside; a `refusal` counts, success clears, any other error is no failure.

        Raises TooManyRequests before it begins. It counts first and gives back later, so that many attempts at
        once get no further than one after the other.
        """
        pair = f"{account}\0{self._address}"
        await self._limits.spend(_ADDRESS, self._address)
        try:
            await self._limits.spend(_ACCOUNT, pair)
        except TooManyRequests:
            await self._limits.give_back(_ADDRESS, self._address)
            raise
        try:
            yield
        except refusal:
            raise
        except Exception:
            await self._limits.give_back(_ADDRESS, self._address)
            await self._limits.give_back(_ACCOUNT, pair)
            raise
        # of the address only this attempt: one good account must not pay for guesses at others
        await self._limits.give_back(_ADDRESS, self._address)
        await self._limits.clear(_ACCOUNT, pair)
