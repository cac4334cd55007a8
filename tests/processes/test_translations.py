"""Translations: what is a label is translated, what is an address or a value stays."""

from __future__ import annotations

from lxml import etree

from processes.translations import form_labels, translate, translate_form, translate_xml, xml_labels
from tests.library.drawing import BPMN

DIAGRAM = f"""<bpmn:definitions xmlns:bpmn="{BPMN}" targetNamespace="urn:t" id="d">
  <bpmn:message id="m" name="办理移交" />
  <bpmn:process id="p" name="离职移交"><bpmn:userTask id="a" name="准予离职" />
    <bpmn:textAnnotation id="t"><bpmn:text>员工离职</bpmn:text></bpmn:textAnnotation></bpmn:process>
</bpmn:definitions>"""

FORM = {
    "type": "default",
    "components": [
        {"type": "text", "text": "准予离职"},
        {
            "type": "group",
            "label": "应聘人员",
            "components": [
                {
                    "type": "radio",
                    "key": "residence",
                    "label": "户籍",
                    "values": [{"label": "本地", "value": "local"}, {"label": "外地", "value": "外地"}],
                    "validate": {"required": True, "patternErrorMessage": "请填写电话号码"},
                },
                {"type": "datetime", "key": "经理", "dateLabel": "签订日期", "timeLabel": "时间"},
            ],
        },
    ],
}


def test_a_label_is_found_for_every_spelling_of_the_language() -> None:
    assert translate("经理", "en") == "Manager"
    assert translate("经理", "en_GB") == "Manager"
    assert translate("经理", "en-US") == "Manager"
    assert translate(" 经理 ", "en") == "Manager"


def test_a_label_without_translation_stays() -> None:
    assert translate("没有这个标签", "en") == "没有这个标签"
    assert translate("经理", "zh") == "经理"


def test_a_form_keeps_its_keys_and_values() -> None:
    translated = translate_form(FORM, "en")
    group = translated["components"][1]
    radio, date = group["components"]
    assert translated["components"][0]["text"] == "Release"
    assert group["label"] == "Applicant"
    assert radio["label"] == "Registered residence"
    assert radio["values"] == [{"label": "Local", "value": "local"}, {"label": "Elsewhere", "value": "外地"}]
    assert radio["validate"] == {"required": True, "patternErrorMessage": "Enter a telephone number"}
    assert (date["key"], date["dateLabel"], date["timeLabel"]) == ("经理", "Signed on", "Time")
    assert FORM["components"][0] == {"type": "text", "text": "准予离职"}, "the form itself stays as it is"


def test_the_labels_of_a_form_are_listed_in_its_order() -> None:
    assert form_labels(FORM) == [
        "准予离职",
        "应聘人员",
        "户籍",
        "请填写电话号码",
        "本地",
        "外地",
        "签订日期",
        "时间",
    ]


def test_a_diagram_keeps_the_names_that_messages_are_sent_to() -> None:
    root = etree.fromstring(translate_xml(DIAGRAM, "en").encode())
    names = {element.get("id"): element.get("name") for element in root.iter() if element.get("name")}
    assert names == {"m": "办理移交", "p": "Exit hand-over", "a": "Release"}
    assert root.findtext(f".//{{{BPMN}}}text") == "Employee leaves"
    assert xml_labels(DIAGRAM) == ["离职移交", "准予离职", "员工离职"]


def test_bytes_come_back_as_bytes_with_a_declaration() -> None:
    translated = translate_xml(DIAGRAM.encode(), "en")
    assert translated.startswith(b"<?xml")
    assert b'name="Release"' in translated
