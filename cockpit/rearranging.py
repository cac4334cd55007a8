"""Rearranging: a manager takes tokens of a case away, lets them go on elsewhere, and starts steps in addition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cockpit.errors import CaseChanged, NothingChosen, ReasonMissing
from cockpit.places import Start
from cockpit.service import require_manager
from engine.errors import NotFound
from engine.execution import execute
from engine.instances import SetVariables
from engine.models import InstanceState, ProcessInstance
from engine.modification import ActivateInstruction, ModifyInstance, MoveInstruction, VariableInstruction
from engine.restarting import restart as start_again
from people.models import User


@dataclass(frozen=True, slots=True)
class Rearrangement:
    """What shall become of the tokens of a case."""

    #: Where each token goes on: element by key of the live element instance.
    moves: Mapping[int, str] = field(default_factory=dict)
    #: Keys of the live element instances that are taken away.
    withdrawn: Sequence[int] = ()
    starts: Sequence[Start] = ()
    #: Given to the case before anything is started.
    variables: Mapping[str, Any] = field(default_factory=dict)

    def command(self, reason: str) -> ModifyInstance:
        """Return the engine's command; raises NothingChosen."""
        if not (self.moves or self.withdrawn or self.starts):
            raise NothingChosen
        given = [VariableInstruction(dict(self.variables))] if self.variables else []
        # All of them are set to the same, before each step that is started.
        return ModifyInstance(
            activate=[ActivateInstruction(start.element_id, start.scope_key, given) for start in self.starts],
            terminate=self.withdrawn,
            move=[MoveInstruction(None, target, given, source_key=key) for key, target in self.moves.items()],
            reason=reason,
        )


def rearrange(
    session: Session, user: User, instance_key: int, wanted: Rearrangement, reason: str, revision: int | None = None
) -> int:
    """Do it, and return the key of the case; `revision` is that of the case when the user looked at it.

    Raises Forbidden, NotFound, ReasonMissing, NothingChosen, CaseChanged, and what `ModifyInstance` refuses with.
    """
    require_manager(user)
    if not reason.strip():
        raise ReasonMissing
    if revision is not None:
        require_unchanged(session, instance_key, revision)
    return carry_out(session, user, instance_key, wanted, reason.strip())


def carry_out(session: Session, user: User, instance_key: int, wanted: Rearrangement, reason: str = "") -> int:
    """Do it without a reason, as for a rehearsal; raises Forbidden and what `ModifyInstance` refuses with."""
    require_manager(user)
    command = wanted.command(reason)
    if wanted.variables and not (command.activate or command.move):
        # Nothing is started that could bring them along.
        execute(session, instance_key, SetVariables(instance_key, dict(wanted.variables)), actor=user.username)
    execute(session, instance_key, command, actor=user.username)
    return instance_key


def restart(
    session: Session,
    user: User,
    instance_key: int,
    element_ids: Sequence[str],
    variables: Mapping[str, Any],
    reason: str,
    definition_key: int | None = None,
) -> int:
    """Start a new case at these steps with the data of an ended one, and return its key.

    `definition_key`: another version. Raises Forbidden, ReasonMissing, NothingChosen, NotFound, NotEnded,
    InvalidElements, InvalidVariables.
    """
    require_manager(user)
    if not reason.strip():
        raise ReasonMissing
    if not element_ids:
        raise NothingChosen
    return start_again(
        session,
        instance_key,
        element_ids,
        variables,
        actor=user.username,
        definition_key=definition_key,
        reason=reason.strip(),
    ).instance_key


def require_unchanged(session: Session, instance_key: int, revision: int) -> None:
    """Lock the case and raise CaseChanged unless it is as it was at `revision`; raises NotFound."""
    root_key = session.scalar(select(ProcessInstance.root_key).where(ProcessInstance.key == instance_key))
    if root_key is None:
        raise NotFound("process instance", instance_key)
    # The same lock that the engine takes for every command of the case.
    session.execute(select(ProcessInstance.key).where(ProcessInstance.key == root_key).with_for_update())
    if revision_of(session, instance_key) != revision:
        raise CaseChanged


def revision_of(session: Session, instance_key: int) -> int | None:
    """Return the number of commands that an active case has had; None: it is not active."""
    return session.scalar(select(InstanceState.revision).where(InstanceState.instance_key == instance_key))
