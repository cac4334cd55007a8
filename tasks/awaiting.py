"""Waiting for the result of a process instance, as a caller does who starts it to get an answer."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotActive
from engine.models import ProcessInstance, ProcessState, Variable
from tasks.errors import StillRunning

#: How long a caller waits that names no time, and at most: each holds one of the server's threads.
DEFAULT_PATIENCE = timedelta(seconds=10)
LONGEST_PATIENCE = timedelta(seconds=60)

_PAUSE_SECONDS = 0.2


def result(session: Session, instance_key: int, patience: timedelta, names: Collection[str]) -> dict[str, Any]:
    """Return the variables (all, or those of `names`) of an instance when it has completed.

    Waits in real time for `patience`, at most a minute. Raises StillRunning, and NotActive when it was terminated.
    """
    until = time.monotonic() + min(patience or DEFAULT_PATIENCE, LONGEST_PATIENCE).total_seconds()
    while (state := _state(session, instance_key)) == ProcessState.ACTIVE:
        if time.monotonic() >= until:
            raise StillRunning(instance_key)
        time.sleep(_PAUSE_SECONDS)
    if state != ProcessState.COMPLETED:
        raise NotActive("process instance", instance_key, str(state).lower())
    query = select(Variable.name, Variable.value).where(Variable.scope_key == instance_key)
    if names:
        query = query.where(Variable.name.in_(names))
    return dict(session.execute(query.order_by(Variable.name)).all())


def _state(session: Session, instance_key: int) -> str | None:
    # Each look sees what others have committed since the one before.
    session.rollback()
    return session.scalar(select(ProcessInstance.state).where(ProcessInstance.key == instance_key))
