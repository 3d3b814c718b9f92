"""A floor under relevance: judged queries over the starter directory. `bench/relevance.py` measures it in full."""

from statistics import mean
from typing import Any

import httpx

BEST = 5
FLOOR = 0.9
# the query, the tags of which a good hit has one, and where it is or whom it serves when a place is asked for
JUDGED: list[tuple[str, set[str], set[str]]] = [
    ("SSVF", {"ssvf"}, set()),
    ("VAMC", {"va-medical-center"}, set()),
    ("DIC", {"survivor-benefits"}, set()),
    ("PTSD counseling", {"ptsd"}, set()),
    ("cant pay my rent", {"rent-assistance", "emergency-financial-assistance"}, set()),
    ("need a ride to my VA appointment", {"transportation"}, set()),
    ("get my discharge changed", {"discharge-upgrade"}, set()),
    ("start a small business", {"entrepreneurship"}, set()),
    ("my claim was denied", {"appeals", "claims-assistance"}, set()),
    ("help with the electric bill", {"utility-assistance"}, set()),
    ("who can help me find a job?", {"job-placement", "job-training"}, set()),
    ("homless shelter", {"emergency-shelter", "homeless-services", "transitional-housing"}, set()),
    ("veterens benifits office", {"va-benefits-office", "state-veterans-office", "claims-assistance"}, set()),
    ("suicde hotline", {"crisis-support"}, set()),
    ("dentel care", {"dental"}, set()),
    ("abogado gratis", {"legal-aid"}, set()),
    ("despensa de comida", {"food-pantry", "food-bank", "food-assistance"}, set()),
    ("ayuda con la renta", {"rent-assistance"}, set()),
    ("legal aid in Ohio", {"legal-aid"}, {"OH"}),
    ("Vet Center Texas", {"vet-center"}, {"TX"}),
    ("food bank in California", {"food-bank"}, {"CA"}),
    ("VA hospital near Houston, TX", {"va-medical-center", "va-clinic"}, {"TX"}),
    ("rent help Columbus OH", {"rent-assistance"}, {"OH"}),
    ("lawyer and ptsd counseling", {"legal-aid", "ptsd"}, set()),
]


def is_good(resource: dict[str, Any], tags: set[str], states: set[str]) -> bool:
    places = {*resource["states"], *(place["state"] for place in resource["locations"])}
    return bool(tags & set(resource["tags"])) and (not states or bool(states & places))


async def test_the_first_hits_are_about_what_was_asked(reader: httpx.AsyncClient) -> None:
    shares = {}
    for q, tags, states in JUDGED:
        hits = (await reader.get("/api/v1/search", params={"q": q, "limit": BEST})).json()["items"]
        shares[q] = mean(is_good(hit["resource"], tags, states) for hit in hits) if hits else 0.0
    assert mean(shares.values()) >= FLOOR, shares
    assert min(shares.values()) > 0, shares
