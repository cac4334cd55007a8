"""What the webhooks room refuses."""

from __future__ import annotations

from engine.errors import NotFound


class NobodyWaits(NotFound):
    """No element waits for the message, and no process starts with it; it is not kept."""

    def __init__(self, name: str, correlation_key: str) -> None:
        super().__init__("receiver of the message", f"“{name}” with the correlation key “{correlation_key}”")
