"""Called processes: child instances that a call activity starts and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import versions
from engine.errors import ElementFailure, NotActive, NotFound
from engine.keys import new_key

if TYPE_CHECKING:
    from engine.tokens import Token
    from engine.workflow import Execution


def start(caller: Token, process_id: str, binding: str, version_tag: str | None, variables: dict[str, Any]) -> int:
    """Start a called process and return the child's key; raises ElementFailure when it cannot be called."""
    execution = caller.execution
    session = execution.session
    try:
        if binding == "deployment":
            definition = versions.deployed_with(session, process_id, execution.definition_key)
        else:
            tag = version_tag if binding == "versionTag" else None
            definition = versions.latest(session, process_id, tag)
    except NotFound:
        raise ElementFailure("CALLED_ELEMENT_ERROR", f"The process “{process_id}” is not deployed.") from None
    if execution.hierarchy.process(definition.key).none_start is None:
        sentence = f"The process “{process_id}” has no start event without a trigger."
        raise ElementFailure("CALLED_ELEMENT_ERROR", sentence)
    if execution.depth >= execution.hierarchy.settings.call_depth_limit:
        raise ElementFailure("LOOP_LIMIT", "Processes call each other without end.")
    child = execution.hierarchy.open(definition.key, new_key(), root_key=execution.root_key, parent=caller)
    child.depth = execution.depth + 1
    child.variables.merge(child.root, variables)
    return child.instance_key


def terminate(caller: Token, child_key: int) -> None:
    """End a child instance if it is still alive, and all that it has called."""
    hierarchy = caller.execution.hierarchy
    hierarchy.ending.append(child_key)
    if len(hierarchy.ending) > 1:
        return  # the loop below comes to it; calls may be nested deeper than functions can be
    while hierarchy.ending:
        try:
            child: Execution = hierarchy.load(hierarchy.ending[0])
            if not child.ended:
                child.end_terminated()
        except NotActive:
            pass
        finally:
            del hierarchy.ending[0]
