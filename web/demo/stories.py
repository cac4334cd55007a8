"""The demo's cases: when each began, how far it has come, and what went differently in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from web.demo.cast import APPLICANTS, CARS

#: So many steps that a case comes to its end.
TO_THE_END = 999

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


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
    #: How long before the demo's present the last of these steps was done.
    idle: timedelta = _HOUR
    #: Somebody has claimed the next step.
    claimed: bool = False
    slip: Slip | None = None
    #: Steps that may happen at any time and that nobody does here.
    leave_alone: frozenset[str] = frozenset({"terminate-early"})


def _repair(car: int, began: timedelta, steps: int, /, **told: Any) -> Story:
    return _story("repair-order", CARS[car].values, began, steps, told)


def _job(applicant: int, began: timedelta, steps: int, /, **told: Any) -> Story:
    return _story("employment", APPLICANTS[applicant].values, began, steps, told)


def _leaving(name: str, department: str, began: timedelta, steps: int, /, **told: Any) -> Story:
    return _story("exit-handover", {"employeeName": name, "department": department}, began, steps, told)


def _story(process_id: str, cast: dict[str, Any], began: timedelta, steps: int, told: dict[str, Any]) -> Story:
    """Return a story; what is told besides its own attributes goes into forms."""
    attributes = {name: told.pop(name) for name in ("idle", "claimed", "slip") if name in told}
    return Story(process_id, began, steps, {**cast, **told}, **attributes)


STORIES = (
    # Fresh this morning: reception, diagnosis, estimate, negotiation.
    _repair(0, 12 * _MINUTE, 0),
    _repair(1, 45 * _MINUTE, 0, claimed=True),
    _repair(2, 70 * _MINUTE, 1, idle=20 * _MINUTE),
    _repair(3, 95 * _MINUTE, 1, idle=15 * _MINUTE, visitPurpose="repair"),
    _repair(4, 2 * _HOUR, 1, diagnosisOutcome="specialist"),
    _repair(5, 2 * _HOUR, 2, idle=10 * _MINUTE, claimed=True),
    # Consultations and customers who leave; the first has left a telephone number and is called later.
    _repair(6, 3 * _DAY, TO_THE_END, visitPurpose="consultation"),
    _repair(7, 1 * _DAY, TO_THE_END, diagnosisConsent="leave"),
    _repair(8, 2 * _DAY, TO_THE_END, customerDecision="refuse"),
    # Intake, wash, workshop.
    _repair(9, 20 * _HOUR, 4, idle=30 * _MINUTE),
    _repair(10, 1 * _DAY, 6, claimed=True),
    _repair(11, 1 * _DAY, 8, idle=40 * _MINUTE),
    _repair(12, 1 * _DAY, 9),
    _repair(13, 1 * _DAY, 10, claimed=True),
    _repair(14, 1 * _DAY, 9, idle=2 * _HOUR, claimed=True),
    # The promised time has passed, and nobody has finished or even begun.
    _repair(15, 4 * _DAY, 9, idle=3 * _DAY),
    _repair(16, 5 * _DAY, 10, idle=3 * _DAY),
    # Extra items: found, the customer called, agreed or refused.
    _repair(17, 1 * _DAY, 11, repairOutcome=("extra", "done")),
    _repair(18, 1 * _DAY, 12, idle=90 * _MINUTE, repairOutcome=("extra", "done"), safetyRelated="yes"),
    _repair(19, 2 * _DAY, 14, repairOutcome=("extra", "done"), customerAnswer="refuse"),
    # Inspection and rework, pick-up, settlement with a discount, an objection.
    _repair(20, 2 * _DAY, 13, inspectionResult=("failed", "passed")),
    _repair(21, 2 * _DAY, 12, idle=50 * _MINUTE),
    _repair(22, 2 * _DAY, 15, idle=2 * _HOUR),
    _repair(23, 2 * _DAY, 15, settlementOutcome=("discount", "settled")),
    _repair(24, 2 * _DAY, 17, idle=30 * _MINUTE, yardOutcome=("other", "accepted")),
    # Somebody typed words where a date belongs: the case stands still until it is put right.
    _repair(25, 1 * _DAY, 10, slip=Slip(5, {"promisedTime": "明天下午"})),
    # Repaired, and in follow-up: file, file overdue, first call, a request that waited for the supervisor, all over.
    _repair(6, 4 * _DAY, 20),
    _repair(8, 7 * _DAY, 18, idle=5 * _DAY),
    _repair(9, 9 * _DAY, 24),
    _repair(2, 12 * _DAY, TO_THE_END, requestKind="study", studyOutcome="unsolved"),
    _repair(3, 30 * _DAY, TO_THE_END),
    _repair(5, 34 * _DAY, TO_THE_END, requestKind="answered"),
    # Applications: notice, test, offer, a no-show, papers, probation, regular, extended, ended.
    _job(0, 3 * _HOUR, 0),
    _job(1, 2 * _DAY, 1),
    _job(2, 9 * _DAY, 3, idle=6 * _DAY),
    _job(3, 6 * _DAY, 3),
    _job(4, 14 * _DAY, 4, idle=9 * _DAY),
    _job(5, 20 * _DAY, TO_THE_END, qualification="unqualified"),
    _job(6, 10 * _DAY, 6, idle=4 * _HOUR),
    _job(7, 97 * _DAY, 7, idle=90 * _DAY),
    _job(8, 108 * _DAY, TO_THE_END, departmentVerdict="extend", employeeVerdict="extend"),
    _job(9, 130 * _DAY, TO_THE_END),
    # Leaving.
    _leaving("蒋文", "配件部", 6 * _DAY, 2, idle=5 * _DAY),
    _leaving("潘丽", "业务部", 20 * _DAY, TO_THE_END),
)
