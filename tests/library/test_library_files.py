"""Every file of the library deploys without warnings, reads well, names only what exists, and speaks two languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy.orm import Session

import feel
from processes import service
from processes.translations import form_labels, translate, translate_xml, xml_labels
from tests.library.conftest import LIBRARY, library_resources
from tests.library.drawing import BPMN, Drawing

ZEEBE = "http://camunda.org/schema/zeebe/1.0"
ORGANISATION = json.loads((LIBRARY / "organisation.json").read_text())
CHINESE = re.compile("[\u4e00-\u9fff]")
CITATION = re.compile(r"文档 \d{3} 第 \d+|设定|推定")
DIAGRAMS = sorted(LIBRARY.rglob("*.bpmn"))
TABLES = sorted(LIBRARY.rglob("*.dmn"))
FORMS = sorted(LIBRARY.rglob("*.form"))

each_diagram = pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
each_table = pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
each_form = pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
each_file = pytest.mark.parametrize("path", [*DIAGRAMS, *TABLES, *FORMS], ids=lambda path: path.name)


def _elements(path: Path, namespace: str, *names: str) -> Iterator[etree._Element]:
    return etree.parse(path).getroot().iter(*(f"{{{namespace}}}{name}" for name in names))


def _attributes(path: Path, element: str, attribute: str) -> set[str]:
    """Values of a zeebe attribute; expressions are left out, their values are known only while running."""
    values = {found.get(attribute, "") for found in _elements(path, ZEEBE, element)}
    return {value for value in values if value and not value.startswith("=")}


def _group_ids() -> set[str]:
    return {group["id"] for group in ORGANISATION["groups"]}


def test_the_library_deploys_without_a_warning(session: Session) -> None:
    assert service.check(session, library_resources(), _group_ids()) == []


def test_the_first_families_are_there() -> None:
    families = {path.relative_to(LIBRARY).with_suffix("").as_posix() for path in DIAGRAMS}
    assert families >= {
        "auto-repair/repair-order",
        "auto-repair/additional-repair",
        "auto-repair/follow-up-service",
        "hr/employment",
        "hr/exit-handover",
    }


@each_diagram
def test_the_picture_is_complete_and_nothing_overlaps(path: Path) -> None:
    assert Drawing(path.read_bytes()).faults() == []


@each_diagram
def test_the_picture_is_as_sound_in_english(path: Path) -> None:
    assert Drawing(translate_xml(path.read_bytes(), "en")).faults() == []


@each_diagram
def test_flows_lead_from_left_to_right_unless_they_return(path: Path) -> None:
    drawing = Drawing(path.read_bytes())
    for start in (key for key in drawing.shapes if drawing.kind(key) == "startEvent"):
        siblings = [key for key in drawing.shapes if drawing.elements[key].getparent() is _parent(drawing, start)]
        nodes = [key for key in siblings if drawing.kind(key) not in {"lane", "participant", "textAnnotation"}]
        assert drawing.shapes[start].x <= min(drawing.shapes[key].x for key in nodes) + 60


def _parent(drawing: Drawing, key: str) -> etree._Element | None:
    return drawing.elements[key].getparent()


@each_diagram
def test_every_form_decision_and_called_process_exists(path: Path) -> None:
    forms = {json.loads(form.read_text())["id"] for form in FORMS}
    decisions = {
        element.get("id", "")
        for table in TABLES
        for element in etree.parse(table).getroot().iter()
        if isinstance(element.tag, str) and etree.QName(element).localname == "decision"
    }
    processes = {process.get("id", "") for diagram in DIAGRAMS for process in _elements(diagram, BPMN, "process")}
    assert _attributes(path, "formDefinition", "formId") <= forms
    assert _attributes(path, "calledDecision", "decisionId") <= decisions
    assert _attributes(path, "calledElement", "processId") <= processes


def test_no_form_is_left_over() -> None:
    used = {form for path in DIAGRAMS for form in _attributes(path, "formDefinition", "formId")}
    assert {json.loads(path.read_text())["id"] for path in FORMS} == used


@each_diagram
def test_every_user_task_has_a_form(path: Path) -> None:
    for task in _elements(path, BPMN, "userTask"):
        assert task.find(f".//{{{ZEEBE}}}formDefinition") is not None, task.get("id")


@each_diagram
def test_lanes_and_candidates_are_groups_of_the_organisation(path: Path) -> None:
    lanes = {lane.get("name", "") for lane in _elements(path, BPMN, "lane")}
    assert lanes <= _group_ids()
    candidates = _attributes(path, "assignmentDefinition", "candidateGroups")
    assert {name.strip() for text in candidates for name in text.split(",")} <= _group_ids()


@each_diagram
def test_every_rule_is_cited_or_marked_as_assumed(path: Path) -> None:
    stating = list(_elements(path, BPMN, "process", "userTask", "callActivity", "businessRuleTask"))
    timed = [timer.getparent() for timer in _elements(path, BPMN, "timerEventDefinition")]
    for element in [*stating, *(event for event in timed if event is not None)]:
        cited = CITATION.search(element.findtext(f"{{{BPMN}}}documentation") or "")
        assert cited, f"{element.get('id')} cites neither a line nor an assumption"


@each_table
def test_every_decision_is_cited_or_marked_as_assumed(path: Path) -> None:
    assert CITATION.search(path.read_text())


def _expressions(path: Path) -> Iterator[str]:
    """FEEL expressions of a diagram: attributes and texts that begin with an equals sign."""
    for element in etree.parse(path).getroot().iter():
        for value in [*element.attrib.values(), (element.text or "").strip()]:
            if isinstance(element.tag, str) and str(value).startswith("="):
                yield str(value)[1:]


@each_diagram
def test_every_expression_of_a_diagram_parses(path: Path) -> None:
    found = list(_expressions(path))
    assert found
    for expression in found:
        feel.parse(expression)


@each_table
def test_every_expression_of_a_table_parses(path: Path) -> None:
    for element in etree.parse(path).getroot().iter():
        text = "".join(element.itertext()).strip()
        kind = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if kind in {"inputExpression", "outputEntry"} and text:
            feel.parse(text)
        if kind == "inputEntry" and text:
            feel.parse_unary_tests(text)


def _form_expressions(node: object) -> Iterator[str]:
    if isinstance(node, str):
        if node.startswith("="):
            yield node[1:]
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _form_expressions(child)


@each_form
def test_every_expression_of_a_form_parses(path: Path) -> None:
    for expression in _form_expressions(json.loads(path.read_text())):
        feel.parse(expression)


def _labels(path: Path) -> list[str]:
    return form_labels(json.loads(path.read_text())) if path.suffix == ".form" else xml_labels(path.read_bytes())


@each_file
def test_every_label_has_an_english_translation(path: Path) -> None:
    chinese = [label for label in _labels(path) if CHINESE.search(re.sub(r"{{.*?}}", "", label))]
    assert [label for label in chinese if CHINESE.search(re.sub(r"{{.*?}}", "", translate(label, "en")))] == []


@each_file
def test_translations_show_the_same_variables(path: Path) -> None:
    def variables(text: str) -> set[str]:
        # A text in quotes, such as the separator of a list, is worded anew.
        return set(re.findall(r"{{(.*?)}}", re.sub(r'"[^"]*"', '""', text)))

    for label in _labels(path):
        assert variables(translate(label, "en")) == variables(label), label


def test_every_group_of_the_organisation_has_an_english_name() -> None:
    assert all(group["name_en"] for group in ORGANISATION["groups"])
