"""Guards: what an operation asks for says who may use it.

Give a guard to `guarded_router`, or put it into `dependencies` of a route of such a router, so that it comes before
anything else; ask for it again in the signature where the endpoint needs to know who it is.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer

from vibe4vets.auth import service
from vibe4vets.auth.exceptions import InvalidAPIKey, InvalidToken
from vibe4vets.auth.models import KeyScope, Role
from vibe4vets.auth.principals import Principal
from vibe4vets.auth.tokens import read_access_token
from vibe4vets.core.config import Settings
from vibe4vets.core.database import DatabaseDep, Session
from vibe4vets.core.errors import (
    AppError,
    Forbidden,
    InternalError,
    InvalidRequest,
    MalformedRequest,
    NotAuthenticated,
    NotFound,
    Unavailable,
    problem_responses,
)
from vibe4vets.core.http import GuardedRoute, LimitsDep
from vibe4vets.core.models import utc_now

_bearer = OAuth2PasswordBearer(
    "api/v1/auth/token",  # relative to the server's address, wherever a proxy puts it
    scheme_name="password",
    description="Sign in with your e-mail address and password. For our own front ends; programs use an API key.",
    auto_error=False,
)
_api_key = APIKeyHeader(
    name="X-API-Key", scheme_name="apiKey", description="A partner's key, which an admin gives.", auto_error=False
)


async def get_settings(request: Request) -> Settings:
    """The settings of this process."""
    settings: Settings = request.app.state.settings
    return settings


SettingsDep = Annotated[Settings, Depends(get_settings)]


async def get_principal(
    request: Request, database: DatabaseDep, settings: SettingsDep, token: Annotated[str | None, Depends(_bearer)]
) -> Principal:
    """Who makes the request; NotAuthenticated without credentials, InvalidToken or InvalidAPIKey with bad ones.

    It reads on a connection of its own and gives it back: the endpoint may want none, or not for a while.
    """
    if token is None:
        # by hand: as a dependency it would be documented for every operation, and a program may use but a few
        key = request.headers.get("x-api-key")
        if key is None:
            raise NotAuthenticated
        principal = await service.find_key_principal(database, settings.signing_key, key)
    else:
        claims = read_access_token(settings, token, utc_now())
        async with Session(database.reads) as session:
            principal = await service.find_principal(session, claims)
    request.state.actor = principal.actor  # whom limits and idempotency keys belong to
    return principal


_Anyone = Annotated[Principal, Depends(get_principal)]


async def get_caller(
    principal: _Anyone, limits: LimitsDep, _documented: Annotated[str | None, Security(_api_key)]
) -> Principal:
    """Anyone with valid credentials, a person or a program; TooManyRequests for a program in a hurry."""
    if principal.api_key_id is not None:
        await limits.spend("partner_requests", str(principal.api_key_id))
    return principal


async def get_user(principal: _Anyone) -> Principal:
    """A person who is signed in; Forbidden for a program with a key."""
    if principal.api_key_id is not None:
        raise Forbidden
    return principal


def _having(*roles: Role) -> Callable[[Principal], Awaitable[Principal]]:
    async def guard(principal: Annotated[Principal, Depends(get_user)]) -> Principal:
        if principal.role not in roles:
            raise Forbidden
        return principal

    return guard


def _partner_with(scope: KeyScope) -> Callable[[Principal], Awaitable[Principal]]:
    async def guard(principal: Annotated[Principal, Depends(get_caller)]) -> Principal:
        if principal.role is not Role.PARTNER:
            raise Forbidden
        if principal.api_key_id is not None and scope not in principal.scopes:
            raise Forbidden(f"This key lacks the scope `{scope}`; ask an admin for one that has it.")
        return principal

    return guard


get_proposer = _partner_with(KeyScope.WRITE_PROPOSALS)
"""A partner, signed in or by a key that may propose; Forbidden for everybody else."""
get_proposal_reader = _partner_with(KeyScope.READ_PROPOSALS)
"""A partner, signed in or by a key that may read what they proposed; Forbidden for everybody else."""
get_reviewer = _having(Role.REVIEWER, Role.ADMIN)
get_editor = _having(Role.EDITOR, Role.ADMIN)
get_admin = _having(Role.ADMIN)
get_staff = _having(Role.REVIEWER, Role.EDITOR, Role.ADMIN)

Caller = Annotated[Principal, Depends(get_caller)]
CurrentUser = Annotated[Principal, Depends(get_user)]
Proposer = Annotated[Principal, Depends(get_proposer)]
ProposalReader = Annotated[Principal, Depends(get_proposal_reader)]
Reviewer = Annotated[Principal, Depends(get_reviewer)]
Editor = Annotated[Principal, Depends(get_editor)]
Admin = Annotated[Principal, Depends(get_admin)]
Staff = Annotated[Principal, Depends(get_staff)]

_Guard: TypeAlias = Callable[..., Awaitable[Principal]]


def guarded_router(
    tag: str,
    guard: _Guard | None = None,
    *,
    prefix: str = "",
    problems: Sequence[type[AppError]] = (),
    route_class: type[GuardedRoute] = GuardedRoute,
) -> APIRouter:
    """A router that tells strangers nothing, and documents what may go wrong before an operation begins.

    Every operation is for those whom `guard` lets through; without one, each route names its own in `dependencies`.
    """
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=route_class,
        dependencies=[] if guard is None else [Depends(guard)],
        responses=problem_responses(
            MalformedRequest,
            NotAuthenticated,
            InvalidToken,
            InvalidAPIKey,
            Forbidden,
            InvalidRequest,
            InternalError,
            Unavailable,
            *problems,
        ),
    )


async def is_admin(request: Request, session: Session) -> bool:
    """Whether an admin asks, where that only decides how much is told: credentials that are no good are none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        claims = read_access_token(request.app.state.settings, token, utc_now())
        return (await service.find_principal(session, claims)).role is Role.ADMIN
    except InvalidToken:
        return False


async def require_registration(settings: SettingsDep) -> None:
    """As if there were nothing at this address, unless the operator lets partners register."""
    if not settings.auth.registration:
        raise NotFound
