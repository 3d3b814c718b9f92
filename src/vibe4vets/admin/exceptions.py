"""Ways the work of reviewers can fail."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError


class ClaimedByAnother(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "claimed-by-another",
        "Another reviewer is at work on this; wait until the claim ends, or take it over.",
    )
