"""JSON endpoints of running and ended cases: process instances, element instances, variables, incidents."""

from __future__ import annotations

from flask import Blueprint

from cockpit import batches_api, decision_search, incident_search, interventions_api, search, service, way
from cockpit.decision_shapes import DecisionInstanceQuery, DecisionInstanceRow, DecisionInstanceShape
from cockpit.shapes import (
    ElementInstanceQuery,
    ElementInstanceShape,
    ElementStatisticsList,
    HierarchyEntry,
    IncidentQuery,
    IncidentShape,
    Intervention,
    ProcessInstanceQuery,
    ProcessInstanceShape,
    TakenFlows,
    VariableChange,
)
from cockpit.visibility import instance_for, visible
from database import transaction
from database.extension import db
from database.rest import Results, endpoint
from engine.models import Incident
from people.login import signed_in_user
from processes import evaluation
from processes.evaluation import ExpressionRequest, ExpressionShape
from tasks import variable_search
from tasks.variable_search import VariableQuery, VariableRow, VariableShape

blueprint = Blueprint("cockpit_api", __name__)
v2 = Blueprint("v2", __name__, url_prefix="/v2")
blueprint.register_blueprint(v2)
blueprint.register_blueprint(interventions_api.blueprint)
blueprint.register_blueprint(batches_api.blueprint)


@v2.post("/process-instances/search")
@endpoint
def search_process_instances(query: ProcessInstanceQuery) -> Results[ProcessInstanceShape]:
    """Search the process instances that you may see."""
    return search.process_instances(db.session(), signed_in_user(), query)


@v2.get("/process-instances/<int:key>")
@endpoint
def get_process_instance(key: int) -> ProcessInstanceShape:
    """Get a process instance."""
    return search.process_instance(db.session(), signed_in_user(), key)


@v2.post("/process-instances/<int:key>/cancellation")
@endpoint
def cancel_process_instance(key: int, intervention: Intervention) -> None:
    """End a process instance and everything in it."""
    with transaction(db.session()) as session:
        service.cancel(session, signed_in_user(), key, interventions_api.REASON)


@v2.post("/process-instances/<int:key>/incidents/search")
@endpoint
def search_process_instance_incidents(key: int, query: IncidentQuery) -> Results[IncidentShape]:
    """Search the incidents of a process instance."""
    user = signed_in_user()
    instance_for(db.session(), user, key)
    return incident_search.search(db.session(), user, query, Incident.instance_key == key)


@v2.get("/process-instances/<int:key>/sequence-flows")
@endpoint
def get_process_instance_sequence_flows(key: int) -> TakenFlows:
    """Get the sequence flows that were taken."""
    return way.taken_flows(db.session(), signed_in_user(), key)


@v2.get("/process-instances/<int:key>/call-hierarchy")
@endpoint
def get_process_instance_call_hierarchy(key: int) -> list[HierarchyEntry]:
    """Get the process instances that have called this one, the outermost first, and itself."""
    return way.call_hierarchy(db.session(), signed_in_user(), key)


@v2.get("/process-instances/<int:key>/statistics/element-instances")
@endpoint
def get_process_instance_statistics(key: int) -> ElementStatisticsList:
    """Get how often each element was visited."""
    return way.element_statistics(db.session(), signed_in_user(), key)


@v2.post("/element-instances/search")
@endpoint
def search_element_instances(query: ElementInstanceQuery) -> Results[ElementInstanceShape]:
    """Search the element instances of the process instances that you may see."""
    return search.element_instances(db.session(), signed_in_user(), query)


@v2.get("/element-instances/<int:key>")
@endpoint
def get_element_instance(key: int) -> ElementInstanceShape:
    """Get an element instance."""
    return search.element_instance(db.session(), signed_in_user(), key)


@v2.post("/element-instances/<int:key>/incidents/search")
@endpoint
def search_element_instance_incidents(key: int, query: IncidentQuery) -> Results[IncidentShape]:
    """Search the incidents of an element instance."""
    user = signed_in_user()
    search.element_instance(db.session(), user, key)
    return incident_search.search(db.session(), user, query, Incident.element_instance_key == key)


@v2.put("/element-instances/<int:key>/variables")
@endpoint
def set_variables(key: int, change: VariableChange) -> None:
    """Set variables from the scope of an element instance or process instance outward, or in exactly that scope."""
    with transaction(db.session()) as session:
        instance_key = search.scope_instance_key(session, key)
        service.set_variables(session, signed_in_user(), instance_key, key, change.variables, local=change.local)


@v2.post("/variables/search")
@endpoint
def search_variables(query: VariableQuery, truncate_values: bool = True) -> Results[VariableRow]:
    """Search the variables of the process instances that you may see."""
    shown = visible(db.session(), signed_in_user())
    return variable_search.search(db.session(), query, shown, shorten=truncate_values)


@v2.get("/variables/<int:key>")
@endpoint
def get_variable(key: int) -> VariableShape:
    """Get a variable with its whole value."""
    variable = variable_search.one(db.session(), key)
    instance_for(db.session(), signed_in_user(), variable.process_instance_key)
    return variable


@v2.post("/expression/evaluation")
@endpoint
def evaluate_expression(wanted: ExpressionRequest) -> ExpressionShape:
    """Evaluate a FEEL expression with the variables given, and with those of a scope if one is named."""
    user, seen = signed_in_user(), {}
    if wanted.scope_key is not None:
        seen = search.variables_seen(db.session(), user, wanted.scope_key)
    return evaluation.evaluate(db.session(), wanted, seen)


@v2.post("/incidents/search")
@endpoint
def search_incidents(query: IncidentQuery) -> Results[IncidentShape]:
    """Search the incidents of the process instances that you may see."""
    return incident_search.search(db.session(), signed_in_user(), query)


@v2.get("/incidents/<int:key>")
@endpoint
def get_incident(key: int) -> IncidentShape:
    """Get an incident."""
    return incident_search.one(db.session(), signed_in_user(), key)


@v2.post("/decision-instances/search")
@endpoint
def search_decision_instances(query: DecisionInstanceQuery) -> Results[DecisionInstanceRow]:
    """Search the decisions that the process instances which you may see have made."""
    return decision_search.search(db.session(), signed_in_user(), query)


@v2.get("/decision-instances/<key>")
@endpoint
def get_decision_instance(key: str) -> DecisionInstanceShape:
    """Get a decision that a process instance has made, with the rules that matched."""
    return decision_search.one(db.session(), signed_in_user(), key)


@v2.post("/incidents/<int:key>/resolution")
@endpoint
def resolve_incident(key: int, intervention: Intervention) -> None:
    """Let the engine try again what failed."""
    user = signed_in_user()
    with transaction(db.session()) as session:
        incident = incident_search.one(session, user, key)
        service.retry(session, user, incident.process_instance_key, key)
