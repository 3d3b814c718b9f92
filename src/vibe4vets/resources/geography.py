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

_BOXES: Final = """
AK 51.2 71.5 -180 -129.9; AL 30.1 35.1 -88.5 -84.8; AR 33 36.6 -94.7 -89.6; AS -14.6 -11 -171.1 -168.1;
AZ 31.3 37.1 -114.9 -109; CA 32.5 42.1 -124.5 -114.1; CO 36.9 41.1 -109.1 -102; CT 40.9 42.1 -73.8 -71.7;
DC 38.7 39 -77.2 -76.9; DE 38.4 39.9 -75.8 -75; FL 24.4 31.1 -87.7 -79.9; GA 30.3 35.1 -85.7 -80.7;
GU 13.2 13.7 144.6 145; HI 18.8 28.6 -178.5 -154.7; IA 40.3 43.6 -96.7 -90.1; ID 41.9 49.1 -117.3 -111;
IL 36.9 42.6 -91.6 -87; IN 37.7 41.8 -88.1 -84.7; KS 36.9 40.1 -102.1 -94.5; KY 36.4 39.2 -89.6 -81.9;
LA 28.9 33.1 -94.1 -88.8; MA 41.2 42.9 -73.6 -69.8; MD 37.8 39.8 -79.5 -75; ME 42.9 47.5 -71.1 -66.9;
MI 41.6 48.4 -90.5 -82.1; MN 43.4 49.4 -97.3 -89.4; MO 35.9 40.7 -95.8 -89; MP 14 20.6 144.8 146.1;
MS 30.1 35.1 -91.7 -88; MT 44.3 49.1 -116.1 -104; NC 33.7 36.6 -84.4 -75.4; ND 45.9 49.1 -104.1 -96.5;
NE 39.9 43.1 -104.1 -95.3; NH 42.6 45.4 -72.6 -70.6; NJ 38.8 41.4 -75.6 -73.8; NM 31.3 37.1 -109.1 -103;
NV 35 42.1 -120.1 -114; NY 40.4 45.1 -79.8 -71.8; OH 38.3 42.4 -84.9 -80.5; OK 33.6 37.1 -103.1 -94.4;
OR 41.9 46.4 -124.7 -116.4; PA 39.7 42.4 -80.6 -74.6; PR 17.8 18.6 -68 -65.2; RI 41.1 42.1 -71.9 -71.1;
SC 32 35.3 -83.4 -78.5; SD 42.4 46 -104.1 -96.4; TN 34.9 36.7 -90.4 -81.6; TX 25.8 36.6 -106.7 -93.5;
UT 36.9 42.1 -114.1 -109; VA 36.5 39.5 -83.7 -75.2; VI 17.6 18.5 -65.1 -64.5; VT 42.7 45.1 -73.5 -71.4;
WA 45.5 49.1 -124.9 -116.9; WI 42.4 47.4 -93 -86.2; WV 37.1 40.7 -82.7 -77.7; WY 40.9 45.1 -111.1 -104
"""
"""The southern, northern, western and eastern end of each state, a little outside of its outermost ZIP codes."""
_ENDS: Final = {
    code: tuple(map(float, ends)) for code, *ends in (box.split() for box in _BOXES.split(";") if box.strip())
}
_BORDER_DEGREES: Final = 0.2
_DATE_LINE_EAST: Final = 172
"""The Aleutians go on beyond the date line."""


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


def lies_in(state: str, latitude: float, longitude: float) -> bool:
    """Whether a point may be in a state: within the box around it, with a dozen miles for what stands at its border."""
    south, north, west, east = _ENDS[state]
    if state == "AK" and longitude >= _DATE_LINE_EAST:
        longitude = west
    within = south - _BORDER_DEGREES <= latitude <= north + _BORDER_DEGREES
    return within and west - _BORDER_DEGREES <= longitude <= east + _BORDER_DEGREES
