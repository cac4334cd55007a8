"""Forms of bpmn.io: the deployment check of a schema, and the validation of what was entered, as in the browser."""

from tasks.forms.check import check
from tasks.forms.components import input_names, read
from tasks.forms.sentences import Sentence
from tasks.forms.validation import Validation, validate

__all__ = ["Sentence", "Validation", "check", "input_names", "read", "validate"]
