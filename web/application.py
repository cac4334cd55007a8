"""The application factory: puts the rooms together behind one door."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from flask import Flask

from database import extension, session_factory
from engine import clock
from people import login
from web import api, assets, errors, health, localisation, logs, navigation, patience, security
from web.configuration import Configuration
from web.patience import PatientFlask

_ROOMS = ("people", "tasks", "processes", "cockpit", "webhooks")

#: How long a session lasts after the last request.
_SESSION_LIFETIME = timedelta(hours=12)


def create_app(configuration: Configuration) -> Flask:
    """Return the application for `configuration`; the database must have been migrated before requests come."""
    app = PatientFlask(__name__)
    app.config.update(
        SECRET_KEY=configuration.secret_key,
        PERMANENT_SESSION_LIFETIME=_SESSION_LIFETIME,
        ZONE=configuration.zone.key,
        CLOCK_CONTROL=configuration.clock_control,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.do")
    logs.init_app(app)
    info = configuration.engine().info()
    extension.init_app(app, configuration.database_url, info)
    if configuration.replica_url:
        extension.use_replica(app, configuration.replica_url, configuration.replica_seconds)
    with app.app_context():
        app.extensions["sessions"] = session_factory(extension.db.engine, **info)
    login.init_app(app, clock.now)
    localisation.init_app(app, configuration.zone)
    errors.init_app(app)
    patience.init_app(app)
    assets.init_app(app)
    security.init_app(app, configuration.proxies)
    app.context_processor(_template_names)
    app.add_url_rule("/", "home", navigation.home)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(api.blueprint)
    for room in _ROOMS:
        for door in ("pages", "api"):
            if find_spec(f"{room}.{door}") is not None:
                app.register_blueprint(import_module(f"{room}.{door}").blueprint)
    if configuration.clock_control:
        from web.demo import pages

        app.register_blueprint(pages.blueprint)
    return app


def _template_names() -> dict[str, Any]:
    return {
        **login.template_globals(),
        "asset": assets.asset,
        "here": navigation.here,
        "language": localisation.language(),
        "now": localisation.now,
        "places": navigation.places,
        "zone": localisation.zone(),
    }
