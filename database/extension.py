"""The session of a web request: `db.session` follows the same transaction rules as every other session."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import event

from database.base import Base
from database.session import prepare

#: Name of the setting that holds what goes into each session's `info`.
SESSION_INFO = "SESSION_INFO"


class RequestSession(Session):
    """A session that carries the settings of the application it serves."""

    #: Something of what the request does is in the database for good, so it must not be done again.
    committed = False

    def __init__(self, db: SQLAlchemy, **options: Any) -> None:
        super().__init__(db, **options)
        self.info.update(current_app.config[SESSION_INFO])


@event.listens_for(RequestSession, "after_commit")
def _note_commit(session: RequestSession) -> None:
    session.committed = True


db = SQLAlchemy(model_class=Base, session_options={"class_": RequestSession, "expire_on_commit": False})


def init_app(app: Flask, url: str, info: dict[str, object]) -> None:
    """Connect `app` to the database at `url`; each request's session gets `info`."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config[SESSION_INFO] = info
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
