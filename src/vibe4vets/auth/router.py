"""HTTP for accounts: names, statuses and documents; no rules."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response

from vibe4vets.auth import service
from vibe4vets.auth.dependencies import Caller, CurrentUser, SettingsDep, get_caller, get_user, require_registration
from vibe4vets.auth.exceptions import (
    InvalidAPIKey,
    InvalidCredentials,
    InvalidRefreshToken,
    InvalidResetToken,
    InvalidToken,
    PasswordRefused,
    SessionNotFound,
    TooManySignIns,
    WrongPassword,
)
from vibe4vets.auth.schemas import (
    Me,
    PasswordChange,
    PasswordReset,
    RefreshRequest,
    Registration,
    RegistrationReceived,
    SessionQuery,
    SessionRead,
    TokenForm,
    TokenPair,
    examples,
)
from vibe4vets.core.database import DatabaseDep, SessionDep
from vibe4vets.core.errors import (
    Forbidden,
    InternalError,
    InvalidRequest,
    MalformedRequest,
    NotAuthenticated,
    NotFound,
    Unavailable,
    problem_responses,
)
from vibe4vets.core.http import IDEMPOTENT, GuardedRoute, Limited, LoginThrottleDep, private_page, success
from vibe4vets.core.limits import TooManyRequests
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page

router = APIRouter(
    prefix="/auth",
    tags=["accounts"],
    route_class=GuardedRoute,
    responses=problem_responses(MalformedRequest, InvalidRequest, InternalError, Unavailable),
)
_PROVEN = problem_responses(NotAuthenticated, InvalidToken, InvalidAPIKey)
_PERSONAL = {**_PROVEN, **problem_responses(Forbidden)}
SessionID = Annotated[
    UUID, Path(description="The `id` of a session of yours.", examples=["4f9d2c1e-6a1b-4a53-9a76-0c8b1f0d7e55"])
]


@router.post(
    "/register",
    status_code=HTTPStatus.ACCEPTED,
    summary="Ask for an account",
    dependencies=[Depends(require_registration), Limited("registrations_per_address"), IDEMPOTENT],
    responses={
        **success("It will be looked at.", examples.RECEIVED, status=HTTPStatus.ACCEPTED),
        **problem_responses(NotFound, InvalidRequest, PasswordRefused, TooManyRequests, TooManySignIns, Unavailable),
    },
)
async def register(session: SessionDep, data: Registration) -> RegistrationReceived:
    """Ask for a partner's account, which an admin then activates. Off unless the operator turns it on: 404.

    The answer is the same whether or not there is an account with that address already.
    """
    await service.register(session, data)
    return RegistrationReceived(status="received")


@router.post(
    "/token",
    summary="Sign in",
    responses={
        **success("Tokens of a new session.", examples.TOKENS),
        **problem_responses(InvalidCredentials, TooManyRequests, TooManySignIns, Unavailable),
    },
)
async def create_token(
    database: DatabaseDep, settings: SettingsDep, throttle: LoginThrottleDep, form: Annotated[TokenForm, Form()]
) -> TokenPair:
    """Exchange an e-mail address and a password for an access token of 15 minutes and a refresh token.

    The form is OAuth2's password form, for our own front ends and the Authorize button of these docs. Programs of
    partners use an API key instead.
    """
    return await service.log_in(database, settings, throttle, form)


@router.post(
    "/refresh",
    summary="Refresh the tokens",
    responses={**success("The next pair of tokens.", examples.TOKENS), **problem_responses(InvalidRefreshToken)},
)
async def refresh_token(database: DatabaseDep, settings: SettingsDep, data: RefreshRequest) -> TokenPair:
    """Exchange a refresh token for the next pair, and forget the old one.

    If the answer is lost, send the same token again. A token that was followed by the use of a later one is a sign
    of theft: it ends the session for both who hold its tokens. A session ends after 14 days without a refresh, and
    after 30 days in any case.
    """
    return await service.refresh(database, settings, data.refresh_token)


@router.post(
    "/logout",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Sign out",
    dependencies=[Depends(get_user)],
    responses=_PERSONAL,
)
async def log_out(session: SessionDep, user: CurrentUser) -> None:
    """End the session at hand: its access token and its refresh tokens are refused from now on."""
    await service.log_out(session, user)


@router.get(
    "/me",
    summary="Tell who you are",
    dependencies=[Depends(get_caller)],
    responses={
        **success("The account that the credentials belong to.", examples.ME),
        **_PROVEN,
        **problem_responses(TooManyRequests),
    },
)
async def get_me(session: SessionDep, caller: Caller) -> Me:
    """Get the account that the credentials belong to, a person's or an API key's."""
    return await service.get_me(session, caller)


@router.post(
    "/password",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Change your password",
    dependencies=[Depends(get_user)],
    responses={
        **_PROVEN,
        **problem_responses(
            Forbidden, WrongPassword, InvalidRequest, PasswordRefused, TooManyRequests, TooManySignIns, Unavailable
        ),
    },
)
async def change_password(
    database: DatabaseDep, throttle: LoginThrottleDep, user: CurrentUser, data: PasswordChange
) -> None:
    """Replace your password; needs the current one. Ends every other session of yours, and voids every reset link."""
    await service.change_password(database, throttle, user, data)


@router.post(
    "/password/reset",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Reset a password",
    dependencies=[Limited("password_resets_per_address")],
    responses=problem_responses(
        InvalidResetToken, InvalidRequest, PasswordRefused, TooManyRequests, TooManySignIns, Unavailable
    ),
)
async def reset_password(database: DatabaseDep, settings: SettingsDep, data: PasswordReset) -> None:
    """Set the password of the account whose reset link carries the token; ends all of its sessions.

    An admin makes the link, which is good once and for 15 minutes. A password that is refused leaves it good.
    """
    await service.reset_password(database, settings.signing_key, data.token, data.new_password)


@router.get(
    "/sessions",
    summary="List your sessions",
    response_model=Page[SessionRead],
    dependencies=[Depends(get_user)],
    responses={
        **success("A page of sessions.", examples.SESSIONS),
        **_PERSONAL,
        **problem_responses(MalformedRequest, InvalidCursor),
    },
)
async def list_sessions(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    cursors: CursorsDep,
    query: Annotated[SessionQuery, Query()],
) -> Response:
    """List where you are signed in, the latest login first."""
    return private_page(request, await service.list_sessions(session, user, query, cursors))


@router.delete(
    "/sessions",
    status_code=HTTPStatus.NO_CONTENT,
    summary="End your other sessions",
    dependencies=[Depends(get_user)],
    responses=_PERSONAL,
)
async def end_other_sessions(session: SessionDep, user: CurrentUser) -> None:
    """Sign out everywhere but here: every other session of yours ends."""
    await service.end_other_sessions(session, user)


@router.delete(
    "/sessions/{session_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="End a session",
    dependencies=[Depends(get_user)],
    responses={**_PERSONAL, **problem_responses(SessionNotFound)},
)
async def end_session(session: SessionDep, user: CurrentUser, session_id: SessionID) -> None:
    """Sign out one session of yours; the one at hand, too. It needs no `If-Match`, for a session is never edited."""
    await service.end_session(session, user, session_id)
