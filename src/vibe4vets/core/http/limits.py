"""Limits as dependencies: `dependencies=[Limited("submissions_per_address")]` on a route or router."""

from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from vibe4vets.core.http.proxies import ClientAddress, address_key
from vibe4vets.core.limits import Limits, LoginThrottle


class _Per(StrEnum):
    ADDRESS = "address"
    PATH = "path"
    ALL = "all"


_PER = {
    "connector_runs": _Per.PATH,
    "password_resets_per_address": _Per.ADDRESS,
    "registrations_per_address": _Per.ADDRESS,
    "submissions": _Per.ALL,
    "submissions_per_address": _Per.ADDRESS,
}


async def get_limits(request: Request) -> Limits:
    """The limits of this process."""
    limits: Limits = request.app.state.limits
    return limits


LimitsDep = Annotated[Limits, Depends(get_limits)]


def Limited(name: str) -> Dependency:  # noqa: N802  stands where a class of FastAPI's would
    """A guard that counts the request before anything else is done with it; 429 when there were too many.

    List TooManyRequests in the route's `responses`. Where two limits hold, put the narrower one first: whoever is
    refused by it takes nothing from the other.
    """
    per = _PER[name]

    async def spend(request: Request, limits: LimitsDep, address: ClientAddress) -> None:
        keys = {_Per.ADDRESS: address_key(address), _Per.PATH: request.url.path, _Per.ALL: ""}
        await limits.spend(name, keys[per])

    guard: Dependency = Depends(spend)
    return guard


async def get_login_throttle(limits: LimitsDep, address: ClientAddress) -> LoginThrottle:
    """What counts the failed logins of whoever asks."""
    return LoginThrottle(limits, address_key(address))


LoginThrottleDep = Annotated[LoginThrottle, Depends(get_login_throttle)]
