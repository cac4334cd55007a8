"""The repair order, from the customer's arrival to the exit: every branch, deadline and failure path of the diagram."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.conftest import MakeUser
from tests.library.repair_shop import RepairShop, staff


@pytest.fixture
def shop(sessions: sessionmaker[Session], make_user: MakeUser) -> RepairShop:
    return RepairShop(sessions, staff(make_user))


def to_workshop(shop: RepairShop, hours: float = 10, **estimate: object) -> None:
    """From arrival to the workshop's receipt, with the car promised for so many hours from now."""
    shop.start()
    shop.do("estimate", **estimate)
    shop.do("negotiate", promisedTime=shop.later(hours=hours))
    shop.do("receive-car")
    shop.do("receive-articles")
    shop.do("open-file")
    shop.do("enter-team")
    shop.do("wash")
    shop.do("sign-receipt")


def test_a_car_goes_from_arrival_to_pick_up(shop):
    to_workshop(shop)
    assert shop.open() == ["repair"]
