"""Ways a request to the directory can fail."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError


class ResourceNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "resource-not-found", "There is no such resource."


class ResourceGone(AppError):
    status, type, title = (
        HTTPStatus.GONE,
        "resource-gone",
        "This resource is no longer published; `successor` names the one that replaces it, if any.",
    )


class OrganizationNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "organization-not-found", "There is no such organization."


class PlacesFileRefused(AppError):
    status, type, title = HTTPStatus.UNPROCESSABLE_ENTITY, "places-file-refused", "The file holds no places."


class EntryNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "lexicon-entry-not-found", "There is no such entry; list them anew."


class EntryChanged(AppError):
    status, type, title = (
        HTTPStatus.PRECONDITION_FAILED,
        "lexicon-entry-changed",
        "Somebody changed the entry meanwhile; read it again and repeat your change.",
    )


class PhraseTaken(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "lexicon-phrase-taken",
        "The lexicon has an entry for this phrase; change that one.",
    )
