"""Protection of every request: forged requests are refused, browsers are told what a page may do, sizes are limited."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask.sessions import SecureCookieSessionInterface
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.middleware.proxy_fix import ProxyFix

from people.login import is_api_request, refused_attempt, uses_basic

#: Largest request body, in bytes.
LARGEST_REQUEST = 4 * 1024 * 1024

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

#: `unsafe-inline` for styles only: bpmn.io's canvases set style attributes. `blob:` for downloads, `data:` for icons.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

csrf = CSRFProtect()


class SessionCookie(SecureCookieSessionInterface):
    """The session cookie; over HTTPS it never travels without."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is for HTTPS only."""
        return request.is_secure


def init_app(app: Flask, proxies: int) -> None:
    """Protect `app`, which stands behind that many trusted reverse proxies."""
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        SESSION_COOKIE_NAME="baton_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # As long as the session: a worklist stays open all day.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    app.session_interface = SessionCookie()
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    csrf.init_app(app)
    app.before_request(_require_api_user)
    app.before_request(_refuse_forged_request)
    app.after_request(_add_headers)


def _require_api_user() -> None:
    if is_api_request() and not current_user.is_authenticated:
        if refusal := refused_attempt():
            raise refusal
        raise Unauthorized("Sign in, or send a username and password by HTTP Basic.")


def _refuse_forged_request() -> None:
    if request.method in _SAFE_METHODS or not current_app.config["WTF_CSRF_ENABLED"]:
        return
    if is_api_request() and request.authorization is not None:
        if not uses_basic():
            raise Forbidden("Credentials that a browser adds to another site's request are not taken.")
        return
    csrf.protect()


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.status_code == Unauthorized.code and "Sec-Fetch-Mode" not in request.headers and is_api_request():
        # Programs only: a browser would open its own dialogue over our page.
        response.headers.setdefault("WWW-Authenticate", 'Basic realm="Baton", charset="UTF-8"')
    if request.endpoint == "static":
        # The address holds the hash of the contents.
        if request.args.get("v"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        # What is written on a page is for its reader alone, and is old when they come back.
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
