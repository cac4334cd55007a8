"""Patience: a request whose transaction the database gave up is answered anew instead of being refused."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, Response, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError

from database.errors import OutcomeUnknown
from database.extension import RequestSession, db
from database.retrying import retryable, retrying
from people.login import is_api_request
from web.errors import problem, unstorable

_log = structlog.get_logger(__name__)

#: PostgreSQL's SQLSTATE for a text that is too long for an index.
_BEYOND_A_LIMIT = "54000"

#: Seconds that a client should wait before it asks again.
_RETRY_AFTER = "5"

# Who is reading, and so in which language, only the database knows.
_PAGE = """<!doctype html><meta charset="utf-8"><title>Baton</title>
<p>数据库暂时没有应答。请稍候再试；如果您刚才提交了内容，请先看看是否已经完成。</p>
<p>The database does not answer. Please try again in a moment; if you have just sent something, look first whether it
was done.</p>
"""


class PatientFlask(Flask):
    """Calls a view again, while nothing of the request is in the database, after a deadlock or a broken connection.

    What a replica has failed to answer is asked of the primary.
    """

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer the request."""
        session = db.session()
        assert isinstance(session, RequestSession)
        # That somebody has signed in with the request was noted before, and is not noted again.
        session.committed = False

        def again(error: BaseException) -> bool:
            if session.committed or session.asks_replica or not retryable(error):
                return False
            session.rollback()
            for _, file in request.files.items(multi=True):
                file.stream.seek(0)
            return True

        try:
            return retrying(super().dispatch_request, again=again)
        except Exception as error:
            if not session.asks_replica:
                raise
            # Whatever it is: it may be that the replica does not know yet what the primary does.
            session.ask_primary(error)
        return retrying(super().dispatch_request, again=again)


def init_app(app: Flask) -> None:
    """Let `app` say so when the database does not answer."""
    for kind in (OperationalError, InterfaceError, OutcomeUnknown):
        app.register_error_handler(kind, _on_database_away)


def _on_database_away(error: Exception) -> Response:
    if isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) == _BEYOND_A_LIMIT:
        return make_response(unstorable(error))
    _log.error("the database does not answer", path=request.path, error=str(error))
    if is_api_request():
        detail = str(error) if isinstance(error, OutcomeUnknown) else "The database does not answer."
        answer = make_response(problem(HTTPStatus.SERVICE_UNAVAILABLE, detail))
    else:
        answer = make_response(_PAGE, HTTPStatus.SERVICE_UNAVAILABLE)
    answer.headers["Retry-After"] = _RETRY_AFTER
    return answer
