"""What the processes room refuses."""

from engine.errors import DeploymentRefused, EngineError, NotFound

__all__ = ["DeploymentRefused", "InvalidExpression", "NotFound"]


class InvalidExpression(EngineError):
    """The expression does not parse, takes too much, or gives something that is no JSON."""
