"""Business rule tasks: a decision's result becomes a variable, and which rule decided is kept."""

from __future__ import annotations

from sqlalchemy import select

from engine.models import DecisionEvaluation
from processes.service import Resource
from tests.diagrams import chain, diagram, end, node, start, user
from tests.play import Player

LEAD_TIME = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="lead" name="lead" namespace="tests">
  <decision id="lead-time" name="lead time">
    <decisionTable id="table" hitPolicy="UNIQUE">
      <input id="i"><inputExpression id="e" typeRef="number"><text>days</text></inputExpression></input>
      <output id="o" name="lead" typeRef="string"/>
      <rule id="short"><inputEntry id="a"><text>&lt; 2</text></inputEntry>
        <outputEntry id="b"><text>"PT1H"</text></outputEntry></rule>
      <rule id="long"><inputEntry id="c"><text>&gt;= 2</text></inputEntry>
        <outputEntry id="d"><text>"PT4H"</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"""


def rule_process() -> Resource:
    called = '<zeebe:calledDecision decisionId="lead-time" resultVariable="lead"/>'
    return diagram(
        start(),
        node("businessRuleTask", "rule", extensions=called),
        user("after"),
        end(),
        chain("start", "rule", "after", "end"),
    )


def test_a_decision_sets_its_result_and_keeps_the_rule_that_matched(play: Player) -> None:
    play.deploy(Resource("lead.dmn", LEAD_TIME.encode()), rule_process())
    case = play.start("p", {"days": 3})
    assert case.variables["lead"] == "PT4H"
    with play.sessions() as session:
        (kept,) = session.scalars(select(DecisionEvaluation)).all()
    assert (kept.decision_id, kept.output, kept.element_id) == ("lead-time", "PT4H", "rule")
    assert [rule["ruleId"] for rule in kept.matched] == ["long"]


def test_the_newest_version_of_a_decision_decides(play: Player) -> None:
    play.deploy(Resource("lead.dmn", LEAD_TIME.encode()), rule_process())
    play.deploy(Resource("lead.dmn", LEAD_TIME.replace("PT4H", "PT5H").encode()))
    assert play.start("p", {"days": 3}).variables["lead"] == "PT5H"
