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


class RevisionNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "revision-not-found", "This resource has no such version."


class ResourceStateConflict(AppError):
    status, type, title = HTTPStatus.CONFLICT, "resource-state", "The resource is not in a state that allows this."
