"""Deleting ended instances: they need not be kept any more, so the next clean-up archives and removes them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.errors import CalledByAnother, NotActive, NotFound
from engine.keys import new_key
from engine.models import Audit, ProcessInstance, ProcessState


def delete(session: Session, instance_key: int, *, actor: str, reason: str) -> None:
    """Let the removal time of an ended instance, and of all that it has called, be now (see `engine.retention`).

    Raises NotFound, NotActive while it is live, CalledByAnother for a child, which goes with its caller.
    """
    locked = select(ProcessInstance).where(ProcessInstance.key == instance_key).with_for_update()
    instance = session.scalar(locked)
    if instance is None:
        raise NotFound("process instance", instance_key)
    if instance.parent_key is not None:
        raise CalledByAnother(instance_key, instance.parent_key)
    if instance.state == ProcessState.ACTIVE:
        raise NotActive("process instance", instance_key, "not ended")
    now = clock.now(session)
    instance.removal_at = now
    session.add(
        Audit(
            key=new_key(),
            at=now,
            actor=actor,
            action="delete process instance",
            instance_key=instance_key,
            element_id=None,
            subject_key=None,
            details={"reason": reason},
        )
    )
    session.flush()
