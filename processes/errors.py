"""What the processes room refuses."""

from engine.errors import DeploymentRefused, EngineError, NotFound

__all__ = ["DeploymentRefused", "InvalidExpression", "NotFound"]


class InvalidExpression(EngineError):
    """The expression does not parse, takes too much, or gives something that is no JSON."""


class InvalidCalendar(Exception):
    """A calendar cannot be as it was entered; `place` is the weekday (1 Monday) or date, empty: all of it."""

    def __init__(self, place: str) -> None:
        super().__init__(f"The calendar's entry for {place or 'the week'} makes no sense.")
        self.place = place
