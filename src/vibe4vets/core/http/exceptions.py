"""Why a request is turned away at the door, whatever operation it asks for."""

from http import HTTPStatus

from vibe4vets.core.errors import AppError


class CredentialsInAddress(AppError):
    status, type, title = (
        HTTPStatus.BAD_REQUEST,
        "credentials-in-address",
        "Credentials do not belong in the address, which logs and histories keep.",
    )
    advice = "Send them in the header `Authorization` or `X-API-Key`, and replace them: they may be in a log by now."


class UnknownHost(AppError):
    status, type, title = HTTPStatus.BAD_REQUEST, "unknown-host", "This service does not go by that name."
    advice = "Use the service's own name. Its operator lists the names in VIBE4VETS_HTTP__ALLOWED_HOSTS."


class RequestTimeout(AppError):
    status, type, title = (
        HTTPStatus.REQUEST_TIMEOUT,
        "request-timeout",
        "The body came too slowly; send it again.",
    )


class BodyTooLarge(AppError):
    status, type, title = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", "The body is too large; send less."


class AddressTooLong(AppError):
    status, type, title = (
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "address-too-long",
        "The address is too long; send fewer or shorter parameters.",
    )


class UnsupportedMediaType(AppError):
    status, type, title = (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The body is not of a kind that this operation reads.",
    )
    advice = "Send it with the `Content-Type` that the operation documents."


class HeadersTooLarge(AppError):
    status, type, title = (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "headers-too-large",
        "The headers are too many or too large; send fewer or shorter ones.",
    )
