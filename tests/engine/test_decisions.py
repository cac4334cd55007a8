"""Decision models: every hit policy, the requirement graph, and what bad input gets."""

from __future__ import annotations

from typing import Any

import pytest

import feel
from engine import decisions
from engine.decisions import DecisionModel

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def model(body: str, **options: Any) -> DecisionModel:
    """The model with these elements."""
    return decisions.parse(definitions(body).encode(), **options)


def definitions(body: str, namespace: str = "test") -> str:
    return f'<definitions xmlns="{NAMESPACE}" id="m" name="model" namespace="{namespace}">{body}</definitions>'


def literal(text: str) -> str:
    return f"<literalExpression><text><![CDATA[{text}]]></text></literalExpression>"


def decision(name: str, content: str, requires: str = "", type: str = "") -> str:
    kind = f' typeRef="{type}"' if type else ""
    return f'<decision id="{name}" name="{name}"><variable name="{name}"{kind}/>{requires}{content}</decision>'


def needs(*ids: str) -> str:
    return "".join(
        f'<informationRequirement><requiredDecision href="#{each}"/></informationRequirement>' for each in ids
    )


def knows(*ids: str) -> str:
    return "".join(f'<knowledgeRequirement><requiredKnowledge href="#{each}"/></knowledgeRequirement>' for each in ids)


def table(policy: str, *rows: str, inputs: str = "level", outputs: str = "x", extra: str = "", output: str = "") -> str:
    """A table; each row is written `cell; cell | output; output`."""
    columns = "".join(
        f'<input id="in{text}"><inputExpression><text>{text}</text></inputExpression></input>'
        for text in inputs.split()
    )
    results = "".join(f'<output id="out{name}" name="{name}">{output}</output>' for name in outputs.split())
    rules = ""
    for number, row in enumerate(rows, 1):
        cells, _, values = row.partition("|")
        rules += f'<rule id="rule{number}">'
        rules += "".join(
            f"<inputEntry><text><![CDATA[{cell.strip()}]]></text></inputEntry>" for cell in cells.split(";")
        )
        rules += "".join(
            f"<outputEntry><text><![CDATA[{each.strip()}]]></text></outputEntry>" for each in values.split(";")
        )
        rules += "</rule>"
    return f'<decisionTable id="table" hitPolicy="{policy}"{extra}>{columns}{results}{rules}</decisionTable>'


def outcome_of(content: str, **variables: Any) -> decisions.DecisionOutcome:
    return model(decision("d", content)).evaluate("d", feel.from_json(variables))


def value_of(content: str, **variables: Any) -> Any:
    return feel.to_json(outcome_of(content, **variables).value)


def order(*values: str) -> str:
    return f"<outputValues><text>{', '.join(values)}</text></outputValues>"


def test_unique_takes_the_one_rule_and_says_which() -> None:
    content = table("UNIQUE", '"gold"; >= 100 | 10', '"gold"; < 100 | 5', "-; - | 0", inputs="level amount")
    unique = table("UNIQUE", '"gold"; >= 100 | 10', '"gold"; < 100 | 5', 'not("gold"); - | 0', inputs="level amount")
    outcome = outcome_of(unique, level="gold", amount=40)
    assert outcome.value == 5
    assert [(rule.rule_id, rule.number) for rule in outcome.matched] == [("rule2", 2)]
    assert feel.to_json(outcome.matched[0].inputs) == {"level": "gold", "amount": 40}
    assert feel.to_json(outcome.matched[0].outputs) == {"x": 5}
    overlapping = outcome_of(content, level="gold", amount=40)
    assert overlapping.value is None
    assert "rules 2 and 3 match" in overlapping.violations[0].message
    assert outcome.violations == []


def test_first_takes_the_first() -> None:
    assert value_of(table("FIRST", "> 5 | 1", "> 3 | 2", "- | 3", inputs="n"), n=4) == 2


def test_any_needs_equal_outputs() -> None:
    assert value_of(table("ANY", "> 5 | 1", "> 3 | 1", inputs="n"), n=9) == 1
    assert value_of(table("ANY", "> 5 | 1", "> 3 | 2", inputs="n"), n=9) is None


def test_priority_goes_by_the_order_of_the_output_values() -> None:
    content = table("PRIORITY", '- | "low"', '- | "high"', '- | "middle"', output=order('"high"', '"middle"', '"low"'))
    assert value_of(content, level=1) == "high"


def test_output_order_sorts_by_it() -> None:
    content = table("OUTPUT ORDER", '- | "low"', '- | "high"', '- | "low"', output=order('"high"', '"low"'))
    assert value_of(content, level=1) == ["high", "low", "low"]


def test_rule_order_and_collect_give_all() -> None:
    for policy in ("RULE ORDER", "COLLECT"):
        assert value_of(table(policy, "> 1 | 3", "> 2 | 1", "> 9 | 7", inputs="n"), n=5) == [3, 1]
        assert value_of(table(policy, "> 9 | 7", inputs="n"), n=5) == []


@pytest.mark.parametrize(
    ("aggregation", "value", "nothing"), [("SUM", 6, None), ("MIN", 1, None), ("MAX", 3, None), ("COUNT", 3, 0)]
)
def test_collect_aggregates(aggregation: str, value: int, nothing: int | None) -> None:
    extra = f' aggregation="{aggregation}"'
    content = table("COLLECT", "> 1 | 3", "> 2 | 1", "> 3 | 2", inputs="n", extra=extra)
    assert value_of(content, n=5) == value
    assert value_of(content, n=0) == nothing


def test_several_outputs_make_a_context() -> None:
    content = table("UNIQUE", "> 1 | 3; true", inputs="n", outputs="days paid")
    assert value_of(content, n=5) == {"days": 3, "paid": True}


def test_a_default_output_stands_in_when_no_rule_matches() -> None:
    default = "<defaultOutputEntry><text>0</text></defaultOutputEntry>"
    assert value_of(table("UNIQUE", "> 9 | 1", inputs="n", output=default), n=5) == 0
    assert value_of(table("COLLECT", "> 9 | 1", inputs="n", output=default), n=5) == [0]


def test_no_matching_rule_is_null_with_a_warning_that_names_the_table() -> None:
    outcome = outcome_of(table("UNIQUE", "> 9 | 1", inputs="n"), n=5)
    assert outcome.value is None
    warning = outcome.warnings[0]
    assert isinstance(warning, decisions.DecisionWarning)
    assert (warning.message, warning.element_id) == ("no rule matches", "table")


def test_cells_may_ask_about_the_input_by_a_question_mark() -> None:
    content = table("FIRST", 'starts with(?, "A") | 1', "string length(?) > 3 | 2", "- | 3", inputs="name")
    assert [value_of(content, name=name) for name in ("Ab", "Bcde", "B")] == [1, 2, 3]


def test_cells_may_use_other_variables() -> None:
    assert value_of(table("FIRST", "> limit | limit * 2", "- | 0", inputs="n"), n=5, limit=3) == 6


def test_cells_list_values_and_ranges_of_every_kind() -> None:
    content = table(
        "FIRST", "1, 3, [5..7], > 100 | 1", '"a", "b" | 2', "null | 3", 'date("2024-01-01") | 4', "true | 5", "- | 6",
        inputs="v",
    )  # fmt: skip
    found = {str(value): value_of(content, v=value) for value in (1, 6, 200, "b", None, True, False, 8)}
    assert found == {"1": 1, "6": 1, "200": 1, "b": 2, "None": 3, "True": 5, "False": 6, "8": 6}
    day = feel.parse_date("2024-01-01")
    assert model(decision("d", content)).evaluate("d", {"v": day}).value == 4


def test_input_values_that_are_not_allowed_match_nothing_and_say_so() -> None:
    content = (
        '<decisionTable id="table"><input id="i" label="Level"><inputExpression><text>level</text></inputExpression>'
        '<inputValues><text>"gold", "silver"</text></inputValues></input><output id="o" name="x"/>'
        '<rule id="r"><inputEntry><text>-</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>'
        "</decisionTable>"
    )
    assert value_of(content, level="gold") == 1
    outcome = outcome_of(content, level="bronze")
    assert outcome.value is None
    assert 'the input Level is string "bronze"' in outcome.warnings[0].message


def test_required_decisions_are_evaluated_once_and_their_rules_are_told_too() -> None:
    body = (
        decision("base", table("FIRST", "> 3 | 10", "- | 1", inputs="n"))
        + decision("twice", literal("base * 2"), needs("base"))
        + decision("top", literal("base + twice"), needs("base", "twice"))
    )
    outcome = model(body).evaluate("top", feel.from_json({"n": 5}))
    assert outcome.value == 30
    assert [rule.decision_id for rule in outcome.matched] == ["base"]


def test_a_business_knowledge_model_is_a_function() -> None:
    body = (
        '<businessKnowledgeModel id="b" name="gross price"><variable name="gross price"/><encapsulatedLogic>'
        '<formalParameter name="net" typeRef="number"/><formalParameter name="rate" typeRef="number"/>'
        f"{literal('net * (1 + rate)')}</encapsulatedLogic></businessKnowledgeModel>"
        + decision("d", literal("gross price(net: 100, rate: 0.13)"), knows("b"))
        + decision("wrong", literal('gross price("100", 0.13)'), knows("b"))
        + decision("invoked", f"<invocation>{literal('gross price')}"
                   f'<binding><parameter name="net"/>{literal("50")}</binding>'
                   f'<binding><parameter name="rate"/>{literal("0.5")}</binding></invocation>', knows("b"))
    )  # fmt: skip
    read = model(body)
    assert read.evaluate("d", {}).value == 113
    assert read.evaluate("invoked", {}).value == 75
    wrong = read.evaluate("wrong", {})
    assert wrong.value is None
    assert "argument `net` is not a number" in wrong.warnings[0].message


def test_a_business_knowledge_model_may_call_itself() -> None:
    body = (
        '<businessKnowledgeModel id="f" name="factorial"><variable name="factorial"/><encapsulatedLogic>'
        f'<formalParameter name="n"/>{literal("if n < 2 then 1 else n * factorial(n - 1)")}</encapsulatedLogic>'
        f"{knows('f')}</businessKnowledgeModel>" + decision("d", literal("factorial(10)"), knows("f"))
    )
    assert model(body).evaluate("d", {}).value == 3628800


def test_boxed_expressions() -> None:
    context = (
        f'<context><contextEntry><variable name="a"/>{literal("2")}</contextEntry>'
        f'<contextEntry><variable name="b"/>{literal("a * 2")}</contextEntry></context>'
    )
    assert value_of(context) == {"a": 2, "b": 4}
    with_result = context.replace("</context>", f"<contextEntry>{literal('a + b')}</contextEntry></context>")
    assert value_of(with_result) == 6
    assert value_of(f"<list>{literal('1')}{literal('n')}</list>", n=2) == [1, 2]
    relation = f'<relation><column name="a"/><column name="b"/><row>{literal("1")}{literal("2")}</row></relation>'
    assert value_of(relation) == [{"a": 1, "b": 2}]
    conditional = (
        f"<conditional><if>{literal('n > 1')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>"
    )
    assert value_of(conditional, n=2) == 1
    filtered = f"<filter><in>{literal('ns')}</in><match>{literal('item > 1')}</match></filter>"
    assert value_of(filtered, ns=[1, 2, 3]) == [2, 3]
    loop = f'<for iteratorVariable="n"><in>{literal("ns")}</in><return>{literal("n * 2")}</return></for>'
    assert value_of(loop, ns=[1, 2]) == [2, 4]
    some = f'<some iteratorVariable="n"><in>{literal("ns")}</in><satisfies>{literal("n > 1")}</satisfies></some>'
    assert value_of(some, ns=[1, 2]) is True
    assert value_of(some.replace("some", "every"), ns=[1, 2]) is False


def test_a_decision_service_is_a_function_and_can_be_evaluated_itself() -> None:
    body = (
        '<inputData id="i" name="n"><variable name="n" typeRef="number"/></inputData>'
        + decision("base", literal("1"))
        + decision("sum", literal("base + n"),
                   needs("base") + '<informationRequirement><requiredInput href="#i"/></informationRequirement>')
        + '<decisionService id="s" name="service"><variable name="service"/><outputDecision href="#sum"/>'
        '<encapsulatedDecision href="#base"/><inputData href="#i"/></decisionService>'
        + decision("caller", literal("service(41)"), knows("s"))
    )  # fmt: skip
    read = model(body)
    assert read.evaluate("caller", {}).value == 42
    assert read.evaluate("s", feel.from_json({"n": 2})).value == 3
    assert read.services == {"s": "service"}


def test_types_are_checked() -> None:
    types = (
        '<itemDefinition name="tLevel"><typeRef>string</typeRef>'
        '<allowedValues><text>"gold", "silver"</text></allowedValues></itemDefinition>'
        '<itemDefinition name="tCar"><itemComponent name="plate"><typeRef>string</typeRef></itemComponent>'
        '<itemComponent name="level"><typeRef>tLevel</typeRef></itemComponent></itemDefinition>'
        '<itemDefinition name="tCars" isCollection="true"><typeRef>tCar</typeRef></itemDefinition>'
    )
    read = model(types + decision("d", literal("cars"), type="tCars"))
    gold, lead = {"plate": "A", "level": "gold"}, {"plate": "A", "level": "lead"}
    assert read.evaluate("d", {"cars": [gold]}).value == [gold]
    assert read.evaluate("d", {"cars": gold}).value == [gold]
    refused = read.evaluate("d", {"cars": [lead]})
    assert refused.value is None
    assert "not of its type" in refused.warnings[0].message


def test_models_import_one_another() -> None:
    plate = '<itemComponent name="plate"><typeRef>string</typeRef></itemComponent>'
    greeting = literal('car.plate + "!"')
    greet = (
        f'<itemDefinition name="tCar">{plate}</itemDefinition>'
        '<businessKnowledgeModel id="b" name="greet"><variable name="greet"/><encapsulatedLogic>'
        f'<formalParameter name="car" typeRef="tCar"/>{greeting}</encapsulatedLogic></businessKnowledgeModel>'
    )
    library = decisions.parse(definitions(greet, "library").encode())
    body = (
        f'<import namespace="library" name="lib" importType="{NAMESPACE}"/>'
        '<inputData id="i" name="car"><variable name="car" typeRef="lib.tCar"/></inputData>'
        + decision("d", literal("lib.greet(car)"),
                   '<knowledgeRequirement><requiredKnowledge href="library#b"/></knowledgeRequirement>'
                   '<informationRequirement><requiredInput href="#i"/></informationRequirement>')
    )  # fmt: skip
    read = model(body, imports={library.namespace: library})
    assert read.evaluate("d", feel.from_json({"car": {"plate": "京A"}})).value == "京A!"
    with pytest.raises(decisions.DecisionModelError, match="the imported model library is not there"):
        model(body)


def test_probable_mistakes_are_told_without_evaluating() -> None:
    read = model(decision("d", table("FIRST", "[9..1] | 1", "- | substr(level, 2)")))
    assert [(warning.element_id, warning.severity) for warning in read.warnings] == [
        ("rule1", "warning"),
        ("rule2", "warning"),
    ]
    assert "nothing lies between number 9 and number 1" in read.warnings[0].message
    assert "there is no function `substr`; did you mean `substring`?" in read.warnings[1].message


def test_an_output_of_the_wrong_type_is_null_and_foretold() -> None:
    content = table("FIRST", "> 3 | 1", '- | "two"', inputs="n").replace('name="x">', 'name="x" typeRef="string">')
    read = model(decision("d", content))
    assert [(warning.element_id, warning.message) for warning in read.warnings] == [
        ("rule1", "the entry is a number, but `x` is a string: it will be null")
    ]
    assert read.evaluate("d", feel.from_json({"n": 1})).value == "two"
    assert read.evaluate("d", feel.from_json({"n": 5})).value is None


def test_a_required_decision_without_a_variable_is_read_by_name_or_id() -> None:
    base = f'<decision id="base_price" name="Base price">{literal("20")}</decision>'
    read = model(base + decision("d", literal("Base price + base_price"), needs("base_price")))
    assert read.evaluate("d", {}).value == 40


def test_an_unknown_decision_is_an_error() -> None:
    with pytest.raises(decisions.UnknownDecisionError, match="nothing"):
        model(decision("d", literal("1"))).evaluate("nothing", {})


def test_an_evaluation_that_takes_too_much_is_stopped() -> None:
    endless = model(decision("d", literal("count(for a in 1..100000, b in 1..100000 return 1)")))
    with pytest.raises(feel.FeelLimitExceeded):
        endless.evaluate("d", {}, feel.Environment(limits=feel.Limits(steps=10_000)))


@pytest.mark.parametrize(
    ("body", "element", "message"),
    [
        (decision("d", literal("1 +")), "d", "expected an expression"),
        (decision("d", table("UNIQUE", "> | 1")), "rule1", "expected an expression"),
        (decision("d", table("SOMETIMES", "- | 1")), "table", "hit policy SOMETIMES"),
        (decision("d", table("UNIQUE", "-; - | 1")), "rule1", "not one entry for each column"),
        (decision("d", literal("1"), needs("ghost")), "d", "there is no element #ghost"),
        (decision("d", literal("1"), type="tGhost"), "d", "there is no type `tGhost`"),
        (decision("a", literal("b"), needs("b")) + decision("b", literal("a"), needs("a")), "m", "requires itself"),
        (decision("d", literal("1")) + decision("d", literal("2")), "d", "used twice"),
        ('<itemDefinition name="a"><typeRef>b</typeRef></itemDefinition>'
         '<itemDefinition name="b"><typeRef>a</typeRef></itemDefinition>', "m", "defined by itself"),
        (decision("d", "<invocation/>"), "d", "does not say what is invoked"),
        (decision("d", '<literalExpression expressionLanguage="urn:javascript"><text>1</text></literalExpression>'),
         "d", "is not FEEL"),
    ],
)  # fmt: skip
def test_wrong_models_are_refused_with_the_element_and_line(body: str, element: str, message: str) -> None:
    with pytest.raises(decisions.DecisionModelError) as refused:
        model(body)
    problem = refused.value.problems[0]
    assert message in problem.message
    assert problem.element_id == element
    assert problem.line == 1
    lenient = model(body, strict=False)
    assert lenient.problems


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("not xml", "not well-formed XML"),
        ("<definitions/>", "not a DMN"),
        (f'<!DOCTYPE d [<!ENTITY a "b">]>{definitions("")}', "document type"),
        (f'<!DOCTYPE d SYSTEM "file:///etc/passwd">{definitions("")}', "document type"),
        ("<!DOCTYPE d [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x"}">' for n in range(10)) + "]>"
         + definitions("<description>&e9;</description>"), "document type|entity amplification"),
        (" " * 10_000_001, "at most"),
    ],
)  # fmt: skip
def test_unsafe_files_are_refused(xml: str, message: str) -> None:
    with pytest.raises(decisions.DecisionModelError, match=message):
        decisions.parse(xml.encode())
