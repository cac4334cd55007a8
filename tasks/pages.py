"""Pages of the tasks room: the worklist, one task with its form, and starting a process."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_required

from database import loads, transaction
from database.counting import told
from database.extension import db
from engine.errors import AlreadyAssigned, NotActive, Suspended
from people.login import signed_in_user
from tasks import presentation, service, starting
from tasks.detail import detail
from tasks.errors import InvalidForm
from tasks.worklist import PAGE_SIZE, ProcessCount, Whose, counts, open_names, several, worklist

#: Keys are 63-bit integers; nothing can be found under a larger one.
_LARGEST_KEY = 2**63 - 1

blueprint = Blueprint("tasks", __name__, template_folder="templates")
blueprint.add_app_template_filter(presentation.label, "label")
blueprint.add_app_template_filter(presentation.documentation, "documentation")
blueprint.add_app_template_filter(presentation.fact, "fact")
blueprint.add_app_template_filter(presentation.island_json, "island_json")
blueprint.add_app_template_filter(told)


@blueprint.get("/tasks")
@login_required
def show_worklist() -> ResponseReturnValue:
    """List the open tasks of one view."""
    return render_template("tasks/worklist.html", **_worklist_context())


@blueprint.get("/tasks/news")
@login_required
def worklist_news() -> ResponseReturnValue:
    """Tell the open worklist what has changed: its rows as they are now, each in its place; new ones in one line."""
    context = _worklist_context()
    shown = _shown_keys()
    context["shown"] = dict.fromkeys(shown) | several(db.session(), signed_in_user(), shown)
    context["news"] = [row for row in context["worklist"].rows if row.key not in context["shown"]]
    return render_template("tasks/_news.html", **context)


@blueprint.get(f"/tasks/<int(max={_LARGEST_KEY}):key>")
@login_required
def show_task(key: int) -> ResponseReturnValue:
    """Show one task with its form and its case."""
    return _task_page(key)


@blueprint.post(f"/tasks/<int(max={_LARGEST_KEY}):key>/claim")
@login_required
def claim(key: int) -> ResponseReturnValue:
    """Take a task; from the worklist its row is answered, from its own page what has changed on it."""
    user = signed_in_user()
    try:
        with transaction(db.session()) as session:
            service.claim(session, user, key)
    except Suspended:
        raise  # nobody was faster: the case stands still
    except (AlreadyAssigned, NotActive):
        return (_row(key, taken=True), 409) if _asks_for("row") else _taken(key)
    if _asks_for("row"):
        return _row(key)
    if _asks_for("page"):
        return render_template("tasks/_claimed.html", task=detail(db.session(), signed_in_user(), key), came=_came())
    return redirect(url_for("tasks.show_task", key=key, **_came()))


@blueprint.post(f"/tasks/<int(max={_LARGEST_KEY}):key>/return")
@login_required
def return_task(key: int) -> ResponseReturnValue:
    """Put a task back for the others of its groups."""
    with transaction(db.session()) as session:
        service.return_task(session, signed_in_user(), key)
    flash(_("The task is back with its group."))
    return redirect(url_for("tasks.show_worklist", **_came()))


@blueprint.post(f"/tasks/<int(max={_LARGEST_KEY}):key>/assign")
@login_required
def assign(key: int) -> ResponseReturnValue:
    """Hand a task on to somebody else."""
    username = request.form.get("username", "")
    with transaction(db.session()) as session:
        service.assign(session, signed_in_user(), key, username)
    flash(_("The task is handed on."))
    return redirect(url_for("tasks.show_worklist", **_came()))


@blueprint.post(f"/tasks/<int(max={_LARGEST_KEY}):key>/complete")
@login_required
def complete(key: int) -> ResponseReturnValue:
    """Complete a task with what its form brought, and lead on: to the next step of the case, else to the list.

    After a refusal the form comes back with everything entered.
    """
    user = signed_in_user()
    try:
        with transaction(db.session()) as session:
            completed = service.complete(session, user, key, _entered())
    except InvalidForm as refusal:
        return _task_page(key, refusal), 400
    except Suspended:
        raise  # nobody was faster: the case stands still
    except (AlreadyAssigned, NotActive):
        return _taken(key)
    flash(_done_message(completed))
    if completed.next_task_key is not None:
        return redirect(url_for("tasks.show_task", key=completed.next_task_key, **_came()))
    return redirect(url_for("tasks.show_worklist", **_came()))


@blueprint.get("/start")
@login_required
def show_startable() -> ResponseReturnValue:
    """List the processes that the person may start, by folder of the library."""
    folders: dict[str, list[starting.Startable]] = {}
    for process in starting.startable(db.session(), signed_in_user()):
        folders.setdefault(presentation.folder(process.folder), []).append(process)
    return render_template("tasks/startable.html", folders=folders)


@blueprint.get("/start/<process_id>")
@login_required
def show_start(process_id: str) -> ResponseReturnValue:
    """Show the form that starts a process."""
    return _start_page(process_id)


@blueprint.post("/start/<process_id>")
@login_required
def start(process_id: str) -> ResponseReturnValue:
    """Start a process; lead to its first step if that falls to the same person, else to the new instance."""
    user = signed_in_user()
    try:
        with transaction(db.session()) as session:
            started = starting.start(session, user, process_id, _entered())
    except InvalidForm as refusal:
        return _start_page(process_id, refusal), 400
    flash(_("The process has started."))
    if started.first_task_key is not None:
        return redirect(url_for("tasks.show_task", key=started.first_task_key))
    return redirect(_instance_path(started.instance_key))


def _worklist_context() -> dict[str, Any]:
    session, user = db.session(), signed_in_user()
    by_process = counts(session, user)
    whose = _whose(by_process)
    search, process_id = request.args.get("search", ""), request.args.get("process", "")
    names = presentation.names_matching(search, open_names(session) if search.strip() else ())
    try:
        listed = worklist(
            session,
            user,
            whose,
            search=search,
            names=names,
            process_id=process_id,
            cursor=request.args.get("cursor"),
        )
    except ValueError:
        abort(400)
    return {
        "came": {**_came(), "whose": whose.value},
        "whose": whose,
        "search": search,
        "process_id": process_id,
        "cursor": request.args.get("cursor"),
        "worklist": listed,
        "processes": by_process,
        "totals": _totals(by_process),
    }


def _shown_keys() -> list[int]:
    """Return the keys of the rows that the open worklist shows."""
    keys = [int(key) for key in re.findall(r"\d{1,19}", request.args.get("rows", ""), re.ASCII)]
    return [key for key in keys[:PAGE_SIZE] if key <= _LARGEST_KEY]


def _totals(by_process: list[ProcessCount]) -> dict[str, int]:
    return {view.value: sum(getattr(process, view.value) for process in by_process) for view in Whose}


def _whose(by_process: list[ProcessCount]) -> Whose:
    asked = request.args.get("whose")
    if asked in list(Whose):
        return Whose(asked)
    # Who has nothing in hand looks for something to take.
    return Whose.MINE if any(process.mine for process in by_process) else Whose.GROUPS


def _row(key: int, *, taken: bool = False) -> str:
    session, user = db.session(), signed_in_user()
    row = several(session, user, [key]).get(key)
    totals = _totals(counts(session, user))
    return render_template(
        "tasks/_claimed_row.html", key=key, row=row, taken=taken, totals=totals, whose=None, came=_came()
    )


def _task_page(key: int, refusal: InvalidForm | None = None) -> str:
    task = detail(db.session(), signed_in_user(), key)
    form = None
    if task.form is not None:
        form = {
            "schema": presentation.form(task.form),
            "data": {**task.data, **(refusal.entered if refusal else {})},
            "errors": presentation.errors(refusal.validation) if refusal else {},
        }
    return render_template(
        "tasks/task.html",
        task=task,
        form=form,
        refused=refusal is not None,
        came=_came(),
    )


def _taken(key: int) -> ResponseReturnValue:
    """Say who was faster."""
    task = detail(db.session(), signed_in_user(), key)
    return render_template("tasks/taken.html", task=task, instance_path=_instance_path(task.task.instance_key)), 409


def _start_page(process_id: str, refusal: InvalidForm | None = None) -> str:
    process = starting.start_form(db.session(), signed_in_user(), process_id)
    form = None
    if process.form is not None:
        form = {
            "schema": presentation.form(process.form),
            "data": refusal.entered if refusal else {},
            "errors": presentation.errors(refusal.validation) if refusal else {},
        }
    return render_template("tasks/start.html", process=process, form=form, refused=refusal is not None)


def _entered() -> dict[str, Any]:
    """Return the JSON object that the form island sent; without a form it sends none."""
    try:
        entered = loads(request.form.get("variables") or "{}")
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(entered, dict):
        abort(400)
    return entered


def _done_message(completed: service.Completed) -> str:
    done = _("“%(task)s” is done.", task=presentation.label(completed.task_name))
    if completed.next_task_key is None:
        return str(done)
    return f"{done} {_('This is the next step of the case.')}"


def _came() -> dict[str, Any]:
    """Return the list that the person came from, as its address says it: view, filter, page."""
    return {name: value for name in ("whose", "search", "process", "cursor") if (value := request.args.get(name))}


def _asks_for(part: str) -> bool:
    return request.headers.get("HX-Request") == "true" and request.args.get("part") == part


def _instance_path(instance_key: int) -> str:
    # The page belongs to the cockpit, which this room does not know.
    return f"/instances/{instance_key}"
