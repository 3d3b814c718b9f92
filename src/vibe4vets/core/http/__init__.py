"""How the service speaks HTTP: the shell around every request, the doorway, strict routes, cacheable answers."""

from vibe4vets.core.http.answers import (
    NOT_MODIFIED,
    created_answer,
    private_page,
    public_answer,
    public_page,
    success,
    versioned_answer,
)
from vibe4vets.core.http.doorway import Doorway
from vibe4vets.core.http.idempotency import IDEMPOTENT
from vibe4vets.core.http.limits import Limited, LimitsDep, LoginThrottleDep
from vibe4vets.core.http.operations import Operations
from vibe4vets.core.http.proxies import ClientAddress, TrustedProxies, address_key
from vibe4vets.core.http.routes import GuardedRoute, PublicRoute, StrictRoute
from vibe4vets.core.http.shell import Shell
from vibe4vets.core.http.streams import public_download
from vibe4vets.core.http.uploads import ClaimedUpload, Upload, UploadDep, UploadRoute

__all__ = [
    "IDEMPOTENT",
    "NOT_MODIFIED",
    "ClaimedUpload",
    "ClientAddress",
    "Doorway",
    "GuardedRoute",
    "Limited",
    "LimitsDep",
    "LoginThrottleDep",
    "Operations",
    "PublicRoute",
    "Shell",
    "StrictRoute",
    "TrustedProxies",
    "Upload",
    "UploadDep",
    "UploadRoute",
    "address_key",
    "created_answer",
    "private_page",
    "public_answer",
    "public_download",
    "public_page",
    "success",
    "versioned_answer",
]
