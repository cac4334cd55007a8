"""Layout: writes complete, readable diagram interchange for BPMN files ("tidy up")."""

from processes.layout.diagram import tidy
from processes.layout.fitting import fit_labels
from processes.layout.model import LayoutError

__all__ = ["LayoutError", "fit_labels", "tidy"]
