"""Answers to what goes wrong: problem details (RFC 9457) for the API, else a page or line in the reader's language."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.csrf import CSRFError
from pydantic import ValidationError
from sqlalchemy.exc import DataError, DBAPIError
from werkzeug.exceptions import HTTPException, InternalServerError

from cockpit.errors import CockpitError
from database.extension import db
from database.rest import InvalidCursor, Unsupported
from engine.errors import (
    AlreadyAssigned,
    CalledByAnother,
    ClockNotControllable,
    DeploymentRefused,
    DuplicateMessage,
    EngineError,
    InvalidVariables,
    NotActive,
    NotFound,
    Suspended,
)
from engine.problems import Problem
from people.errors import (
    Forbidden,
    GroupNotFound,
    InvalidUser,
    PeopleError,
    TooManyAttempts,
    UsernameTaken,
    UserNotFound,
)
from people.login import is_api_request
from tasks.errors import StillRunning

#: What a refusal of a room means in HTTP.
STATUSES: dict[type[Exception], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    NotActive: HTTPStatus.CONFLICT,
    AlreadyAssigned: HTTPStatus.CONFLICT,
    DuplicateMessage: HTTPStatus.CONFLICT,
    InvalidVariables: HTTPStatus.BAD_REQUEST,
    DeploymentRefused: HTTPStatus.BAD_REQUEST,
    CalledByAnother: HTTPStatus.CONFLICT,
    ClockNotControllable: HTTPStatus.FORBIDDEN,
    EngineError: HTTPStatus.BAD_REQUEST,
    StillRunning: HTTPStatus.GATEWAY_TIMEOUT,
    CockpitError: HTTPStatus.BAD_REQUEST,
    InvalidCursor: HTTPStatus.BAD_REQUEST,
    Unsupported: HTTPStatus.BAD_REQUEST,
    Forbidden: HTTPStatus.FORBIDDEN,
    UserNotFound: HTTPStatus.NOT_FOUND,
    GroupNotFound: HTTPStatus.NOT_FOUND,
    UsernameTaken: HTTPStatus.CONFLICT,
    InvalidUser: HTTPStatus.BAD_REQUEST,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    PeopleError: HTTPStatus.BAD_REQUEST,
}

#: Why rooms refuse, as people meet it on pages; rooms speak English, as the API does. Marked here for translation.
_REASONS = (
    lazy_gettext("Only administrators change users and groups."),
    lazy_gettext("You share no group with this person."),
    lazy_gettext("This task belongs to a group that you are not in."),
    lazy_gettext("Only the person who has this task, or a manager, can put it back."),
    lazy_gettext("Only managers change who does a task and until when."),
    lazy_gettext("Your groups do not start this process."),
    lazy_gettext("Only managers see what is stalled."),
    lazy_gettext("You take no part in this case, so you cannot see it."),
    lazy_gettext("Only managers intervene in a case."),
    lazy_gettext("Only process owners change processes."),
    lazy_gettext("Only process owners change the company's calendar."),
)

_log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Let `app` answer every error itself."""
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(ValidationError, _on_validation_error)
    app.register_error_handler(DeploymentRefused, _on_refused_deployment)
    app.register_error_handler(Suspended, _on_suspended)
    app.register_error_handler(DataError, unstorable)
    app.register_error_handler(Exception, _on_exception)
    for refusal in STATUSES:
        if refusal is not DeploymentRefused:
            app.register_error_handler(refusal, _on_refusal)


def problem(status: int, detail: str, **extensions: object) -> ResponseReturnValue:
    """Return problem details; `extensions` are further members."""
    answer = jsonify(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).name,
            "status": status,
            "detail": detail,
            "instance": request.path,
            **extensions,
        }
    )
    answer.content_type = "application/problem+json"
    return answer, status


def error_page(status: int, detail: str = "") -> ResponseReturnValue:
    """Return a page that says what happened and what to do; one line of it where htmx asks."""
    template = "errors/line.html" if request.headers.get("HX-Request") == "true" else "errors/page.html"
    title, advice = _words(status)
    return render_template(template, status=status, title=title, advice=advice, detail=detail), status


def _answer(status: int, detail: str) -> ResponseReturnValue:
    return problem(status, detail) if is_api_request() else error_page(status, _(detail) if detail else "")


def _on_http_exception(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:
        return error.get_response(request.environ)
    if is_api_request():
        return problem(status, error.description or HTTPStatus(status).description)
    if isinstance(error, CSRFError):
        return error_page(status, _("This page was open for too long or in another session. Reload it and try again."))
    return error_page(status)


def _on_validation_error(error: ValidationError) -> ResponseReturnValue:
    findings = "; ".join(
        f"{'.'.join(str(part) for part in finding['loc']) or 'body'}: {finding['msg']}" for finding in error.errors()
    )
    return _answer(HTTPStatus.BAD_REQUEST, findings)


def _on_suspended(error: Suspended) -> ResponseReturnValue:
    if is_api_request():
        return problem(HTTPStatus.CONFLICT, str(error))
    return render_template(
        "errors/line.html" if request.headers.get("HX-Request") == "true" else "errors/page.html",
        status=HTTPStatus.CONFLICT,
        title=_("This case stands still"),
        advice=_("A manager has suspended it. It goes on when it is resumed; until then nobody can work on it."),
        detail="",
    ), HTTPStatus.CONFLICT


def _on_refusal(error: Exception) -> ResponseReturnValue:
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return _answer(status, str(error))


def _on_refused_deployment(error: DeploymentRefused) -> ResponseReturnValue:
    if not is_api_request():
        return error_page(HTTPStatus.BAD_REQUEST, str(error))
    return problem(HTTPStatus.BAD_REQUEST, str(error), problems=[_finding(found) for found in error.problems])


def _finding(found: Problem) -> dict[str, object]:
    return {
        "resource": found.resource,
        "elementId": found.element_id,
        "line": found.line,
        "severity": found.severity,
        "message": found.message,
    }


def unstorable(error: DBAPIError) -> ResponseReturnValue:
    """Answer that a value of the request is beyond what the database can keep."""
    _log.warning("a value cannot be stored", path=request.path, error=str(error.orig))
    db.session.rollback()
    return _answer(HTTPStatus.BAD_REQUEST, "A number or text is larger than the database can keep.")


def _on_exception(error: Exception) -> ResponseReturnValue:
    _log.exception("request failed", path=request.path)
    # The page asks the database who is reading; the failed transaction must be over by then.
    db.session.rollback()
    reference = str(g.get("request_id", ""))
    if is_api_request():
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"The server failed; its log tells why under {reference}.")
    return error_page(InternalServerError.code, _("Please tell your administrator this number: %(id)s", id=reference))


def _words(status: int) -> tuple[str, str]:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return _("Please sign in"), _("You have to sign in to see this page.")
        case HTTPStatus.FORBIDDEN:
            return (
                _("This is not yours to see"),
                _("Your groups and your role do not give you access. If you need it, ask your administrator."),
            )
        case HTTPStatus.NOT_FOUND:
            return _("There is nothing here"), _("The address is wrong, or what was here is gone.")
        case HTTPStatus.CONFLICT:
            return (
                _("Somebody was faster"),
                _("What you wanted to change has changed meanwhile. Go back, reload the page and look again."),
            )
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return _("This is too large"), _("The server takes 4 MB at most.")
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _("Too many attempts"), _("Please wait a while and try again.")
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            return _("The server failed"), _("Nothing was changed. Please try again.")
        case _:
            return _("This did not work"), _("The server did not understand what was sent. Go back and try again.")
