"""Squares: they hold every point of a box, and those within hold no other."""

import random

import pytest

from vibe4vets.resources.service.places import areas

CHANCE = random.Random(7)  # noqa: S311  no secret


def some_number(low: float, high: float) -> float:
    """Often on the border of a square, which is where a rounding tells."""
    return CHANCE.choice([round(CHANCE.uniform(low, high), 1), CHANCE.uniform(low, high)])


@pytest.mark.parametrize("wide", [0.3, 3.0, 40.0])
def test_squares_hold_a_box(wide: float) -> None:
    for _ in range(200):
        south, west = some_number(-85, 45), some_number(-175, 135)
        north, east = south + some_number(0, wide), west + some_number(0, wide)
        covering, within = areas.squares(south, north, west, east), areas.squares_within(south, north, west, east)
        assert set(within) <= set(covering)
        for _ in range(20):
            latitude = min(90.0, some_number(south - 0.2, north + 0.2))
            longitude = min(180.0, some_number(west - 0.2, east + 0.2))
            found = set(areas.squares_at(latitude, longitude))
            is_in = south <= latitude <= north and west <= longitude <= east
            assert is_in or found.isdisjoint(within)
            assert not is_in or not found.isdisjoint(covering)


def test_a_large_box_has_squares_within() -> None:
    assert len(areas.squares_within(40.0, 42.0, -75.0, -73.0)) == 400
    assert len(areas.squares_within(40.0, 40.0, -75.0, -75.0)) == 0
