"""Ways a run can fail."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError


class RunUnderWay(AppError):
    status, type, title = (
        HTTPStatus.CONFLICT,
        "run-under-way",
        "Another run of this connector is under way; wait until it has ended.",
    )
