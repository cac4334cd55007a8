"""Claim, return, hand on, complete, start: who may, who was faster, and what a refusal leaves unchanged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from database import dumps, transaction
from engine.errors import AlreadyAssigned, NotActive, NotFound
from engine.instances import SetVariables
from engine.models import Audit, InstanceState, UserTask, Variable
from people.errors import Forbidden, UserNotFound
from people.models import User
from tasks import service, starting
from tasks.detail import TaskDetail, detail
from tasks.errors import InvalidForm, NotStartable
from tasks.variables import visible
from tests.conftest import MONDAY, MakeUser
from tests.diagrams import diagram, end, flow, node, start, user
from tests.play import Case, Player
from tests.tasks.conftest import form
from tests.tasks.form_makers import field, schema

ESTIMATED = {"price": Decimal("1280.50"), "note": ""}


@pytest.fixture
def case(shop: Player) -> Case:
    """One car at reception."""
    return shop.start("car-repair", {"plate": "沪A 12345", "customer": "张先生", "kind": "big"}, by="wang.fang")


@pytest.fixture
def do(session: Session) -> Callable[..., Any]:
    """Call a use case in a transaction of its own."""

    def call(use_case: Callable[..., Any], *arguments: Any) -> Any:
        with transaction(session):
            return use_case(session, *arguments)

    return call


def snapshot(session: Session, case: Case) -> str:
    """Everything that a refused command must leave as it was."""
    session.rollback()
    task = select(UserTask.key, UserTask.state, UserTask.assignee).where(UserTask.instance_key == case.key)
    values = select(Variable.name, Variable.value).where(Variable.instance_key == case.key)
    revision = select(InstanceState.revision).where(InstanceState.instance_key == case.key)
    audit = select(Audit.key).where(Audit.instance_key == case.key)
    return dumps([sorted(map(str, session.execute(query))) for query in (task, values, revision, audit)])


def test_a_claimed_task_is_the_persons_own(case: Case, wang: User, do: Callable[..., Any]) -> None:
    do(service.claim, wang, case.task("estimate").key)

    assert case.task("estimate").assignee == "wang.fang"


def test_who_is_in_no_candidate_group_can_neither_see_nor_do_anything(
    case: Case, zhang: User, boss: User, session: Session, do: Callable[..., Any]
) -> None:
    key, before = case.task("estimate").key, snapshot(session, case)

    for use_case, arguments in (
        (service.claim, ()),
        (service.return_task, ()),
        (service.complete, (ESTIMATED,)),
        (service.assign, ("zhang.gang",)),
    ):
        with pytest.raises(Forbidden):
            do(use_case, zhang, key, *arguments)
    with pytest.raises(Forbidden):
        detail(session, zhang, key)
    # A manager sees it and gives it away, but the work is the group's.
    for use_case, arguments in ((service.claim, ()), (service.complete, (ESTIMATED,))):
        with pytest.raises(Forbidden):
            do(use_case, boss, key, *arguments)
    assert snapshot(session, case) == before


def test_a_task_that_somebody_has_cannot_be_claimed_or_completed_by_another(
    case: Case, wang: User, li: User, session: Session, do: Callable[..., Any]
) -> None:
    key = case.task("estimate").key
    do(service.claim, wang, key)
    before = snapshot(session, case)

    with pytest.raises(AlreadyAssigned):
        do(service.claim, li, key)
    with pytest.raises(AlreadyAssigned):
        do(service.complete, li, key, ESTIMATED)
    with pytest.raises(AlreadyAssigned):
        do(service.assign, li, key, "li.na")
    assert snapshot(session, case) == before


def test_only_the_holder_or_a_manager_puts_a_task_back(
    case: Case, wang: User, li: User, boss: User, do: Callable[..., Any]
) -> None:
    key = case.task("estimate").key
    do(service.claim, wang, key)

    with pytest.raises(Forbidden):
        do(service.return_task, li, key)
    do(service.return_task, wang, key)
    assert case.task("estimate").assignee is None

    do(service.claim, li, key)
    do(service.return_task, boss, key)
    assert case.task("estimate").assignee is None
    do(service.return_task, li, key)
    assert case.task("estimate").assignee is None


def test_a_person_hands_on_to_a_colleague_who_may_do_the_task(
    case: Case, wang: User, li: User, zhang: User, do: Callable[..., Any]
) -> None:
    key = case.task("estimate").key

    do(service.assign, wang, key, "li.na")
    assert case.task("estimate").assignee == "li.na"
    with pytest.raises(Forbidden):
        do(service.assign, li, key, "zhang.gang")
    with pytest.raises(UserNotFound):
        do(service.assign, li, key, "nobody")
    assert case.task("estimate").assignee == "li.na"


def test_a_manager_gives_a_task_to_anybody_who_can_sign_in(
    case: Case, wang: User, zhang: User, boss: User, session: Session, do: Callable[..., Any]
) -> None:
    key = case.task("estimate").key
    do(service.claim, wang, key)

    do(service.assign, boss, key, "zhang.gang")
    assert case.task("estimate").assignee == "zhang.gang"
    with transaction(session):
        session.get_one(User, "wang.fang").active = False
    with pytest.raises(Forbidden):
        do(service.assign, boss, key, "wang.fang")


def test_completing_a_task_that_nobody_has_claims_it(
    case: Case, wang: User, session: Session, do: Callable[..., Any]
) -> None:
    do(service.complete, wang, case.task("estimate").key, ESTIMATED)

    assert case.todo == ["repair"]
    assert case.variables["price"] == Decimal("1280.50")
    done = session.scalars(select(UserTask).where(UserTask.element_id == "estimate")).one()
    assert (done.assignee, done.completed_by) == ("wang.fang", "wang.fang")


def test_a_form_with_a_wrong_value_is_refused_and_the_case_unchanged(
    case: Case, wang: User, session: Session, do: Callable[..., Any]
) -> None:
    key, before = case.task("estimate").key, snapshot(session, case)

    for entered in ({}, {"price": "a lot"}, {"price": -1}, {"price": Decimal("1.234")}, {"price": None}):
        with pytest.raises(InvalidForm) as refusal:
            do(service.complete, wang, key, entered)
        assert refusal.value.validation.errors.keys() == {"price"}
        assert refusal.value.entered == entered
    assert snapshot(session, case) == before


def test_variables_outside_of_the_form_cannot_be_set_through_it(case: Case, wang: User, do: Callable[..., Any]) -> None:
    do(service.complete, wang, case.task("estimate").key, {**ESTIMATED, "plate": "forged", "discount": 99})

    assert case.variables["plate"] == "沪A 12345"
    assert "discount" not in case.variables


def test_a_form_with_endless_expressions_is_answered_all_the_same(
    shop: Player, wang: User, do: Callable[..., Any]
) -> None:
    endless = "=sum(for a in 1..1000, b in 1..1000, c in 1..1000 return 1) > 0"
    fields = [field("textfield", f"f{number}", conditional={"hide": endless}) for number in range(10)]
    shop.deploy(form("estimate-form", schema(*fields)))
    case = shop.start("car-repair", {"plate": "A1"})
    do(service.complete, wang, case.task("estimate").key, {"f1": "x"})

    assert case.variables["f1"] == "x", "what cannot be decided hides nothing"


def test_a_task_without_a_form_takes_no_variables(case: Case, wang: User, zhang: User, do: Callable[..., Any]) -> None:
    do(service.complete, wang, case.task("estimate").key, ESTIMATED)

    do(service.complete, zhang, case.task("repair").key, {"price": 0})

    assert case.todo == ["settle"]
    assert case.variables["price"] == Decimal("1280.50")


def test_a_task_is_completed_once(case: Case, wang: User, li: User, session: Session, do: Callable[..., Any]) -> None:
    key = case.task("estimate").key
    do(service.complete, wang, key, ESTIMATED)
    before = snapshot(session, case)

    for person in (wang, li):
        with pytest.raises(NotActive):
            do(service.complete, person, key, ESTIMATED)
        with pytest.raises(NotActive):
            do(service.claim, person, key)
    assert snapshot(session, case) == before


def test_a_task_that_does_not_exist_is_not_found(wang: User, session: Session, do: Callable[..., Any]) -> None:
    for use_case in (service.claim, service.return_task):
        with pytest.raises(NotFound):
            do(use_case, wang, 1)
    with pytest.raises(NotFound):
        detail(session, wang, 1)


def test_of_two_people_at_the_same_moment_one_completes_the_task(
    case: Case, wang: User, li: User, sessions: sessionmaker[Session]
) -> None:
    key, gate = case.task("estimate").key, Barrier(2)
    outcomes: dict[str, str] = {}

    def complete_as(person: User, price: int) -> None:
        with sessions() as session:
            gate.wait()
            try:
                with transaction(session):
                    service.complete(session, session.get_one(User, person.username), key, {"price": price})
            except (NotActive, AlreadyAssigned) as refusal:
                outcomes[person.username] = type(refusal).__name__
            else:
                outcomes[person.username] = f"done for {price}"

    threads = [Thread(target=complete_as, args=given) for given in ((wang, 100), (li, 200))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes.values())[0] == "NotActive"
    assert f"done for {case.variables['price']}" in outcomes.values()
    assert case.todo == ["repair"]
    assert case.visits("estimate") == 1


def test_the_next_step_of_the_case_is_offered_to_who_may_do_it(
    case: Case, wang: User, make_user: MakeUser, do: Callable[..., Any]
) -> None:
    both = make_user("song.ping", "业务接待员", "班组")

    completed = do(service.complete, both, case.task("estimate").key, ESTIMATED)
    assert completed.next_task_key == case.task("repair").key
    assert completed.next_task_name == "维修"
    last = do(service.complete, both, case.task("repair").key, {})
    assert last.next_task_key == case.task("settle").key
    ended = do(service.complete, wang, case.task("settle").key, {})
    assert ended.next_task_key is None
    assert case.state == "COMPLETED"


def test_the_next_step_is_not_offered_to_who_may_not_do_it(case: Case, wang: User, do: Callable[..., Any]) -> None:
    assert do(service.complete, wang, case.task("estimate").key, ESTIMATED).next_task_key is None


def seen(session: Session, person: User, case: Case, element_id: str) -> TaskDetail:
    """The task's page as the person would get it."""
    session.rollback()
    return detail(session, person, case.task(element_id).key)


def test_the_page_of_a_task_shows_the_step_and_its_case(case: Case, wang: User, session: Session) -> None:
    shown = seen(session, wang, case, "estimate")

    assert shown.process_name == "car-repair"
    assert shown.title == "沪A 12345 张先生"
    assert shown.documentation == "按 document 000, line 576 估价。"
    assert shown.form is not None
    assert shown.data == {"plate": "沪A 12345"}, "only what the form names goes to the browser"
    assert [(fact.label, fact.value) for fact in shown.facts] == [("客户", "张先生"), ("类别", "大修")]
    assert shown.task.due_at == MONDAY + timedelta(hours=4)
    assert shown.started_by == "王芳"
    assert (shown.may_claim, shown.may_complete, shown.may_return) == (True, True, False)
    assert shown.history == []
    assert shown.holder is None


def test_the_page_of_a_later_task_tells_what_was_done_before(
    case: Case, wang: User, zhang: User, session: Session, do: Callable[..., Any]
) -> None:
    do(service.complete, wang, case.task("estimate").key, {**ESTIMATED, "note": "左前门"})

    shown = seen(session, zhang, case, "repair")

    assert [(step.name, step.done_by) for step in shown.history] == [("估价", "王芳")]
    assert [(fact.label, fact.value) for fact in shown.facts] == [
        ("车牌号", "沪A 12345"),
        ("客户", "张先生"),
        ("类别", "大修"),
        ("报价", Decimal("1280.50")),
        ("备注", "左前门"),
    ]
    assert shown.form is None
    assert shown.next_timer_at == MONDAY + timedelta(days=2)


def test_a_step_that_the_process_took_away_is_told_so(
    case: Case, shop: Player, wang: User, session: Session, do: Callable[..., Any]
) -> None:
    do(service.complete, wang, case.task("estimate").key, ESTIMATED)
    shop.advance(timedelta(days=2))

    shown = seen(session, wang, case, "settle")

    assert [(step.name, step.canceled) for step in shown.history] == [("维修", True), ("估价", False)]


def test_who_completed_a_task_may_look_at_it_again(
    case: Case, wang: User, boss: User, session: Session, do: Callable[..., Any]
) -> None:
    key = case.task("estimate").key
    do(service.complete, wang, key, ESTIMATED)

    for person in (wang, boss):
        shown = detail(session, person, key)
        assert shown.holder == "王芳"
        assert not shown.may_claim
        assert not shown.may_complete
        assert not shown.may_return
        assert shown.colleagues == ()


def test_a_finished_task_shows_what_was_entered_then(
    case: Case, wang: User, session: Session, do: Callable[..., Any]
) -> None:
    key = case.task("estimate").key
    do(service.complete, wang, key, ESTIMATED)
    case.execute(SetVariables(case.key, {"price": 1}))

    assert detail(session, wang, key).data["price"] == ESTIMATED["price"]


def test_colleagues_are_those_who_may_do_the_task(
    case: Case, wang: User, li: User, zhang: User, boss: User, session: Session, do: Callable[..., Any]
) -> None:
    assert [person.username for person in seen(session, wang, case, "estimate").colleagues] == ["li.na"]
    everybody = {person.username for person in seen(session, boss, case, "estimate").colleagues}
    assert everybody == {"wang.fang", "li.na", "zhang.gang", "chen.guoqiang"}
    do(service.claim, wang, case.task("estimate").key)
    assert seen(session, li, case, "estimate").colleagues == ()


def test_inner_variables_hide_outer_ones(shop: Player, make_user: MakeUser, session: Session) -> None:
    person = make_user("somebody")
    inner = user("count", "<zeebe:ioMapping><zeebe:input source='=2' target='a'/></zeebe:ioMapping>")
    inside = start("s") + inner + end("e") + flow("s", "count") + flow("count", "e")
    mapping = "<zeebe:ioMapping><zeebe:input source='=3' target='b'/></zeebe:ioMapping>"
    shop.deploy(
        diagram(start(), node("subProcess", "sub", inside, mapping), end(), flow("start", "sub"), flow("sub", "end"))
    )
    case = shop.start("p", {"a": 1, "b": 1, "c": 1})

    assert visible(session, service.get(session, person, case.task("count").key)) == {"a": 2, "b": 3, "c": 1}


def test_a_process_is_started_with_its_form(wang: User, shop: Player, do: Callable[..., Any]) -> None:
    started = do(starting.start, wang, "car-repair", {"plate": "沪A 12345", "kind": "small", "price": 1})

    case = shop.only("car-repair")
    assert started.instance_key == case.key
    assert started.first_task_key == case.task("estimate").key
    assert case.variables == {"plate": "沪A 12345", "customer": "", "kind": "small"}


def test_a_start_form_with_a_wrong_value_starts_nothing(wang: User, shop: Player, do: Callable[..., Any]) -> None:
    with pytest.raises(InvalidForm) as refusal:
        do(starting.start, wang, "car-repair", {"plate": "", "kind": "medium"})

    assert refusal.value.validation.errors.keys() == {"plate", "kind"}
    assert shop.instances("car-repair") == []


def test_only_the_groups_at_the_start_may_start(
    wang: User, zhang: User, boss: User, shop: Player, session: Session, do: Callable[..., Any]
) -> None:
    assert [process.process_id for process in starting.startable(session, wang)] == ["car-repair"]
    assert [process.process_id for process in starting.startable(session, boss)] == ["car-repair"]
    assert starting.startable(session, zhang) == []
    with pytest.raises(Forbidden):
        do(starting.start, zhang, "car-repair", {"plate": "沪A 12345"})
    with pytest.raises(Forbidden):
        starting.start_form(session, zhang, "car-repair")
    assert shop.instances("car-repair") == []


def test_a_process_without_a_plain_start_is_not_offered(wang: User, shop: Player, do: Callable[..., Any]) -> None:
    timer = "<bpmn:timerEventDefinition><bpmn:timeCycle>R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>"
    shop.deploy(diagram(start(inside=timer), end(), flow("start", "end"), process_id="nightly"))

    assert [process.process_id for process in do(starting.startable, wang)] == ["car-repair"]
    with pytest.raises(NotStartable):
        do(starting.start, wang, "nightly", {})
    with pytest.raises(NotFound):
        do(starting.start, wang, "nothing", {})
