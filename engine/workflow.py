"""Execution: SpiffWorkflow's workflow as we use it, one instance during one command."""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.workflow import Workflow
from sqlalchemy.orm import Session

import feel
from engine import canceling, compensation, conditions, expressions, incidents, task_listeners, time_to_live, waits
from engine.changes import Changes
from engine.elements.base import Element
from engine.elements.definitions import SequenceFlow
from engine.elements.gateways import JoiningGateway
from engine.elements.scopes import CallActivity
from engine.errors import ElementFailure, NotActive, StateUnreadable
from engine.keys import new_key
from engine.models import Audit, ElementInstance, ElementState, ProcessInstance, ProcessState
from engine.process import Process
from engine.tokens import STARTED, Token
from engine.variables import Variables

if TYPE_CHECKING:
    from engine.execution import Hierarchy, Outcome
    from engine.messages import Opened


class Execution(Workflow):
    """One instance during one command: SpiffWorkflow's workflow with our agenda, variables and changes."""

    def __init__(self, hierarchy: Hierarchy, process: Process, definition_key: int) -> None:
        super().__init__(process, deserializing=True)
        self.hierarchy = hierarchy
        self.process = process
        self.definition_key = definition_key
        self.instance_key = 0
        self.parent_key: int | None = None
        self.parent_element_instance_key: int | None = None
        self.root: Token
        self.title = ""
        self.revision = -1
        self.fresh = False
        #: Nothing moves: what would happen by itself happens when the instance is resumed.
        self.suspended = False
        #: Why the stored tokens could not be read; the live ones are made from the history then.
        self.unreadable: StateUnreadable | None = None
        self.instance_state: str = ProcessState.ACTIVE
        self.agenda: deque[Token] = deque()
        self.variables = Variables(self)
        self.new_subscriptions: list[Opened] = []
        #: Items of sequential loops that this command has looked at, by the loop's key and the first one's place.
        self.loop_items: dict[tuple[int, int], list[Any]] = {}
        #: Call activities between this instance and the one that the command is for.
        self.depth = 0
        #: A condition was opened that has not been looked at yet.
        self.conditions_due = False
        self._visits: Counter[tuple[int, str]] = Counter()

    # --- what elements and commands read

    @property
    def session(self) -> Session:
        """The caller's session, in whose transaction everything happens."""
        return self.hierarchy.session

    @property
    def changes(self) -> Changes:
        """What the command has changed so far."""
        return self.hierarchy.changes

    @property
    def now(self) -> datetime:
        """The instant (UTC) at which the command happens."""
        return self.hierarchy.now

    @property
    def actor(self) -> str:
        """Who gave the command; empty: the engine itself."""
        return self.hierarchy.actor

    @property
    def root_key(self) -> int:
        """The topmost instance of the hierarchy."""
        return self.hierarchy.root_key

    @property
    def outcome(self) -> Outcome:
        """What the command has led to so far."""
        return self.hierarchy.outcome

    @property
    def environment(self) -> feel.Environment:
        """What FEEL may know of the world."""
        return self.hierarchy.environment

    @property
    def ended(self) -> bool:
        """No token is left."""
        return self.instance_state != ProcessState.ACTIVE

    def find(self, key: int | None) -> Token | None:
        """Return the live token with this key, or None."""
        token: Token | None = self.tasks.get(key)
        return token

    # --- running to rest

    def run(self) -> None:
        """Enter or leave with every token on the agenda, and what follows, until all of them wait or are gone."""
        while not self.settled:
            while self.agenda:
                token = self.agenda.popleft()
                if token.key in self.tasks:
                    self._advance(token)
            if self._conditions_waiting:
                self.variables.written = False
                conditions.look(self)
            if not self.ended:
                self._look_at_joins()

    @property
    def settled(self) -> bool:
        """Nothing more happens by itself."""
        return self.ended or not (self.agenda or self._conditions_waiting)

    @property
    def _conditions_waiting(self) -> bool:
        return not (self.ended or self.suspended) and (self.conditions_due or self.variables.written)

    def _advance(self, token: Token) -> None:
        thrown = len(self.hierarchy.thrown)
        try:
            match token.internal_data.get("phase"):
                case "completing":
                    token.complete()
                case "continuing":
                    token.element.resume(token)
                case task_listeners.LISTENING:
                    task_listeners.call_again(token)
                case canceling.CANCELING:
                    canceling.go_on(token)
                case _:
                    token.run()
        except ElementFailure as failure:
            if "phase" not in token.internal_data:
                # The element is entered anew by the next attempt, which throws again.
                del self.hierarchy.thrown[thrown:]
            incidents.raise_at(token, failure)

    def _look_at_joins(self) -> None:
        waiting = [
            token
            for token in self.tasks.values()
            if token._state == STARTED and isinstance(token.task_spec, JoiningGateway)
        ]
        # One token speaks for all that wait at the same gateway of the same scope.
        for token in {(token._parent, token.task_spec.name): token for token in reversed(waiting)}.values():
            if token.key in self.tasks:
                token.task_spec.recheck(token)
        if self.agenda:
            return
        # BPMN has no word for it, but a token that can never go on must not stay silent.
        for scope in dict.fromkeys(token.scope for token in waiting if token.key in self.tasks):
            inside = scope.children
            if all(child._state == STARTED and isinstance(child.task_spec, JoiningGateway) for child in inside):
                incidents.raise_at(
                    inside[0],
                    ElementFailure(
                        "JOIN_DEADLOCK",
                        f"The join “{inside[0].element.bpmn_name or inside[0].element.id}” waits for a token that can "
                        "no longer come.",
                    ),
                )

    def store(self) -> None:
        """Note what the instance row has become; mostly it stays as it is, because its many indexes are dear."""
        if self.process.title_expression and (self.variables.changed or self.fresh) and not self.ended:
            title = self._evaluate_title(self.process.title_expression)
            if title != self.title:
                self.title = title
                self.changes.update(ProcessInstance, self.instance_key, title=title)

    def _evaluate_title(self, expression: str) -> str:
        try:
            value = expressions.evaluate(self.root, expression, "title")
        except ElementFailure:
            return self.title
        return str(value)[:200] if value is not None else self.title

    # --- what moves tokens

    def spawn(
        self,
        element: Element,
        scope: Token,
        flow_id: str | None = None,
        *,
        enter: bool = True,
        event_id: str | None = None,
    ) -> Token:
        """Put a new token at an element; with `enter` it goes on the agenda, else the caller moves it on.

        It comes by a flow or by an event; what comes the same way without end during one command is an incident.
        """
        token = Token(self, element, scope, new_key())
        token.flow_id = flow_id
        self.variables.opened(token.key)
        self.changes.insert(
            ElementInstance,
            key=token.key,
            instance_key=self.instance_key,
            definition_key=self.definition_key,
            element_id=element.id,
            element_type=element.type_name,
            scope_key=scope.key,
            flow_id=flow_id,
            state=ElementState.ACTIVE,
            started_at=self.now,
            ended_at=None,
        )
        way = flow_id or event_id
        if way is not None and self._loops(scope, way):
            sentence = (
                f"The element was entered {self.hierarchy.settings.loop_limit} times at one go: a loop without a wait."
            )
            incidents.raise_at(token, ElementFailure("LOOP_LIMIT", sentence))
        elif enter:
            self.agenda.append(token)
        return token

    def _loops(self, scope: Token, way: str) -> bool:
        self._visits[scope.key, way] += 1
        return self._visits[scope.key, way] > self.hierarchy.settings.loop_limit

    def finish(self, token: Token, variables: dict[str, Any] | None = None) -> None:
        """Let a waiting token go on, with what it waited for."""
        if variables:
            if token.element.details.outputs:
                for name, value in variables.items():
                    self.variables.set_local(token, name, value)
            else:
                self.variables.merge(token, variables)
        token.remember(phase="completing")
        self.agenda.append(token)

    def leave(self, token: Token, flows: list[SequenceFlow]) -> None:
        """Take a token out of its element and send tokens along the flows; without flows its scope may be done."""
        self._end_history(token, ElementState.COMPLETED)
        waits.close_all(token)
        if token is self.root:
            self._complete_instance()
            return
        scope = token.scope
        compensation.note(token)
        self._remove_task(token.key)
        for flow in flows:
            self.spawn(self.process.element(flow.target_id), scope, flow.id)
        compensation.handled(token, scope)
        scope.element.inner_left(scope, token)

    def take_over(self, gateway: Token, event: Element, variables: dict[str, Any]) -> None:
        """Go on at the event that came first after an event-based gateway."""
        flow = next(flow for flow in gateway.element.outgoing if flow.target_id == event.id)
        token = self.spawn(event, gateway.scope, flow.id, enter=False)
        self.leave(gateway, [])
        self.finish(token, variables)

    def absorb(self, token: Token) -> None:
        """Take a token out that goes on in another one: a join."""
        self._end_history(token, ElementState.COMPLETED)
        self._remove_task(token.key)

    def trigger(self, host: Token, event: Element, variables: dict[str, Any], part: int = 0) -> None:
        """Tell a waiting token that the event it waited for has happened; `part`: which of several definitions."""
        if event.id == host.element.id:
            event = host.element  # the id of a multi-instance activity names its body, but the inner one waits
        # An activity that is stuck cannot go on, but what is attached to it does: a deadline fires all the same.
        if host.in_error and event is host.element:
            raise NotActive("element instance", host.key, "waiting for an incident")
        host.trigger(event, variables, part)

    def terminate(self, token: Token) -> None:
        """Take a token away with everything inside it, without asking listeners (see `engine.canceling`)."""
        stack = [(token, False)]
        while stack:
            current, seen = stack.pop()
            if not seen:
                stack.append((current, True))
                stack.extend((child, False) for child in current.children)
                continue
            current.element.terminated(current)
            self._end_history(current, ElementState.TERMINATED)
            waits.close_all(current)
            if current is not self.root:
                self._remove_task(current.key)

    def terminate_children(self, scope: Token, but: Token | None = None) -> None:
        """Take away every token inside a scope, except `but`."""
        for child in scope.children:
            if child is not but:
                self.terminate(child)

    def cancel(self) -> bool:
        """Terminate the instance; return whether listeners hold that up."""
        if canceling.terminate(self.root):
            return True
        self._end_instance(ProcessState.TERMINATED)
        return False

    def end_terminated(self) -> None:
        """Terminate the instance without asking listeners."""
        self.terminate(self.root)
        self._end_instance(ProcessState.TERMINATED)

    def _complete_instance(self) -> None:
        handed_up = self.variables.local(self.root)
        self._end_instance(ProcessState.COMPLETED)
        if self.parent_key is None:
            return
        parent = self.hierarchy.load(self.parent_key)
        caller = parent.find(self.parent_element_instance_key)
        if caller is not None and isinstance(caller.element, CallActivity):
            caller.element.child_completed(caller, handed_up)

    def _end_instance(self, ended_as: ProcessState) -> None:
        self.instance_state = ended_as
        self.agenda.clear()
        removal_at = None
        if self.parent_key is None:
            removal_at = time_to_live.removal_at(self.now, self.process, self.session)
        ended = {"state": ended_as, "ended_at": self.now, "removal_at": removal_at}
        self.changes.update(ProcessInstance, self.instance_key, **ended)

    def _end_history(self, token: Token, ended_as: ElementState) -> None:
        if token is not self.root:
            self.changes.update(ElementInstance, token.key, state=ended_as, ended_at=self.now)

    # --- audit

    def audit(
        self,
        action: str,
        *,
        element_id: str | None = None,
        subject_key: int | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Note who did what."""
        self.changes.insert(
            Audit,
            key=new_key(),
            at=self.now,
            actor=self.actor,
            action=action,
            instance_key=self.instance_key,
            element_id=element_id,
            subject_key=subject_key,
            details=details or {},
        )
