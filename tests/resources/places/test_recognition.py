"""Places in what people type: which reading wins, and which words are none."""

import pytest

from vibe4vets.resources.folding import fold
from vibe4vets.resources.service.places import Columns, Gazetteer, Place, PlaceKind

CITIES = """
Bath ME Sagadahoc 1
Bedford OH Cuyahoga 1
Boise ID Ada 15
Bronx NY Bronx 27
Columbus GA Muscogee 14
Columbus IN Bartholomew 3
Columbus OH Franklin 51
Dayton OH Montgomery 33
Dayton VA Rockingham 1
Fort_Worth TX Tarrant 70
Gary IN Lake 9
Home KS Marshall 1
Hope AR Hempstead 2
Indiana PA Indiana 2
Justice IL Cook 1
Kansas_City KS Wyandotte 26
Kansas_City MO Jackson 62
Mobile AL Mobile 25
New_York NY New_York 97
O'Fallon IL St._Clair 1
O'Fallon MO St._Charles 2
Phoenix AZ Maricopa 68
Portland ME Cumberland 9
Portland OR Multnomah 50
Reading PA Berks 15
Richmond CA Contra_Costa 9
Richmond VA Richmond_(city) 55
San_Antonio TX Bexar 75
Springfield IL Sangamon 22
Springfield MA Hampden 16
Springfield MO Greene 17
St._Paul MN Ramsey 40
Toledo OH Lucas 30
Tulsa OK Tulsa 40
Virginia_Beach VA Virginia_Beach_(city) 13
Washington DC District_of_Columbia 280
"""
COUNTIES = "Caddo LA 30;Franklin OH 60;Franklin PA 20;Kern CA 48;Orange CA 100;Ashtabula OH 17"
ZIPS = "01101 Springfield MA Hampden;43215 Columbus OH Franklin;78205 San_Antonio TX Bexar"


def columns(rows: list[list[str]]) -> Columns:
    """Columns of key, name, state, county and weight; every place lies at 40, -80."""
    keys, names, states, counties, weights = zip(*rows, strict=True)
    here = [40.0] * len(rows), [-80.0] * len(rows)
    return Columns(keys, names, states, counties, *here, [int(weight) for weight in weights])


def rows(text: str) -> list[list[str]]:
    return [[part.replace("_", " ") for part in line.split()] for line in text.strip().replace(";", "\n").split("\n")]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    cities = [[fold(n).replace("fort ", "ft "), n, s, c, w] for n, s, c, w in rows(CITIES)]
    counties = [[fold(n), n, s, n, w] for n, s, w in rows(COUNTIES)]
    zips = [[digits, n, s, c, "1"] for digits, n, s, c in rows(ZIPS)]
    cities.sort(key=lambda row: (row[0], -int(row[4])))
    return Gazetteer(columns(zips), columns(cities), columns(sorted(counties)), complete=True)


@pytest.mark.parametrize(
    ("text", "name", "words", "confidence"),
    [
        ("homless shelter columbus oh", "Columbus, OH", "columbus oh", 1),
        ("VA clinic Boise Idaho", "Boise, ID", "boise idaho", 1),
        ("food pantry 43215", "Columbus, OH 43215", "43215", 1),
        ("food pantry Toledo Ohio 43215", "Columbus, OH 43215", "43215", 1),
        ("veterans service office Kern County", "Kern County, CA", "kern county", 1),
        ("Ashtabula county veterans service commission", "Ashtabula County, OH", "ashtabula county", 1),
        ("legal help caddo parish louisiana", "Caddo Parish, LA", "caddo parish louisiana", 1),
        ("rides Franklin County, PA", "Franklin County, PA", "franklin county pa", 1),
        ("rides Franklin County", "Franklin County, OH", "franklin county", 0.8),
        ("homeless veteran housing Phoenix AZ", "Phoenix, AZ", "phoenix az", 1),
        ("veterans court Georgia", "Georgia", "georgia", 1),
        ("Wyoming veterans commission state office", "Wyoming", "wyoming", 0.8),
        ("help from the state of Ohio", "Ohio", "state of ohio", 1),
        ("washington state disability", "Washington", "washington state", 1),
        ("transitional housing for veterans in Kentucky", "Kentucky", "kentucky", 1),
        ("shelter in Springfield", "Springfield, IL", "springfield", 0.8),
        ("shelter near tulsa open now", "Tulsa, OK", "tulsa", 1),
        ("tulsa area rent help", "Tulsa, OK", "tulsa area", 1),
        ("food pantry Bronx NY", "Bronx, NY", "bronx ny", 1),
        ("Fisher House San Antonio", "San Antonio, TX", "san antonio", 0.7),
        ("bedford legion", "", "", 0),
        ("legion post Bedford", "", "", 0),
        ("kansas city stand down", "Kansas City, MO", "kansas city", 0.8 + 0.2),
        ("kansas city kansas stand down", "Kansas City, KS", "kansas city kansas", 1),
        ("virginia beach va clinic", "Virginia Beach, VA", "virginia beach", 1),
        ("fort worth texas", "Fort Worth, TX", "fort worth texas", 1),
        ("Ft. Worth", "Fort Worth, TX", "ft worth", 0.7),
        ("Saint Paul, Minnesota", "St. Paul, MN", "saint paul minnesota", 1),
        ("jobs o\u2019fallon, mo", "O'Fallon, MO", "ofallon mo", 1),
        ("washington d.c. housing", "Washington, DC", "washington d c", 1),
        ("Indiana, PA", "Indiana, PA", "indiana pa", 1),
        ("Dayton VA clinic", "Dayton, OH", "dayton", 0.7),
        ("Richmond, VA", "Richmond, VA", "richmond va", 1),
        ("food Richmond VA", "Richmond, VA", "richmond va", 1),
        ("Dayton, VA", "Dayton, VA", "dayton va", 1),
        ("rent help TX", "Texas", "tx", 1),
        ("rent help tx", "Texas", "tx", 0.8),
        ("jobs in ok", "Oklahoma", "ok", 0.8),
        ("jobs in IN", "Indiana", "in", 1),
        ("portland or", "Portland, OR", "portland or", 1),
        ("portland, or food", "Portland, OR", "portland or", 1),
        ("PORTLAND OR FOOD BANK", "Portland, OR", "portland", 0.7),
        ("Gary IN shelter", "Gary, IN", "gary in", 1),
        ("Bath, ME", "Bath, ME", "bath me", 1),
        ("Hope, Arkansas", "Hope, AR", "hope arkansas", 1),
        ("mobile alabama food", "Mobile, AL", "mobile alabama", 1),
        ("food pantry in Reading", "Reading, PA", "reading", 1),
        ("vet center Mobile", "Mobile, AL", "mobile", 0.7),
        ("Ft Worth claims help", "Fort Worth, TX", "ft worth", 0.7),
        ("shelter nyc", "New York, NY", "nyc", 0.7),
        ("tx hunting license", "Texas", "tx", 0.8),
    ],
)  # fmt: skip
def test_the_place_in_a_text(gazetteer: Gazetteer, text: str, name: str, words: str, confidence: float) -> None:
    reading = gazetteer.recognise(text)
    if not name:
        assert reading is None
        return
    assert reading is not None
    said = fold(text).split()[reading.start : reading.end]
    assert (reading.place.name, " ".join(said), reading.confidence) == (name, words, confidence)


@pytest.mark.parametrize(
    "text",
    ["comida cerca de mi", "CT scan", "mi esposo", "Reading Help", "Mobile Clinic", "READING", "care in VA",
     "food near va",
     "", "va", "VA benefits", "help me", "HELP ME", "in home care", "bath in", "food or rent", "hi", "OK", "veteran ID",
     "get my veteran ID", "reading help", "mobile clinic", "hope", "I need a home", "form 21526", "99999 reasons", "me",
     "MS support group", "my wife has MS", "oh", "%%%", "\u0645\u0631\u062d\u0628\u0627", "12345678 IN12"],
)  # fmt: skip
def test_what_names_no_place(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.recognise(text) is None


def test_the_other_readings_are_offered(gazetteer: Gazetteer) -> None:
    reading = gazetteer.recognise("shelter in columbus")
    assert reading is not None
    assert (reading.place.name, reading.confidence) == ("Columbus, OH", 1)
    assert [place.name for place in reading.others] == ["Columbus, GA", "Columbus, IN"]
    york = gazetteer.recognise("jobs New York")
    assert york is not None
    assert (york.place.kind, [place.name for place in york.others]) == (PlaceKind.STATE, ["New York, NY"])


def test_words_with_another_meaning_name_no_city(gazetteer: Gazetteer) -> None:
    assert gazetteer.recognise("jobs near phoenix", common={"phoenix"}) is None
    with_state = gazetteer.recognise("jobs near phoenix az", common={"phoenix"})
    assert with_state is not None
    assert with_state.place.name == "Phoenix, AZ"


def test_a_place_tells_its_parts(gazetteer: Gazetteer) -> None:
    reading = gazetteer.recognise("43215-1234")
    assert reading is not None
    assert reading.place == Place(
        PlaceKind.ZIP, "Columbus, OH 43215", 40.0, -80.0, "OH", "Columbus", "Franklin", "43215"
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("43215", "Columbus, OH 43215"), ("43215-0001", "Columbus, OH 43215"), ("90210", "90210"),
        ("Columbus, OH", "Columbus, OH"), ("columbus oh", "Columbus, OH"), ("columbus, ohio", "Columbus, OH"),
        ("Columbus", "Columbus, OH"), ("Tulsa", "Tulsa, OK"), ("bath, me", "Bath, ME"), ("Home", "Home, KS"),
        ("kern county", "Kern County, CA"), ("Franklin County, PA", "Franklin County, PA"),
        ("39.96,-83.0", "39.96, -83"), (" -90 , +180 ", "-90, 180"),
    ],
)  # fmt: skip
def test_find_a_place(gazetteer: Gazetteer, text: str, name: str) -> None:
    place = gazetteer.find(text)
    assert place is not None
    assert place.name == name


@pytest.mark.parametrize(
    "text",
    ["", "Springfield", "franklin county", "Ohio", "OH", "columbus wy", "shelter in columbus oh", "00000", "4321",
     "90.1,0", "0,180.5", "nan,0", "inf,inf", "1e3,1", "1,2,3", "\u0663\u0669,1", "1" * 400],
)  # fmt: skip
def test_find_nothing(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.find(text) is None


def test_before_a_file_is_loaded_the_areas_of_three_digits_stand_in() -> None:
    empty = Gazetteer()
    place = empty.find("43215")
    assert place is not None
    assert (place.state, round(place.latitude), round(place.longitude)) == ("OH", 40, -83)
    reading = empty.recognise("food 43215")
    assert reading is not None
    assert reading.place == place
    for code in ("AS", "MP", "OH"):
        state = empty.recognise(f"food in {code}")
        assert state is not None
        assert state.place.state == code


@pytest.mark.parametrize(("text", "names"), [("43215", ["Columbus, OH 43215"]), ("99999", []), ("4321", [])])
def test_a_zip_code_is_complete(gazetteer: Gazetteer, text: str, names: list[str]) -> None:
    assert [place.name for place in gazetteer.complete(text, 5)] == names
