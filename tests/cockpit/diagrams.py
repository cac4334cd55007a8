"""Small diagrams for the control room's tests, as BPMN XML."""

from __future__ import annotations

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="http://example.com">\n'
)


def process(process_id: str, body: str, *, name: str = "维修", title: str | None = '=plate + " " + customer') -> bytes:
    """One process around `body`, without a layout, which the engine does not need."""
    properties = (
        f"<extensionElements><zeebe:properties><zeebe:property name=\"title\" value='{title}'/>"
        "</zeebe:properties></extensionElements>"
        if title
        else ""
    )
    opening = f'{_HEAD}<process id="{process_id}" name="{name}" isExecutable="true">'
    return f"{opening}{properties}{body}</process></definitions>".encode()


def user_task(identifier: str, name: str, groups: str, *, due: str = "") -> str:
    """A user task for the candidate groups `groups`, due at the FEEL text `due`."""
    schedule = f'<zeebe:taskSchedule dueDate="{due}"/>' if due else ""
    return (
        f'<userTask id="{identifier}" name="{name}"><extensionElements><zeebe:userTask/>'
        f'<zeebe:assignmentDefinition candidateGroups="{groups}"/>{schedule}</extensionElements></userTask>'
    )


def flow(source: str, target: str, condition: str = "") -> str:
    """A sequence flow named after its ends, with an optional FEEL condition."""
    inside = f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression>' if condition else ""
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


#: Reception, which is due after four hours and is reminded of after three, then a decision that needs `amount`.
REPAIR = process(
    "repair",
    '<startEvent id="start"/>'
    + flow("start", "reception")
    + user_task("reception", "接待登记", "业务接待员", due="=now() + duration(&quot;PT4H&quot;)")
    + '<boundaryEvent id="remind" name="催办" attachedToRef="reception" cancelActivity="false">'
    "<timerEventDefinition><timeDuration>PT3H</timeDuration></timerEventDefinition></boundaryEvent>"
    + flow("remind", "reminder")
    + user_task("reminder", "提醒接待员", "业务主管")
    + flow("reminder", "reminded")
    + '<endEvent id="reminded"/>'
    + flow("reception", "large")
    + '<exclusiveGateway id="large" name="金额大吗" default="large-wash"/>'
    + flow("large", "approve", "=amount &gt; 1000")
    + flow("large", "wash")
    + user_task("approve", "审批", "业务主管")
    + user_task("wash", "洗车", "洗车工作人员")
    + flow("approve", "end")
    + flow("wash", "end")
    + '<endEvent id="end"/>',
)

#: A caller, whose child is one user task.
CALLER = process(
    "caller",
    '<startEvent id="start"/>'
    + flow("start", "call")
    + '<callActivity id="call" name="增项"><extensionElements><zeebe:calledElement processId="child"/>'
    "</extensionElements></callActivity>" + flow("call", "end") + '<endEvent id="end"/>',
    name="总流程",
    title=None,
)
CHILD = process(
    "child",
    '<startEvent id="start"/>'
    + flow("start", "extra")
    + user_task("extra", "询问客户", "业务员")
    + flow("extra", "end")
    + '<endEvent id="end"/>',
    name="增项流程",
    title=None,
)
