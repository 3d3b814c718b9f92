"""Lost updates are refused: who writes to a thing names the version that was read (RFC 9110 13.1.1)."""

from dataclasses import dataclass
from http import HTTPStatus

from vibe4vets.core.errors import AppError


class PreconditionRequired(AppError):
    status, type, title = (
        HTTPStatus.PRECONDITION_REQUIRED,
        "precondition-required",
        "Send `If-Match` with the `ETag` of what you have read, so that nobody's change is lost.",
    )
    advice = "Read it by GET, a resource below /api/v1/admin/resources: the answer carries the `ETag`."


class PreconditionFailed(AppError):
    status, type, title = (
        HTTPStatus.PRECONDITION_FAILED,
        "precondition-failed",
        "It has changed since you read it; read it again, and repeat the change with the new `ETag`.",
    )


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The entity tags of one `If-Match` header."""

    tags: frozenset[str]

    def require(self, etag: str) -> None:
        """Raise PreconditionFailed, which tells the current tag, unless `etag` is among the tags.

        The comparison is strong: a weak tag matches nothing. `*` stands for whatever there is.
        """
        if etag not in self.tags and "*" not in self.tags:
            raise PreconditionFailed(headers={"ETag": etag})
