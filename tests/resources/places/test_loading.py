"""Loading places: each kind of file, what is refused with advice, one transaction, and a gazetteer that follows."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import import_file
from vibe4vets.core.database import Session
from vibe4vets.resources.exceptions import PlacesFileRefused
from vibe4vets.resources.service.places import LivePlaces, PlaceKind, learn_places, load_places

CSV = """zip,city,state,county,latitude,longitude,approximate
43215,Columbus,OH,Franklin,39.967,-83.004,0
43085,Columbus,OH,Franklin,40.108,-83.02,0
43004,Columbus,OH,Franklin County,40.0,-82.9,0
31901,Columbus,GA,Muscogee,32.472,-84.979,0
0501,Holtsville,NY,Suffolk,40.8154,-73.0451,0
71101,Shreveport,LA,Caddo Parish,32.5,-93.7,0
24201,Bristol,VA,Bristol (city),36.6,-82.2,0
10001,"New York, Manhattan",NY,New York,40.75,-73.99,0
96960,Majuro,MH,,7.1,171.2,0
1234567,Nowhere,OH,Franklin,40,-83,0
43001,Alexandria,OH,Licking,nan,-82.6,0
43002,Amlin,OH,Franklin,0,0,0
43003,Ashley,OH,Delaware,91,-82.9,0
"""
GEONAMES = "\n".join(
    "\t".join(line.split("|"))
    for line in (
        "US|43215|Columbus|Ohio|OH|Franklin|049|||39.967|-83.004|4",
        'US|99723|Utqiagvik "Barrow"|Alaska|AK|North Slope Borough|185|||71.2906|-156.7887|4',
    )
)
CENSUS_ZIP = (
    "GEOID\tALAND\tAWATER\tALAND_SQMI\tAWATER_SQMI\tINTPTLAT\tINTPTLONG                              \n"
    "43215\t1\t1\t1\t1\t39.967085\t-83.013067\n90210\t1\t1\t1\t1\t34.103131\t-118.416253\n"
)
CENSUS_PLACES = """USPS|GEOID|ANSICODE|NAME|LSAD|FUNCSTAT|ALAND|AWATER|ALAND_SQMI|AWATER_SQMI|INTPTLAT|INTPTLONG
OH|1|1|Columbus city|25|A|1|1|1|1|39.98|-82.98
TN|1|1|Nashville-Davidson metropolitan government (balance)|00|A|1|1|1|1|36.17|-86.78
CA|1|1|Cañon City CDP|57|S|1|1|1|1|38.4|-105.2
"""
CENSUS_COUNTIES = "\n".join([
    "USPS|GEOID|ANSICODE|NAME|ALAND|AWATER|ALAND_SQMI|AWATER_SQMI|INTPTLAT|INTPTLONG".replace("|", "\t"),
    "OH|39049|1|Franklin County|1|1|1|1|39.97|-83.01".replace("|", "\t"),
])  # fmt: skip

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "places.txt"
        path.write_bytes(text.encode(encoding))
        return path

    return _write


async def load(session: Session, path: Path) -> dict[str, int]:
    counts = await load_places(session, path, lambda _lines: None)
    await session.commit()
    return dict(counts)


async def names(sql: asyncpg.Connection, kind: str) -> list[tuple[Any, ...]]:
    rows = await sql.fetch(
        "select key, name, state, county, weight from places where kind = $1 order by key, weight desc", kind
    )
    return [tuple(row) for row in rows]


async def test_a_csv_brings_zip_codes_cities_and_counties(
    session: Session, sql: asyncpg.Connection, write: Write
) -> None:
    assert await load(session, write(CSV, "utf-8-sig")) == {"zip": 8, "city": 6, "county": 6, "skipped": 5}
    assert ("columbus", "Columbus", "OH", "Franklin", 3) in await names(sql, "city")
    assert ("columbus", "Columbus", "GA", "Muscogee", 1) in await names(sql, "city")
    assert ("caddo", "Caddo", "LA", "Caddo", 1) in await names(sql, "county")
    assert ("bristol", "Bristol", "VA", "Bristol", 1) in await names(sql, "county")
    assert (await names(sql, "zip"))[0][0] == "00501"
    middle = await sql.fetchrow("select latitude, longitude from places where kind = 'city' and state = 'OH'")
    assert tuple(middle or ()) == (40.0, -83.004)


async def test_geonames_and_the_census(session: Session, sql: asyncpg.Connection, write: Write) -> None:
    assert await load(session, write(GEONAMES)) == {"zip": 2, "city": 2, "county": 2, "skipped": 0}
    assert ("utqiagvik barrow", 'Utqiagvik "Barrow"', "AK", "North Slope", 1) in await names(sql, "city")
    assert await load(session, write(CENSUS_ZIP)) == {"zip": 2, "skipped": 0}
    assert await names(sql, "zip") == [("43215", "", "OH", None, 1), ("90210", "", "CA", None, 1)]
    assert await load(session, write(CENSUS_PLACES)) == {"city": 3, "skipped": 0}
    assert [row[1] for row in await names(sql, "city")] == ["Ca\u00f1on City", "Columbus", "Nashville-Davidson"]
    assert await load(session, write(CENSUS_COUNTIES)) == {"county": 1, "skipped": 0}
    assert len(await names(sql, "zip")) == 2
    gazetteer = await LivePlaces().current(session)
    for text, name in (
        ("43215", "43215"),
        ("canon city ca", "Ca\u00f1on City, CA"),
        ("franklin county", "Franklin County, OH"),
    ):
        place = gazetteer.find(text)
        assert place is not None
        assert place.name == name


@pytest.mark.parametrize(
    ("text", "encoding", "advice"),
    [
        ("", "utf-8", "no known kind"),
        ("PK\x03\x04 a zip archive", "utf-8", "US.txt out of US.zip"),
        ("zip,city\n43215,Columbus\n", "utf-8", "zip,city,state,county,latitude,longitude"),
        (CSV.replace("Columbus", "Col\u00f3n"), "latin-1", "UTF-8"),
        (CSV.replace(",OH,", ",ON,").replace(",NY,", ",QC,"), "utf-8", "only 3 hold a place"),
        ("zip,city,state,county,latitude,longitude\n", "utf-8", "Of 0 lines"),
        ("CA\tM5V\tToronto\tOntario\tON\t\t\t\t\t43.6\t-79.4\t6\n", "utf-8", "no known kind"),
        (CSV + '1,"' + "x" * 200_000 + "\n", "utf-8", "cannot be read"),
    ],
)
async def test_another_file_is_refused_with_advice_and_changes_nothing(  # noqa: PLR0913, PLR0917
    session: Session, sql: asyncpg.Connection, write: Write, text: str, encoding: str, advice: str
) -> None:
    await load(session, write(GEONAMES))
    with pytest.raises(PlacesFileRefused, match=advice):
        await load_places(session, write(text, encoding), lambda _lines: None)
    await session.rollback()
    assert len(await names(sql, "zip")) == 2
    assert await sql.fetchval("select count(*) from place_loads where origin = 'file'") == 1


async def test_the_directory_s_own_places_fill_the_gaps(
    engine: AsyncEngine, session: Session, sql: asyncpg.Connection, write: Write, tmp_path: Path
) -> None:
    def record(number: int, city: str, county: str, zip_code: str, position: str) -> str:
        return (
            f'{{"source": "s", "source_record_id": "{number}", "organization": "O", "title": "T", "scope": "local", '
            f'"categories": ["food"], "address": {{"city": "{city}", "state": "OH", "zip": "{zip_code}"}}, '
            f'"county": "{county}", {position}}}'
        )

    here = '"latitude": 40.1, "longitude": -82.9'
    path = tmp_path / "records.ndjson"
    path.write_text("\n".join([
        record(1, "Columbus", "Franklin", "43215", here), record(2, "St. Elsewhere", "Nowhere", "43999", here),
        record(3, "Vague", "", "", '"latitude": null, "longitude": null'),
        record(4, "Unmeasured", "", "43900", '"latitude": null, "longitude": null'),
    ]))  # fmt: skip
    await import_file(engine, path, publish=False)
    assert await names(sql, "city") == []
    await import_file(engine, path)
    assert [row[:3] for row in await names(sql, "city")] == [
        ("columbus", "Columbus", "OH"), ("st elsewhere", "St. Elsewhere", "OH"),
        ("unmeasured", "Unmeasured", "OH"),
    ]  # fmt: skip
    version = await sql.fetchval("select max(id) from place_loads")
    await learn_places(session)
    await session.commit()
    assert await sql.fetchval("select max(id) from place_loads") == version, "nothing new, nothing to read again"
    await load(session, write(CSV))
    rows = await sql.fetch("select name, weight, origin from places where kind = 'city' and state = 'OH' order by name")
    assert [tuple(row) for row in rows] == [("Columbus", 3, "file"), ("St. Elsewhere", 1, "directory"),
                                         ("Unmeasured", 1, "directory")]  # fmt: skip


async def test_a_running_service_follows(session: Session, write: Write) -> None:
    quick, patient = LivePlaces(check_every=timedelta(0)), LivePlaces(check_every=timedelta(days=1))
    for places in (quick, patient):
        gazetteer = await places.current(session)
        assert gazetteer.find("Columbus, OH") is None
        assert (await places.current(session)) is gazetteer
    await load(session, write(CSV))
    place = (await quick.current(session)).find("Columbus, OH")
    assert place is not None
    assert (place.kind, place.latitude) == (PlaceKind.CITY, 40.0)
    assert (await patient.current(session)).find("Columbus, OH") is None
