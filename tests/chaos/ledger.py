"""What is in the database against what the clients know: what was lost, what was done twice, what is half done."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from engine import invariants
from engine.models import Audit, ElementInstance, ProcessInstance, ProcessState, Timer, UserTask, Variable
from tests.chaos.clients import ELEMENTS, Outcome, Record
from tests.chaos.errors import Stuck

_CREATE, _COMPLETE, _FIRE = "create process instance", "complete user task", "fire timer"


@dataclass(slots=True)
class Findings:
    """What must be empty, sentence by sentence."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    #: Half done, refused and nevertheless done, against the engine's invariants, or answered as nobody should be.
    broken: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.broken)

    def sentences(self) -> list[str]:
        """Return all of it."""
        return [
            f"{kind}: {sentence}"
            for kind, sentences in (("lost", self.lost), ("doubled", self.doubled), ("broken", self.broken))
            for sentence in sentences
        ]


def wait_for_timers(sessions: sessionmaker[Session], seconds: float = 180) -> None:
    """Wait until no timer is left; raises Stuck when workers do not get there."""
    give_up_at = time.monotonic() + seconds
    while True:
        with sessions() as session:
            left = session.scalar(select(func.count()).select_from(Timer)) or 0
        if not left:
            return
        if time.monotonic() > give_up_at:
            raise Stuck(f"{left} timers have not fired in {seconds:.0f} s.")
        time.sleep(0.2)


def fired(sessions: sessionmaker[Session]) -> Counter[int]:
    """Return how often each timer has fired, by its key."""
    with sessions() as session:
        return Counter(session.scalars(select(Audit.subject_key).where(Audit.action == _FIRE)))


def compare(sessions: sessionmaker[Session], record: Record) -> Findings:
    """Compare, after all tasks have been done (`clients.finish`) and all timers have fired."""
    findings = Findings(broken=list(record.wrong))
    with sessions() as session:
        findings.broken += [str(violation) for violation in invariants.check(session)]
        _compare_starts(session, record, findings)
        _compare_completions(session, record, findings)
        _compare_cases(session, findings)
    return findings


def _compare_starts(session: Session, record: Record, findings: Findings) -> None:
    rows = session.execute(select(Variable.value, Variable.instance_key).where(Variable.name == "plate")).all()
    found = Counter(str(row.value) for row in rows)
    keys = {str(row.value): row.instance_key for row in rows}
    for plate, times in found.items():
        if times > 1:
            findings.doubled.append(f"case {plate} was started {times} times")
        if plate not in record.starts:
            findings.broken.append(f"nobody has started case {plate}")
    for plate, (outcome, key) in record.starts.items():
        if outcome is Outcome.ACKNOWLEDGED and keys.get(plate) != key:
            findings.lost.append(f"start of case {plate}, key {key}")
        if outcome is Outcome.REFUSED and plate in found:
            findings.broken.append(f"the start of case {plate} was refused, and it was started")


def _compare_completions(session: Session, record: Record, findings: Findings) -> None:
    done = Counter(session.scalars(select(Audit.subject_key).where(Audit.action == _COMPLETE)))
    for key, times in done.items():
        if times > 1:
            findings.doubled.append(f"task {key} was completed {times} times")
    for key, outcomes in record.completions.items():
        if Outcome.ACKNOWLEDGED in outcomes and not done[key]:
            findings.lost.append(f"completion of task {key}")
        if outcomes and set(outcomes) == {Outcome.REFUSED} and done[key]:
            findings.broken.append(f"the completion of task {key} was refused, and it was completed")
    states = select(UserTask.key, UserTask.state)
    for key, state in session.execute(states):
        if (state == "COMPLETED") != (done[key] > 0):
            findings.broken.append(f"task {key} is {state} and was completed {done[key]} times")


def _compare_cases(session: Session, findings: Findings) -> None:
    """Each case has been created once, each of its tasks done once, its timer fired once, and it has ended."""
    audited: Counter[tuple[int, str, str]] = Counter()
    for row in session.execute(select(Audit.instance_key, Audit.action, Audit.element_id)):
        audited[row.instance_key, row.action, row.element_id or ""] += 1
    visited: Counter[tuple[int, str]] = Counter()
    for visit in session.execute(select(ElementInstance.instance_key, ElementInstance.element_id)):
        visited[visit.instance_key, visit.element_id] += 1
    wanted = [(_CREATE, ""), (_FIRE, "wait"), *((_COMPLETE, element_id) for element_id in ELEMENTS)]
    cases = select(ProcessInstance.key, ProcessInstance.state).where(ProcessInstance.process_id == "p")
    for key, state in session.execute(cases):
        if state != ProcessState.COMPLETED:
            findings.broken.append(f"case {key} is {state}")
        for action, element_id in wanted:
            times = audited[key, action, element_id]
            if times == 0:
                findings.lost.append(f"{action} {element_id} of case {key}")
            elif times > 1:
                findings.doubled.append(f"{action} {element_id} of case {key}, {times} times")
        for element_id in ("start", "fork", *ELEMENTS, "wait", "end"):
            if visited[key, element_id] != 1:
                findings.broken.append(f"case {key} was {visited[key, element_id]} times at {element_id}")
