"""API keys, from the admins' side."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from vibe4vets.admin.schemas import KeyCreate, KeyCreated, KeyQuery, KeyRead
from vibe4vets.admin.service.users import get_user
from vibe4vets.auth import service as accounts
from vibe4vets.auth.models import api_keys
from vibe4vets.auth.principals import Principal
from vibe4vets.core.config import Settings
from vibe4vets.core.database import Session
from vibe4vets.core.pagination import Cursors, Listing, Order, Slice

K = api_keys.c
_OF_USER = Listing(
    select(*K).where(K.user_id == bindparam("user_id", type_=Uuid)),
    Order((K.created_at, K.id), (datetime.fromisoformat, UUID), descending=True),
)


async def list_keys(session: Session, user_id: UUID, query: KeyQuery, cursors: Cursors) -> Slice:
    """Return one page of the account's keys, revoked ones too; raises UserNotFound."""
    await get_user(session, user_id)
    found = await _OF_USER.read(session, query, cursors, {"user_id": user_id})
    return found.slice(lambda row: KeyRead.model_validate(row).model_dump_json())


async def create_key(
    session: Session, settings: Settings, user_id: UUID, data: KeyCreate, *, admin: Principal
) -> KeyCreated:
    """Make a key for a partner; raises UserNotFound, NotAPartner, KeyNameTaken."""
    new = await accounts.create_key(
        session,
        settings.signing_key,
        await accounts.lock_user(session, user_id),
        name=data.name,
        scopes=data.scopes,
        lifetime=data.lifetime,
        actor=admin.actor,
    )
    return _shown_once(new)


async def rotate_key(session: Session, settings: Settings, key_id: UUID, *, admin: Principal) -> KeyCreated:
    """Make the key that takes the place of `key_id`; raises APIKeyNotFound, TwoKeysAlready."""
    return _shown_once(await accounts.rotate_key(session, settings.signing_key, key_id, actor=admin.actor))


async def revoke_key(session: Session, key_id: UUID, *, admin: Principal) -> None:
    """Revoke a key, from the next request on; raises APIKeyNotFound."""
    await accounts.revoke_key(session, key_id, actor=admin.actor)


def _shown_once(new: accounts.NewKey) -> KeyCreated:
    return KeyCreated(**KeyRead.model_validate(new.row).model_dump(), key=new.text)
