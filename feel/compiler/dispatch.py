"""Finds the compiler of a node by its class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from feel import nodes
from feel.runtime import Code

_COMPILERS: dict[type[nodes.Node], Callable[[Any], Code]] = {}
_Node = TypeVar("_Node", bound=nodes.Node)


def compiles(
    node_class: type[_Node],
) -> Callable[[Callable[[_Node], Code]], Callable[[_Node], Code]]:
    """Registers a function as the compiler of a node class."""

    def register(function: Callable[[_Node], Code]) -> Callable[[_Node], Code]:
        _COMPILERS[node_class] = function
        return function

    return register


def compile_node(node: nodes.Node) -> Code:
    """The function that evaluates a node in a scope."""
    return _COMPILERS[type(node)](node)
