"""What the engine says is read in the reader's language, names and values filled in."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from cockpit.said import PARTS, REASONS, SENTENCES, said

ROOT = Path(__file__).parents[2]


def spoken() -> set[str]:
    """Return every text of the engine's source, with `{}` where something is filled in."""
    found: set[str] = set()
    for source in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("feel/**/*.py")):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.add("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_known_sentence_is_one_that_the_engine_says() -> None:
    texts = spoken()
    unknown = [
        template for template in (*SENTENCES, *PARTS, *REASONS) if re.sub(r"\{\w+\}", "{}", template) not in texts
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            "No condition of the exclusive gateway is true and it has no default flow.",
            "排他网关的条件均不成立，也没有默认流向。",
        ),
        (
            "The condition of the flow “通过” is null, not true or false. (variable `amount` is not set; known: plate)",
            "流向“通过”的条件应为是或否，实际为空。（变量 `amount` 未设置；已有：plate）",
        ),
        ("“wash” is active and has no mapping.", "“wash”正在进行，但没有对应的步骤。"),
        ("The form “a {strange} form” is not deployed.", "表单“a {strange} form”尚未部署。"),
        (
            "The timer “remind” cannot be fired: The form “x” is not deployed.",
            "期限“remind”无法执行：表单“x”尚未部署。",
        ),
        (
            "待命: A timer date must be a date and time such as 2026-03-01T09:00:00+08:00.",
            "待命：计时日期须为日期时间，例如 2026-03-01T09:00:00+08:00。",
        ),
        ("The process instance 7 is suspended. Resume it first.", "事项 7 已暂停，请先恢复。"),
        ("待命: the printer is on fire.", "待命: the printer is on fire."),
        ("The printer is on fire.", "The printer is on fire."),
    ],
)
def test_a_sentence_of_the_engine_is_read_in_chinese(app: Flask, text: str, chinese: str) -> None:
    with app.test_request_context(), force_locale("zh"):
        assert said(text) == chinese
    with app.test_request_context(), force_locale("en"):
        assert said("“wash” is active and has no mapping.") == "“wash” is active and has no mapping."
