"""What the processes room refuses."""

from engine.errors import DeploymentRefused, NotFound

__all__ = ["DeploymentRefused", "NotFound"]
