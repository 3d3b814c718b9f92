"""Who is who in a sheet without ids: the same name, street and city are the same place; a phone decides a tie."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from vibe4vets.connectors.base import Record, Rejection

_Key: TypeAlias = tuple[str, ...]

_MAIN: Final = re.compile(r"\((?:main|main office|main location|hq|headquarters)\)")
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("'\u2018\u2019"))
_SHORT: Final = {
    long: short
    for short, words in {
        "st": "street str",
        "ave": "avenue av",
        "rd": "road",
        "dr": "drive",
        "ln": "lane",
        "ct": "court",
        "blvd": "boulevard",
        "hwy": "highway",
        "pkwy": "parkway",
        "pl": "place",
        "sq": "square",
        "ste": "suite",
        "rt": "route",
        "n": "north",
        "s": "south",
        "e": "east",
        "w": "west",
    }.items()
    for long in words.split()
}


def identify(items: Sequence[Record | Rejection]) -> list[Record | Rejection]:
    """Give every record an id that stays when rows move, and turn what repeats an earlier row into a rejection."""
    phones = defaultdict(set)
    for item in items:
        if isinstance(item, Record) and not item.record_id and item.phone:
            phones[_key(item)].add(_digits(item.phone))
    first: dict[_Key, Record] = {}
    identified: list[Record | Rejection] = []
    for item in items:
        if isinstance(item, Rejection) or item.record_id:
            identified.append(item)
            continue
        key = _key(item)
        if len(phones[key]) > 1 and item.phone:
            key = (*key, _digits(item.phone))
        earlier = first.setdefault(key, item)
        if earlier is item:
            identified.append(replace(item, record_id=_id(key)))
        else:
            reason = f"duplicate: the same name, street and city as row {earlier.line}"
            identified.append(
                Rejection(item.line, reason, item.content, item.source, _id(key), duplicate_of=earlier.line)
            )
    return identified


def _key(record: Record) -> _Key:
    name = _MAIN.sub("", record.title.lower())
    street = " ".join(_SHORT.get(word, word) for word in _fold(record.street or "").split())
    return _fold(name), street, _fold(record.city or "")


def _fold(text: str) -> str:
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return " ".join(re.findall(r"\w+", bare.casefold().translate(_APOSTROPHES)))


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone).removeprefix("1")


def _id(key: _Key) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", key[0]).strip("-")[:60]
    return f"{name}-{hashlib.sha256('|'.join(key).encode()).hexdigest()[:12]}"
