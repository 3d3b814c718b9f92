"""HTTP for the public door: what is missing or wrong, and what became of it. No account is needed."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from vibe4vets.auth.dependencies import SettingsDep
from vibe4vets.core.audit import ANONYMOUS
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import InternalError, InvalidRequest, MalformedRequest, Unavailable, problem_responses
from vibe4vets.core.http import IDEMPOTENT, Limited, StrictRoute, success
from vibe4vets.core.limits import TooManyRequests
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import ResourceGone, ResourceNotFound, SuggestionNotFound
from vibe4vets.resources.models import Origin
from vibe4vets.resources.router.public import ResourceID
from vibe4vets.resources.schemas import (
    FeedbackCreate,
    SuggestionCreate,
    SuggestionReceipt,
    SuggestionStatus,
    examples,
)

router = APIRouter(
    tags=["suggestions"],
    route_class=StrictRoute,
    responses=problem_responses(MalformedRequest, InvalidRequest, InternalError, Unavailable),
)
# the narrower limit first: whoever it refuses takes nothing from everybody's
_LIMITED = [Limited("submissions_per_address"), Limited("submissions"), IDEMPOTENT]
_VISITOR = service.Submitter(Origin.PUBLIC, ANONYMOUS)
_READER = service.Submitter(Origin.FEEDBACK, ANONYMOUS)
_RECEIVED = success("It waits for a reviewer.", examples.RECEIPT, status=HTTPStatus.ACCEPTED)
Token = Annotated[
    str,
    Path(
        description="The `token` of the receipt.",
        pattern="^sug_[0-9A-Za-z]{43}$",
        max_length=47,
        examples=["sug_3kPq0aZr7WmN5xT1cVbY8dEfGhJlKoQsUuXwZy2A4B6"],
    ),
]


@router.post(
    "/suggestions",
    status_code=HTTPStatus.ACCEPTED,
    summary="Suggest a resource or a correction",
    dependencies=_LIMITED,
    responses={**_RECEIVED, **problem_responses(ResourceNotFound, ResourceGone, TooManyRequests)},
)
async def create_suggestion(session: SessionDep, settings: SettingsDep, given: SuggestionCreate) -> SuggestionReceipt:
    """Tell what is missing, or with `resource_id` what is wrong. A reviewer looks at it before anybody sees it.

    Keep the token: it shows what became of the suggestion. Leave out numbers that name a person (Social Security,
    DoD ID, VA file): they are refused, and never stored.
    """
    return await service.take_suggestion(session, given, settings.signing_key, _VISITOR)


@router.get(
    "/suggestions/{token}",
    summary="See what became of a suggestion",
    responses={**success("What became of it.", examples.SUGGESTION), **problem_responses(SuggestionNotFound)},
)
async def get_suggestion(session: SessionDep, settings: SettingsDep, token: Token) -> SuggestionStatus:
    """Tell whether it has been decided, and what the reviewer says about it."""
    return await service.get_suggestion(session, token, settings.signing_key)


@router.delete(
    "/suggestions/{token}/contact",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Have your contact erased",
    responses=problem_responses(SuggestionNotFound),
)
async def erase_contact(session: SessionDep, settings: SettingsDep, token: Token) -> None:
    """Erase at once how reviewers may reach you. Without asking it happens 30 days after the decision."""
    await service.erase_contact(session, token, settings.signing_key, actor=ANONYMOUS)


@router.post(
    "/resources/{resource_id}/feedback",
    status_code=HTTPStatus.ACCEPTED,
    summary="Report what is wrong with a resource",
    dependencies=_LIMITED,
    responses={**_RECEIVED, **problem_responses(ResourceNotFound, ResourceGone, TooManyRequests)},
)
async def create_feedback(
    session: SessionDep, settings: SettingsDep, resource_id: ResourceID, given: FeedbackCreate
) -> SuggestionReceipt:
    """Say that the phone or the address is wrong, that it has closed, or that you were not eligible."""
    return await service.report(session, resource_id, given, settings.signing_key, _READER)
