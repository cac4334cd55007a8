"""Which variables an expression reads from outside."""

from __future__ import annotations

from collections.abc import Iterator

from feel import nodes


def free_names(root: nodes.Node) -> Iterator[nodes.Name]:
    """The names that the tree itself does not define, in no particular order; a called name is one too."""
    pending: list[tuple[nodes.Node, frozenset[str]]] = [(root, frozenset())]
    while pending:
        node, bound = pending.pop()
        if isinstance(node, nodes.Name):
            if node.name not in bound:
                yield node
            continue
        if isinstance(node, (nodes.For, nodes.Quantified)):
            for iteration in node.iterations:
                pending.append((iteration.source, bound))
                if iteration.end is not None:
                    pending.append((iteration.end, bound))
                bound = bound | {iteration.variable}
            if isinstance(node, nodes.For):
                pending.append((node.body, bound | {"partial"}))
            else:
                pending.append((node.condition, bound))
        elif isinstance(node, nodes.FunctionLiteral):
            pending.append((node.body, bound | set(node.parameters)))
        elif isinstance(node, nodes.ContextLiteral):
            for key, value in zip(node.keys, node.values, strict=True):
                pending.append((value, bound))
                bound = bound | {key}
        elif isinstance(node, nodes.Filter):
            pending.append((node.source, bound))
            pending.append((node.predicate, bound | {"item"}))
        elif not isinstance(node, nodes.TypeNode):
            pending.extend((child, bound) for child in node.children())
