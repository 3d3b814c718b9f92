"""A small internet with traps, in a network namespace of its own: the fetcher falls into none (rows F2, F3, F4)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vibe4vets.core.embedded import EmbeddedPostgres

pytestmark = pytest.mark.drill

PROJECT = Path(__file__).resolve().parents[2]
# Whoever is root needs no user namespace, in which the server's socket would be another account's.
UNSHARE = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


def _may_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "ip", "link"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not _may_unshare(), reason="needs Linux, util-linux, iproute2 and the right to make namespaces")
def test_nothing_inside_is_reached(server: EmbeddedPostgres, database: str) -> None:
    lab = subprocess.run(
        [*UNSHARE, sys.executable, "-m", "tests.drills.ssrf_lab"],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": server.app_url(database)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert lab.returncode == 0, lab.stderr
    told = json.loads(lab.stdout)
    outcomes = told["fetcher"]["outcomes"]
    assert told["fetcher"]["reached"] == []
    assert len(outcomes) > 18
    # the rebinding name answers from the public address that was checked; asked again, it is inside and refused
    answered = {url for url, outcome in outcomes.items() if outcome == "answered"}
    assert answered == {"http://good.test/", "http://rebind.test/"}
    assert {outcome for url, outcome in outcomes.items() if url not in answered} == {"AddressRefused"}
    # the control: a client that looks first and fetches then falls into the traps that are there
    naive = told["naive"]
    assert naive["outcomes"]["http://good.test/"] == naive["outcomes"]["http://rebind.test/"] == "answered"
    assert {"127.0.0.1", "100.100.100.200", "169.254.169.254"} <= set(naive["reached"])
