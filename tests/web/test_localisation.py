"""Language, time zone, and how instants are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup

from tests.conftest import MONDAY
from web import localisation


@pytest.fixture(params=["zh", "en"])
def language(app: Flask, request: pytest.FixtureRequest) -> Iterator[str]:
    """A request in Chinese, and one in English; it is Monday, 09:00 in Shanghai."""
    with app.test_request_context(headers={"Accept-Language": request.param}):
        yield str(request.param)


def text(element: Markup) -> str:
    """Return the text without its element."""
    return re.sub(r"<[^>]*>", "", element)


def test_an_instant_is_written_shortly_in_the_companys_zone(language: str) -> None:
    this_year, earlier = MONDAY + timedelta(hours=8), datetime.fromisoformat("2024-12-31T16:30:00+00:00")

    assert text(localisation.instant(this_year)) == {"zh": "3月3日 17:00", "en": "3 Mar, 17:00"}[language]
    assert text(localisation.instant(earlier)) == {"zh": "1月1日 00:30", "en": "1 Jan, 00:30"}[language]
    assert (
        text(localisation.instant(earlier - timedelta(hours=1)))
        == {"zh": "2024年12月31日 23:30", "en": "31 Dec 2024, 23:30"}[language]
    )


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), {"zh": "刚刚", "en": "just now"}),
        (timedelta(minutes=1), {"zh": "1 分钟前", "en": "1 minute ago"}),
        (timedelta(minutes=59), {"zh": "59 分钟前", "en": "59 minutes ago"}),
        (timedelta(hours=3), {"zh": "3 小时前", "en": "3 hours ago"}),
        (timedelta(days=40), {"zh": "40 天前", "en": "40 days ago"}),
    ],
)
def test_the_past_is_written_relative_to_now(language: str, passed: timedelta, words: dict[str, str]) -> None:
    assert text(localisation.ago(MONDAY - passed)) == words[language]


@pytest.mark.parametrize(
    ("left", "words", "mark"),
    [
        (timedelta(days=3, minutes=1), {"zh": "3 天后", "en": "in 3 days"}, "b-due"),
        (timedelta(hours=2, minutes=30), {"zh": "2 小时后", "en": "in 2 hours"}, "b-due b-due--soon"),
        (timedelta(seconds=10), {"zh": "1 分钟后", "en": "in 1 minute"}, "b-due b-due--soon"),
        (timedelta(hours=-2), {"zh": "逾期 2 小时", "en": "2 hours overdue"}, "b-due b-due--late"),
        (timedelta(days=-5), {"zh": "逾期 5 天", "en": "5 days overdue"}, "b-due b-due--late"),
    ],
)
def test_a_deadline_is_written_relative_to_now_and_marked(
    language: str, left: timedelta, words: dict[str, str], mark: str
) -> None:
    element = localisation.due(MONDAY + left)

    assert text(element) == words[language]
    assert f'class="{mark}"' in element


def test_no_instant_is_no_text(language: str) -> None:
    assert localisation.instant(None) == localisation.ago(None) == localisation.due(None) == ""


@pytest.mark.parametrize(
    ("asked", "spoken"), [("en-GB,en;q=0.9", "en"), ("zh-CN,zh;q=0.9", "zh"), ("fr", "zh"), ("fr,en;q=0.5", "en")]
)
def test_the_browser_is_asked_before_sign_in_and_chinese_is_the_default(
    client: FlaskClient, asked: str, spoken: str
) -> None:
    page = client.get("/sign-in", headers={"Accept-Language": asked}).text

    assert f'<html lang="{spoken}">' in page
    assert {"en": "Password", "zh": "密码"}[spoken] in page
