"""The layout tool: whatever process it gets, the picture is complete, square and free of overlaps."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from processes.layout import LayoutError, tidy
from processes.layout.__main__ import main
from tests.library.drawing import BPMN, Drawing

_LIBRARY = Path(__file__).resolve().parents[2] / "bpmn"
_NAMES = ["维修", "通知客户接车", "检验合格?", "Reception desk", "客户要求追加维修项目并重新约定交车时间", "", "三天内"]
_HEAD = f'<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:other="urn:other" targetNamespace="urn:t" id="d">'


def _process(body: str, collaboration: str = "") -> bytes:
    return f'{_HEAD}{collaboration}<bpmn:process id="p">{body}</bpmn:process></bpmn:definitions>'.encode()


def _random_flow(choose: random.Random, prefix: str, depth: int) -> tuple[str, list[str]]:
    """A random, possibly looping, net of elements; returns its XML and the ids of what stands in lanes."""
    count = choose.randint(1, 14)
    ids = [f"{prefix}n{index}" for index in range(count)]
    body = ""
    for node_id in ids:
        kind = choose.choice(["userTask", "userTask", "exclusiveGateway", "endEvent", "intermediateCatchEvent"])
        inside = ""
        if depth > 0 and choose.random() < 0.15:
            kind = "subProcess"
            inside = _random_flow(choose, node_id, depth - 1)[0]
        body += f'<bpmn:{kind} id="{node_id}" name="{choose.choice(_NAMES)}">{inside}</bpmn:{kind}>'
    sources = list(ids)
    for node_id in ids:
        if f'<bpmn:userTask id="{node_id}"' in body or f'<bpmn:subProcess id="{node_id}"' in body:
            for number in range(choose.choice([0, 0, 0, 1, 2, 3])):
                sources.append(f"{node_id}b{number}")
                body += (
                    f'<bpmn:boundaryEvent id="{node_id}b{number}" name="{choose.choice(_NAMES)}" '
                    f'attachedToRef="{node_id}" />'
                )
    for number in range(choose.randint(0, 2 * count)):
        source, target = choose.choice(sources), choose.choice(ids)
        body += (
            f'<bpmn:sequenceFlow id="{prefix}f{number}" name="{choose.choice(_NAMES)}" '
            f'sourceRef="{source}" targetRef="{target}" />'
        )
    return body, ids


def _random_process(seed: int) -> bytes:
    choose = random.Random(seed)
    body, ids = _random_flow(choose, "", 2)
    if choose.random() < 0.3:
        body += f'<bpmn:subProcess id="es" triggeredByEvent="true">{_random_flow(choose, "es", 0)[0]}</bpmn:subProcess>'
        ids.append("es")
    lanes = choose.randint(0, 5)
    if not lanes:
        return _process(body)
    lane_set = ""
    for lane in range(lanes):
        members = [node_id for index, node_id in enumerate(ids) if (index * 7 + seed) % lanes == lane]
        references = "".join(f"<bpmn:flowNodeRef>{node_id}</bpmn:flowNodeRef>" for node_id in members)
        lane_set += f'<bpmn:lane id="l{lane}" name="业务接待员">{references}</bpmn:lane>'
    pool = '<bpmn:collaboration id="c"><bpmn:participant id="pool" name="维修" processRef="p" /></bpmn:collaboration>'
    return _process(f'<bpmn:laneSet id="ls">{lane_set}</bpmn:laneSet>{body}', pool)


def _meaning(xml: bytes) -> bytes:
    """The file without its diagrams, in canonical form."""
    root = etree.fromstring(xml)
    for diagram in root.findall("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNDiagram"):
        root.remove(diagram)
    for element in root.iter():
        element.tail = (element.tail or "").strip() or None
        element.text = (element.text or "").strip() or None
    return etree.tostring(root, method="c14n2")


@given(st.integers(min_value=0, max_value=10**9))
@settings(max_examples=40, deadline=None)
def test_any_process_gets_a_sound_picture(seed: int) -> None:
    source = _random_process(seed)
    drawn = tidy(source)
    assert Drawing(drawn).faults() == []
    assert _meaning(drawn) == _meaning(source)
    assert tidy(drawn) == drawn, "tidying twice must change nothing"


@pytest.mark.parametrize("path", sorted(_LIBRARY.glob("*/*.bpmn")), ids=lambda path: path.stem)
def test_library_files_can_be_tidied_again_and_again(path: Path) -> None:
    drawn = tidy(path.read_bytes())
    assert Drawing(drawn).faults() == []
    assert _meaning(drawn) == _meaning(path.read_bytes())
    assert tidy(drawn) == drawn


def _flows(*pairs: str) -> str:
    """Sequence flows such as "a b": the id is the two ends."""
    ends = [pair.split() for pair in pairs]
    return "".join(f'<bpmn:sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}" />' for a, b in ends)


def test_the_main_line_runs_straight_from_left_to_right() -> None:
    drawing = Drawing(
        tidy(
            _process(
                '<bpmn:startEvent id="s" /><bpmn:userTask id="a" /><bpmn:exclusiveGateway id="g" />'
                '<bpmn:endEvent id="no" /><bpmn:userTask id="b" /><bpmn:endEvent id="e" />'
                + _flows("s a", "a g", "g no", "g b", "b e")
            )
        )
    )
    line = [drawing.shapes[key] for key in ("s", "a", "g", "b", "e")]
    assert len({area.y + area.height / 2 for area in line}) == 1
    assert [area.x for area in line] == sorted(area.x for area in line)
    assert all(len(drawing.edges[key]) == 2 for key in ("s-a", "a-g", "g-b", "b-e"))


def test_a_loop_returns_above_or_below_its_shapes() -> None:
    tasks = '<bpmn:userTask id="a" /><bpmn:userTask id="b" /><bpmn:userTask id="c" />'
    drawing = Drawing(tidy(_process(tasks + _flows("a b", "b c", "c a"))))
    assert drawing.faults() == []
    assert drawing.shapes["a"].x < drawing.shapes["b"].x < drawing.shapes["c"].x


def test_colours_markers_and_foreign_content_survive() -> None:
    source = f"""<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
        xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0"
        xmlns:other="urn:other" targetNamespace="urn:t" id="d">
      <!-- kept -->
      <bpmn:process id="p">
        <bpmn:extensionElements><other:thing a="1"><![CDATA[1 < 2]]></other:thing></bpmn:extensionElements>
        <bpmn:userTask id="a" other:mark="x" /></bpmn:process>
      <bpmndi:BPMNDiagram id="D"><bpmndi:BPMNPlane id="P" bpmnElement="p">
        <bpmndi:BPMNShape id="mine" bpmnElement="a" bioc:fill="#fff"><dc:Bounds x="1" y="2" width="3" height="4" />
        </bpmndi:BPMNShape>
      </bpmndi:BPMNPlane></bpmndi:BPMNDiagram></bpmn:definitions>""".encode()
    drawn = tidy(source)
    assert b'<bpmndi:BPMNShape id="mine" bpmnElement="a" bioc:fill="#fff">' in drawn
    assert b"<![CDATA[1 < 2]]>" in drawn
    assert b"<!-- kept -->" in drawn
    assert b'other:mark="x"' in drawn


def test_exclusive_gateways_show_their_cross() -> None:
    drawn = tidy(_process('<bpmn:exclusiveGateway id="x" /><bpmn:parallelGateway id="p2" />'))
    assert b'bpmnElement="x" isMarkerVisible="true"' in drawn
    assert drawn.count(b"isMarkerVisible") == 1


def test_a_closed_sub_process_keeps_its_own_page() -> None:
    source = _process(
        '<bpmn:subProcess id="s"><bpmn:userTask id="a" /><bpmn:userTask id="b" />'
        '<bpmn:sequenceFlow id="f" sourceRef="a" targetRef="b" /></bpmn:subProcess>'
    )
    closed = tidy(source).replace(b'isExpanded="true"', b'isExpanded="false"')
    drawing = Drawing(tidy(closed))
    assert drawing.plane_of == {"s": "p", "a": "s", "b": "s", "f": "s"}
    assert drawing.shapes["s"].width < 150
    assert drawing.faults() == []


def test_pools_stand_one_below_the_other_and_messages_pass_between_them() -> None:
    source = f"""{_HEAD}<bpmn:collaboration id="c"><bpmn:participant id="customer" name="客户" />
      <bpmn:participant id="shop" name="维修" processRef="p" />
      <bpmn:messageFlow id="m" sourceRef="a" targetRef="customer" /></bpmn:collaboration>
      <bpmn:process id="p"><bpmn:userTask id="a" /></bpmn:process></bpmn:definitions>""".encode()
    drawing = Drawing(tidy(source))
    customer, shop, task = (drawing.shapes[key] for key in ("customer", "shop", "a"))
    assert customer.y + customer.height < shop.y
    assert task.borders_on(*drawing.edges["m"][0])
    assert customer.borders_on(*drawing.edges["m"][-1])


def test_annotations_stand_near_what_they_explain() -> None:
    drawing = Drawing(
        tidy(
            _process(
                '<bpmn:userTask id="a" />'
                '<bpmn:textAnnotation id="t"><bpmn:text>文档 000 第 606 行</bpmn:text></bpmn:textAnnotation>'
                '<bpmn:association id="l" sourceRef="a" targetRef="t" />'
            )
        )
    )
    task, note = drawing.shapes["a"], drawing.shapes["t"]
    assert not task.meets(note)
    assert task.borders_on(*drawing.edges["l"][0])
    assert note.borders_on(*drawing.edges["l"][-1])
    assert abs(task.y - note.y) < 150


@pytest.mark.parametrize("content", [b"", b"<a>", b"<a/>", b'<definitions xmlns="urn:other"/>'])
def test_what_is_not_bpmn_is_refused(content: bytes) -> None:
    with pytest.raises(LayoutError):
        tidy(content)


def test_an_entity_is_never_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    source = (
        f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>{_HEAD}'
        '<bpmn:process id="p"><bpmn:documentation>&x;</bpmn:documentation></bpmn:process></bpmn:definitions>'
    )
    assert b"hidden" not in tidy(source.encode())


def test_the_command_line_tidies_in_place_and_tells_of_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_bytes(_process('<bpmn:userTask id="a" />'))
    bad.write_text("no xml")
    assert main([str(good)]) == 0
    assert Drawing(good.read_bytes()).faults() == []
    assert main([str(good), str(bad)]) == 1
    assert "bad.bpmn: not well-formed XML" in capsys.readouterr().err
