"""Pages of the catalogue and the modeler: what is deployed, and how process owners change it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_login import login_required
from pydantic import BaseModel, ConfigDict, Field

from database import transaction
from database.extension import db
from engine.errors import DeploymentRefused
from engine.models import ProcessDefinition
from engine.problems import Problem
from people import service as people
from people.errors import Forbidden
from people.login import signed_in_user
from people.permissions import may_deploy, may_start
from processes import calendar_pages, catalogue, service
from processes.service import Resource
from processes.translations import translate_xml

blueprint = Blueprint(
    "processes", __name__, template_folder="templates", static_folder="static", static_url_path="/processes/static"
)
blueprint.register_blueprint(calendar_pages.blueprint)

_XML = {"Content-Type": "application/xml; charset=utf-8"}


class DeployRequest(BaseModel):
    """What the modeler sends to deploy."""

    model_config = ConfigDict(extra="forbid")

    xml: str
    resource_name: str = Field(alias="resourceName", max_length=200, pattern=r"\.bpmn$")


@blueprint.get("/processes")
@login_required
def catalogue_list() -> ResponseReturnValue:
    """List every process with its latest version."""
    session = db.session()
    rows = catalogue.processes(session)
    return render_template(
        "processes/catalogue.html", rows=rows, names=people.names(session, {row.deployed_by for row in rows})
    )


@blueprint.get("/processes/<process_id>")
@login_required
def detail(process_id: str) -> ResponseReturnValue:
    """Show one process: its diagram with what runs in it, and its versions."""
    session = db.session()
    versions = catalogue.versions(session, process_id)
    chosen = catalogue.definition(session, process_id, _version())
    return render_template(
        "processes/detail.html",
        definition=chosen,
        chosen=next(row for row in versions if row.definition.key == chosen.key),
        is_latest=chosen.key == versions[0].definition.key,
        versions=versions,
        names=people.names(session, {row.deployed_by for row in versions}),
        startable=chosen.startable and may_start(signed_in_user(), versions[0].definition),
    )


@blueprint.get("/processes/<process_id>/diagram.xml")
@login_required
def diagram_xml(process_id: str) -> ResponseReturnValue:
    """Answer the diagram with its labels in the reader's language."""
    definition = catalogue.definition(db.session(), process_id, _version())
    return translate_xml(definition.xml, str(get_locale())), _XML


@blueprint.get("/processes/<process_id>/diagram.json")
@login_required
def diagram_state(process_id: str) -> ResponseReturnValue:
    """Answer how many tokens and incidents the running cases have at each element."""
    session = db.session()
    return jsonify(catalogue.live_counts(session, catalogue.definition(session, process_id, _version())))


@blueprint.get("/processes/<process_id>/xml")
@login_required
def xml(process_id: str) -> ResponseReturnValue:
    """Answer the file as it was deployed; with `download` as an attachment."""
    definition = catalogue.definition(db.session(), process_id, _version())
    response = Response(definition.xml, headers=_XML)
    if "download" in request.args:
        # Werkzeug writes names beyond ASCII the way that RFC 6266 wants.
        response.headers.set("Content-Disposition", "attachment", filename=_file_name(definition))
    return response


@blueprint.get("/processes/new")
@login_required
def new() -> ResponseReturnValue:
    """Ask what the new process is called and who takes part, then open the modeler."""
    _require_owner()
    name, process_id = request.args.get("name", "").strip(), request.args.get("id", "").strip()
    if not name or not is_process_id(process_id):
        return render_template(
            "processes/new.html",
            name=name,
            process_id=process_id,
            refused=bool(process_id) and not is_process_id(process_id),
            groups=people.list_groups(db.session()),
            chosen=request.args.getlist("lane"),
        )
    return render_template(
        "processes/edit.html",
        definition=None,
        name=name,
        process_id=process_id,
        lanes=request.args.getlist("lane"),
        resource_name=f"{process_id}.bpmn",
    )


@blueprint.get("/processes/<process_id>/edit")
@login_required
def edit(process_id: str) -> ResponseReturnValue:
    """Open a deployed version in the modeler."""
    _require_owner()
    definition = catalogue.definition(db.session(), process_id, _version())
    return render_template(
        "processes/edit.html",
        definition=definition,
        name=definition.name,
        process_id=process_id,
        lanes=[],
        resource_name=definition.resource_name,
    )


@blueprint.post("/processes/lint")
@login_required
def lint() -> ResponseReturnValue:
    """Answer what the deployment gate finds in the posted XML; nothing is deployed."""
    _require_owner()
    name = request.args.get("resource") or "diagram.bpmn"
    problems = service.check(db.session(), [Resource(name, request.get_data())], _group_ids())
    return jsonify(_problems(problems))


@blueprint.post("/processes/deploy")
@login_required
def deploy() -> ResponseReturnValue:
    """Deploy the posted XML as the next version; 400 with the problems when the gate refuses it."""
    user = signed_in_user()
    _require_owner()
    body = DeployRequest.model_validate_json(request.get_data())
    try:
        with transaction(db.session()) as session:
            resource = Resource(body.resource_name, body.xml.encode())
            deployed = service.deploy(session, [resource], user.username, _group_ids())
            definition = deployed.processes[0]
            answer = {
                "key": str(definition.key),
                "version": definition.version,
                "url": url_for("processes.detail", process_id=definition.process_id),
            }
    except DeploymentRefused as refusal:
        return jsonify(_problems(refusal.problems)), 400
    return jsonify(answer)


def is_process_id(text: str) -> bool:
    """Whether `text` can be the id of a process: an XML name without a colon."""
    return re.fullmatch(r"[^\W\d][\w.-]*", text) is not None


def _group_ids() -> list[str]:
    return [group.id for group in people.list_groups(db.session())]


def _require_owner() -> None:
    if not may_deploy(signed_in_user()):
        raise Forbidden("Only process owners change processes.")


def _version() -> int | None:
    text = request.args.get("version", "")
    # More digits than a version ever has would not fit the column.
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _file_name(definition: ProcessDefinition) -> str:
    return definition.resource_name.rpartition("/")[2] or f"{definition.process_id}.bpmn"


def _problems(problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "problems": [
            {
                "elementId": problem.element_id,
                "line": problem.line,
                "severity": problem.severity,
                "message": problem.message,
            }
            for problem in problems
        ]
    }
