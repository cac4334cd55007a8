"""The demo's cases: when each began, how far it has come, and what went differently in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from web.demo.cast import APPLICANTS, CARS

#: So many steps that a case comes to its end.
TO_THE_END = 999


@dataclass(frozen=True, slots=True)
class Slip:
    """A wrong value that somebody wrote into a variable after so many steps, and that makes an incident."""

    after: int
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """One case; `values` go into its forms by key, a tuple has one value for each time that the field is filled in."""

    process_id: str
    #: How long before the demo's present it began.
    began: timedelta
    #: Steps done since; then it is left alone.
    steps: int
    values: Mapping[str, Any] = field(default_factory=dict)
    #: Between two steps.
    pace: timedelta = timedelta(minutes=40)
    #: Somebody has claimed the next step.
    claimed: bool = False
    slip: Slip | None = None
    #: Steps that may happen at any time and that nobody does here.
    leave_alone: frozenset[str] = frozenset({"terminate-early"})


def _repair(car: int, began: timedelta, steps: int, /, **values: Any) -> Story:
    return _car_story("repair-order", car, began, steps, values)


def _car_story(process_id: str, car: int, began: timedelta, steps: int, values: dict[str, Any]) -> Story:
    options = {name: values.pop(name) for name in ("pace", "claimed", "slip") if name in values}
    return Story(process_id, began, steps, {**CARS[car].values, **values}, **options)


def _job(applicant: int, began: timedelta, steps: int, /, **values: Any) -> Story:
    options = {name: values.pop(name) for name in ("pace", "claimed", "slip") if name in values}
    return Story("employment", began, steps, {**APPLICANTS[applicant].values, **values}, **{"pace": _DAY, **options})


def _leaving(name: str, department: str, began: timedelta, steps: int, /, **values: Any) -> Story:
    return Story(
        "exit-handover", began, steps, {"employeeName": name, "department": department, **values}, pace=_HOUR * 5
    )


_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

STORIES = (
    # Fresh this morning: reception, diagnosis, estimate, negotiation.
    _repair(0, _HOUR * 0.2, 0),
    _repair(1, _HOUR * 0.8, 0, claimed=True),
    _repair(2, _HOUR * 1.2, 1),
    _repair(3, _HOUR * 1.6, 1, visitPurpose="repair"),
    _repair(4, _HOUR * 2, 1, diagnosisOutcome="specialist"),
    _repair(5, _HOUR * 2.2, 2, claimed=True),
    # Consultations and customers who leave.
    _repair(6, _DAY * 3, TO_THE_END, visitPurpose="consultation"),
    _repair(7, _DAY * 1, TO_THE_END, diagnosisConsent="leave"),
    _repair(8, _DAY * 2, TO_THE_END, customerDecision="refuse"),
    # Intake, wash, workshop.
    _repair(9, _HOUR * 4, 4),
    _repair(10, _DAY * 1, 6, claimed=True),
    _repair(11, _DAY * 1, 8),
    _repair(12, _DAY * 1, 9),
    _repair(13, _DAY * 2, 10, claimed=True),
    _repair(14, _DAY * 2, 10),
    # The promised time has passed, and nobody has finished.
    _repair(15, _DAY * 4, 10),
    _repair(16, _DAY * 5, 11),
    # Extra items: found, the customer called, refused.
    _repair(17, _DAY * 2, 11, repairOutcome=("extra", "done")),
    _repair(18, _DAY * 2, 12, repairOutcome=("extra", "done"), safetyRelated="yes"),
    _repair(19, _DAY * 3, 15, repairOutcome=("extra", "done"), customerAnswer="refuse"),
    # Inspection, rework, pick-up, settlement with a discount, an objection.
    _repair(20, _DAY * 3, 14, inspectionResult=("failed", "passed")),
    _repair(21, _DAY * 3, 13),
    _repair(22, _DAY * 3, 15),
    _repair(23, _DAY * 3, 17, settlementOutcome=("discount", "settled")),
    _repair(24, _DAY * 4, 19, yardOutcome=("other", "accepted")),
    # Somebody typed words where a date belongs: the case stands still until it is put right.
    _repair(25, _DAY * 1, 20, slip=Slip(5, {"promisedTime": "明天下午"})),
    # Done, and in follow-up: file, first call, a request that waits for the supervisor, all over.
    _repair(6, _DAY * 4, TO_THE_END, pace=timedelta(minutes=25)),
    _repair(8, _DAY * 7, TO_THE_END),
    _repair(9, _DAY * 9, 24),
    _repair(2, _DAY * 12, TO_THE_END, requestKind="study", studyOutcome="unsolved"),
    _repair(3, _DAY * 30, TO_THE_END),
    _repair(5, _DAY * 34, TO_THE_END, requestKind="answered"),
    # Applications: notice, test, offer, a no-show, papers missing, probation, regular, extended, ended.
    _job(0, _DAY * 1, 0),
    _job(1, _DAY * 4, 1),
    _job(2, _DAY * 9, 3),
    _job(3, _DAY * 12, 3),
    _job(4, _DAY * 14, 4),
    _job(5, _DAY * 20, TO_THE_END, qualification="unqualified"),
    _job(6, _DAY * 40, 7),
    _job(7, _DAY * 101, 7),
    _job(8, _DAY * 125, TO_THE_END, departmentVerdict="extend", employeeVerdict="extend"),
    _job(9, _DAY * 130, TO_THE_END),
    # Leaving.
    _leaving("蒋文", "配件部", _DAY * 6, 2),
    _leaving("潘丽", "业务部", _DAY * 20, TO_THE_END),
)
