"""The session of a web request: `db.session` follows the same transaction rules as every other session."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, Engine, event

from database.base import Base
from database.replica import Replica
from database.session import prepare

#: Name of the setting that holds what goes into each session's `info`.
SESSION_INFO = "SESSION_INFO"

_REPLICA = "baton_replica"


class RequestSession(Session):
    """A session that carries the settings of the application it serves."""

    #: Something of what the request does is in the database for good, so it must not be done again.
    committed = False

    #: The replica that answers, and whether it has failed to.
    _asked: Replica | None = None
    _disappointed = False

    def __init__(self, db: SQLAlchemy, **options: Any) -> None:
        super().__init__(db, **options)
        self.info.update(current_app.config[SESSION_INFO])

    def get_bind(self, *arguments: Any, **options: Any) -> Engine | Connection:
        """Return where the statements go: to the primary, or to a replica."""
        if self._asked is not None:
            return self._asked.engine
        return super().get_bind(*arguments, **options)

    def ask_replica(self) -> None:
        """Read from the replica from now on, if there is one that may be asked; what was read before is forgotten.

        Raises ReplicaUnfit, and SQLAlchemy's errors: then `ask_primary`, as after every error of what is read.
        """
        replica = replica_of(current_app)
        if replica is None or self._disappointed or not replica.may_be_asked():
            return
        self.rollback()
        self._asked = replica
        # On the very connection on which everything else will be read: others may lead to other hosts.
        replica.look(self.connection())

    @property
    def asks_replica(self) -> bool:
        """Whether the replica answers."""
        return self._asked is not None

    def ask_primary(self, error: BaseException) -> None:
        """Read from the primary from now on, because of an error in what the replica was asked."""
        self.rollback()
        replica, self._asked, self._disappointed = self._asked, None, True
        if replica is not None:
            replica.failed(error)


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


def use_replica(app: Flask, url: str, most_seconds: float) -> None:
    """Let searches ask the replica at `url` as long as it is at most so many seconds old."""
    with app.app_context():
        app.extensions[_REPLICA] = Replica(url, most_seconds, of=db.engine)


def replica_of(app: Flask) -> Replica | None:
    """Return the replica that `app` may ask, whether it follows or not."""
    replica: Replica | None = app.extensions.get(_REPLICA)
    return replica
