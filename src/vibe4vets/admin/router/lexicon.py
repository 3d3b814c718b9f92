"""HTTP for the lexicon: names, statuses and documents; no rules."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from vibe4vets.admin.schemas import examples
from vibe4vets.auth.dependencies import Editor, get_editor, get_staff, guarded_router
from vibe4vets.core.database import SessionDep
from vibe4vets.core.errors import problem_responses
from vibe4vets.core.http import IDEMPOTENT, created_answer, private_page, success, versioned_answer
from vibe4vets.core.http.preconditions import IfMatchDep
from vibe4vets.core.pagination import CursorsDep, InvalidCursor, Page
from vibe4vets.core.preconditions import PreconditionFailed, PreconditionRequired
from vibe4vets.resources import service
from vibe4vets.resources.exceptions import EntryNotFound, PhraseTaken
from vibe4vets.resources.schemas import LexiconEntryIntake, LexiconEntryRead, LexiconEntryUpdate, LexiconQuery

router = guarded_router("lexicon", get_staff)
_EDITORS = [Depends(get_editor)]
_VERSIONED = problem_responses(EntryNotFound, PreconditionFailed, PreconditionRequired)
EntryID = Annotated[UUID, Path(description="The `id` of an entry.", examples=["5e1c2b1a-8c55-4b63-9f0e-2f7a4f6b1c44"])]


@router.get(
    "/lexicon",
    summary="List the lexicon",
    response_model=Page[LexiconEntryRead],
    responses={**success("A page of entries.", examples.LEXICON), **problem_responses(InvalidCursor)},
)
async def list_lexicon_entries(
    request: Request, session: SessionDep, cursors: CursorsDep, query: Annotated[LexiconQuery, Query()]
) -> Response:
    """List what people say and what it means, by phrase."""
    return private_page(request, await service.list_entries(session, query, cursors))


@router.post(
    "/lexicon",
    status_code=HTTPStatus.CREATED,
    summary="Add to the lexicon",
    response_model=LexiconEntryRead,
    dependencies=[*_EDITORS, IDEMPOTENT],
    responses={
        **success("The entry as it is.", examples.LEXICON_ENTRY, status=HTTPStatus.CREATED),
        **problem_responses(PhraseTaken),
    },
)
async def create_lexicon_entry(
    request: Request, session: SessionDep, editor: Editor, data: LexiconEntryIntake
) -> Response:
    """Tell the search what a phrase means; the next search knows it. `GET /admin/searches` tells what is missing."""
    return created_answer(request, await service.create_entry(session, data, actor=editor.actor))


@router.get(
    "/lexicon/{entry_id}",
    summary="Get an entry of the lexicon",
    response_model=LexiconEntryRead,
    responses={
        **success("The entry as it is.", examples.LEXICON_ENTRY),
        **problem_responses(EntryNotFound),
    },
)
async def get_lexicon_entry(request: Request, session: SessionDep, entry_id: EntryID) -> Response:
    """Get one entry, with the `ETag` that a change of it needs."""
    return versioned_answer(request, await service.get_entry(session, entry_id))


@router.patch(
    "/lexicon/{entry_id}",
    summary="Change an entry of the lexicon",
    response_model=LexiconEntryRead,
    dependencies=_EDITORS,
    responses={
        **success("The entry as it is now.", examples.LEXICON_ENTRY),
        **_VERSIONED,
        **problem_responses(PhraseTaken),
    },
)
async def update_lexicon_entry(  # noqa: PLR0913, PLR0917  a signature of a route is what it needs
    request: Request,
    session: SessionDep,
    editor: Editor,
    entry_id: EntryID,
    match: IfMatchDep,
    data: LexiconEntryUpdate,
) -> Response:
    """Change what the next search makes of a phrase. No later release of the service changes the entry again."""
    return versioned_answer(request, await service.update_entry(session, entry_id, data, match, actor=editor.actor))


@router.delete(
    "/lexicon/{entry_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Take an entry out of the lexicon",
    dependencies=_EDITORS,
    responses=_VERSIONED,
)
async def delete_lexicon_entry(session: SessionDep, editor: Editor, entry_id: EntryID, match: IfMatchDep) -> None:
    """Let the search forget a phrase. No release of the service brings it back; `POST` with the phrase does."""
    await service.delete_entry(session, entry_id, match, actor=editor.actor)
