"""Python keeps what it compiles, whatever the environment says: the tests start some sixty processes of ours.

This file is read before tests/conftest.py imports the service, and before pytest-xdist starts its workers.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
