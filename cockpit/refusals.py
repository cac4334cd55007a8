"""Refusals in the reader's words: what the pages of the control room say when something cannot be done."""

from __future__ import annotations

from flask_babel import gettext as _

from cockpit.errors import CaseChanged, InvalidValue, NoCaseChosen, NothingChosen, ReasonMissing, UnknownAssignee
from cockpit.said import said
from engine.errors import CalledByAnother, NotActive, NotEnded, StateUnreadable, Suspended


def sentence(refusal: Exception) -> str:
    """Return why it was refused, and what to do."""
    text = said(str(refusal))
    match refusal:
        case ReasonMissing():
            text = _("Say why: the reason is kept in the history of the case.")
        case NothingChosen():
            text = _("Choose at least one step that is left, reached or started.")
        case NoCaseChosen():
            text = _("Nothing was done: tick at least one case.")
        case CaseChanged():
            text = _("The case has changed since you looked at it. Nothing was done: look again.")
        case UnknownAssignee():
            text = _("There is no active user %(username)s.", username=refusal.username)
        case InvalidValue():
            text = _("The variable was not changed: it needs a name, and its value must be JSON.")
        case Suspended():
            text = _("The case is suspended. Resume it first.")
        case StateUnreadable():
            text = _("The stored state of this case cannot be read. Cancel it, then start it anew at the right step.")
        case NotEnded():
            text = _("The case still runs. Move it, or cancel it first.")
        case CalledByAnother():
            text = _("The case was started by another one and can only end with it.")
        case NotActive():
            text = _("Somebody was faster: this is not there any more. The page shows the case as it is now.")
    return text
