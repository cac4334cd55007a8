"""The history of instances in the formats that process-mining tools read."""

from engine.export.ocel import write_ocel
from engine.export.xes import write_xes

__all__ = ["write_ocel", "write_xes"]
