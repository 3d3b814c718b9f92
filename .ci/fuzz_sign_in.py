"""Signs in for schemathesis, and again when an operation has ended the session."""

import os
from typing import Any

import requests
import schemathesis


@schemathesis.auth()
class SignIn:
    """The account that .ci/fuzz has made, by the form that the Authorize button of /docs uses."""

    def get(self, case: schemathesis.Case, _context: schemathesis.AuthContext) -> str:
        """A new access token."""
        form = {"username": os.environ["FUZZ_EMAIL"], "password": os.environ["FUZZ_PASSWORD"]}
        base = str(case.operation.base_url).rstrip("/")
        answer = requests.post(f"{base}/api/v1/auth/token", data=form, timeout=15)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def set(self, case: schemathesis.Case, data: Any, _context: schemathesis.AuthContext) -> None:
        """Add it to a request."""
        case.headers["Authorization"] = f"Bearer {data}"
