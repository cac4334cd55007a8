"""Turns syntax trees into nested Python closures, so that evaluating does not look at the tree again."""

from __future__ import annotations

from feel.compiler.dispatch import compile_node
from feel.compiler.unary_tests import compile_unary_tests

# Each module registers the node classes it compiles.
from feel.compiler import collections as _collections  # noqa: F401  isort: skip
from feel.compiler import control as _control  # noqa: F401  isort: skip
from feel.compiler import functions as _functions  # noqa: F401  isort: skip
from feel.compiler import operators as _operators  # noqa: F401  isort: skip
from feel.compiler import paths as _paths  # noqa: F401  isort: skip

__all__ = ["compile_node", "compile_unary_tests"]
