"""Pages on which a manager moves running cases of a process to another version."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from cockpit import batches, moving_versions
from cockpit.errors import CockpitError, NoCaseChosen, ReasonMissing
from cockpit.moving_versions import Preview, Row
from cockpit.refusals import sentence
from cockpit.service import require_manager
from cockpit.ticked import ticked
from database import transaction
from database.extension import db
from engine.batch_kinds import MigrateInstances
from engine.errors import NotFound
from engine.migration import MigrationPlan
from engine.models import ProcessInstance, ProcessState
from people.login import signed_in_user
from processes import catalogue
from processes.catalogue import VersionRow

blueprint = Blueprint("migration", __name__)

_MAP = "map:"


@blueprint.get("/processes/<process_id>/migration")
@login_required
def show(process_id: str) -> ResponseReturnValue:
    """Ask which version the cases of a process move to, and what becomes of each step."""
    return _page(process_id)


@blueprint.post("/processes/<process_id>/migration")
@login_required
def migrate(process_id: str) -> ResponseReturnValue:
    """Tell what the plan would mean for each running case, or let workers carry it out."""
    user = signed_in_user()
    require_manager(user)
    if request.form.get("step") == "look":
        return _page(process_id, look=True)
    try:
        source_key, target_key = _versions(catalogue.versions(db.session(), process_id))
        reason = request.form.get("reason", "").strip()
        if not reason:
            raise ReasonMissing
        cases = (ProcessInstance.definition_key == source_key) & (ProcessInstance.state == ProcessState.ACTIVE)
        if request.form.get("step") != "all":
            if not (chosen := ticked()):
                raise NoCaseChosen
            cases &= ProcessInstance.key.in_(chosen)
        with transaction(db.session()) as session:
            kind = MigrateInstances(target_key, _mapping())
            operation = batches.begin(session, user, kind, cases, reason)
            address = url_for("cockpit.batch.show", key=operation.key)
    except CockpitError as error:
        return _page(process_id, look=True, refusal=error)
    return redirect(address)


def _page(process_id: str, *, look: bool = False, refusal: CockpitError | None = None) -> ResponseReturnValue:
    session = db.session()
    require_manager(signed_in_user())
    versions = catalogue.versions(session, process_id)
    plan: MigrationPlan | None = None
    rows: list[Row] = []
    previews: list[Preview] = []
    source_key, total = 0, 0
    if len(versions) > 1:
        source_key, target_key = _versions(versions)
        chosen = _mapping() if request.method == "POST" else None
        rows = moving_versions.rows(session, source_key, target_key, chosen)
        mapping = {row.source.id: row.target_id for row in rows if row.target_id}
        plan = MigrationPlan(target_key, mapping)
        if look:
            previews, total = moving_versions.previews(session, source_key, plan)
            # What the dry run has thought of is not written.
            session.rollback()
            versions = catalogue.versions(session, process_id)
    page = render_template(
        "cockpit/migration.html",
        process=versions[0].definition,
        versions=versions,
        source_key=source_key,
        target_key=plan.target_definition_key if plan else None,
        rows=rows,
        look=look,
        previews=previews,
        total=total,
        chosen=set(request.form.getlist("case")),
        reason=request.form.get("reason", ""),
        refusal=sentence(refusal) if refusal else "",
    )
    return page, 400 if refusal else 200


def _versions(versions: list[VersionRow]) -> tuple[int, int]:
    """Return the versions to move from and to: as chosen, else what most cases run in and the newest."""
    keys = [row.definition.key for row in versions]
    given = [request.values.get(name, "") for name in ("source", "target")]
    usual = moving_versions.newest_other(db.session(), versions[0].definition.process_id)
    if usual is None:
        raise NotFound("other version of", versions[0].definition.process_id)
    source, target = (
        int(text) if text.isdecimal() and len(text) < 20 and int(text) in keys else key
        for text, key in zip(given, usual, strict=True)
    )
    return source, target


def _mapping() -> dict[str, str]:
    """Return what was chosen for each element and flow."""
    return {
        name.removeprefix(_MAP): target for name, target in request.form.items() if name.startswith(_MAP) and target
    }
