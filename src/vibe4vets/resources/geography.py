"""The states, the District of Columbia and the five inhabited territories."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AK": "Alaska",
        "AL": "Alabama",
        "AR": "Arkansas",
        "AS": "American Samoa",
        "AZ": "Arizona",
        "CA": "California",
        "CO": "Colorado",
        "CT": "Connecticut",
        "DC": "District of Columbia",
        "DE": "Delaware",
        "FL": "Florida",
        "GA": "Georgia",
        "GU": "Guam",
        "HI": "Hawaii",
        "IA": "Iowa",
        "ID": "Idaho",
        "IL": "Illinois",
        "IN": "Indiana",
        "KS": "Kansas",
        "KY": "Kentucky",
        "LA": "Louisiana",
        "MA": "Massachusetts",
        "MD": "Maryland",
        "ME": "Maine",
        "MI": "Michigan",
        "MN": "Minnesota",
        "MO": "Missouri",
        "MP": "Northern Mariana Islands",
        "MS": "Mississippi",
        "MT": "Montana",
        "NC": "North Carolina",
        "ND": "North Dakota",
        "NE": "Nebraska",
        "NH": "New Hampshire",
        "NJ": "New Jersey",
        "NM": "New Mexico",
        "NV": "Nevada",
        "NY": "New York",
        "OH": "Ohio",
        "OK": "Oklahoma",
        "OR": "Oregon",
        "PA": "Pennsylvania",
        "PR": "Puerto Rico",
        "RI": "Rhode Island",
        "SC": "South Carolina",
        "SD": "South Dakota",
        "TN": "Tennessee",
        "TX": "Texas",
        "UT": "Utah",
        "VA": "Virginia",
        "VI": "U.S. Virgin Islands",
        "VT": "Vermont",
        "WA": "Washington",
        "WI": "Wisconsin",
        "WV": "West Virginia",
        "WY": "Wyoming",
    }
)

_OTHER_NAMES: Final = {"Virgin Islands": "VI", "Washington, D.C.": "DC"}

_STATES_OF_ONE_ZONE: Final = {
    "America/New_York": "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL LA MN MO MS OK WI",
    "America/Denver": "CO MT NM UT WY",
    "America/Los_Angeles": "CA WA",
    "Pacific/Honolulu": "HI",
    "Pacific/Pago_Pago": "AS",
    # St_Thomas and Saipan are aliases of these two, which some builds of the zone database leave out.
    "America/Puerto_Rico": "PR VI",
    "Pacific/Guam": "GU MP",
}
_ZONES: Final = {state: zone for zone, states in _STATES_OF_ONE_ZONE.items() for state in states.split()}


_STATES_OF_SEVERAL_ZONES: Final = {
    "AK": "America/Anchorage America/Adak",
    "AZ": "America/Phoenix America/Denver",
    "FL": "America/New_York America/Chicago",
    "ID": "America/Boise America/Los_Angeles",
    "IN": "America/New_York America/Chicago",
    "KS": "America/Chicago America/Denver",
    "KY": "America/New_York America/Chicago",
    "MI": "America/New_York America/Chicago",
    "ND": "America/Chicago America/Denver",
    "NE": "America/Chicago America/Denver",
    "NV": "America/Los_Angeles America/Denver",
    "OR": "America/Los_Angeles America/Denver",
    "SD": "America/Chicago America/Denver",
    "TN": "America/New_York America/Chicago",
    "TX": "America/Chicago America/Denver",
}
POSSIBLE_ZONES: Final[Mapping[str, list[str]]] = MappingProxyType(
    {state: [zone] for state, zone in _ZONES.items()}
    | {state: zones.split() for state, zones in _STATES_OF_SEVERAL_ZONES.items()}
)
"""Every time that is kept in a state today: what is open by all of them is open wherever in it."""
TIME_ZONES: Final = frozenset(zone for zones in POSSIBLE_ZONES.values() for zone in zones)


def _plain(name: str) -> str:
    return " ".join(name.replace(".", "").replace(",", " ").casefold().split())


_CODES: Final = (
    {_plain(code): code for code in STATES}
    | {_plain(name): code for code, name in STATES.items()}
    | {_plain(name): code for name, code in _OTHER_NAMES.items()}
)


def state_code(text: str) -> str | None:
    """Find the code of a state given by its code or whole name, in any case, with or without dots and commas.

    Nothing is cut or guessed: "Wash", "Ohio State" and "Columbus, OH" are None.
    """
    return _CODES.get(_plain(text))


def time_zone(state: str) -> str | None:
    """Name the IANA zone of a state code if the whole state keeps that time by law (49 CFR part 71).

    None where any part differs: AK (western Aleutians), AZ (the Navajo Nation keeps daylight time), FL, ID,
    IN, KS, KY, MI, ND, NE, NV (West Wendover), OR (Malheur County), SD, TN, TX. A few border towns live by a
    neighbour's time without a law (Phenix City, AL; Kenton, OK); they do not make their states doubtful.
    """
    return _ZONES.get(state)
