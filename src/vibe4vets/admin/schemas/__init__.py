"""What admins send and receive."""

from vibe4vets.admin.schemas.keys import KeyCreate, KeyCreated, KeyQuery, KeyRead
from vibe4vets.admin.schemas.users import ResetLink, SettableState, UserCreate, UserQuery, UserRead, UserUpdate

__all__ = [
    "KeyCreate",
    "KeyCreated",
    "KeyQuery",
    "KeyRead",
    "ResetLink",
    "SettableState",
    "UserCreate",
    "UserQuery",
    "UserRead",
    "UserUpdate",
]
