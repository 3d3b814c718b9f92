"""Ways a run can fail."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError


class RunUnderWay(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "run-under-way",
        "Another run of this connector is under way; wait until it has ended.",
    )


class ConnectorNotFound(AppError):
    status, type, title = HTTPStatus.NOT_FOUND, "connector-not-found", "There is no such connector."


class ConnectorOff(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "connector-off",
        "This connector cannot run now; the detail says what is in the way.",
    )


class UnusableFile(AppError):
    status, type, title = (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unusable-file",
        "The file cannot be imported as it is; the detail says where and what to do.",
    )
