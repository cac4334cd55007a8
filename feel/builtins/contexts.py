"""Functions of contexts (DMN 1.5, table 81)."""

from __future__ import annotations

from feel.builtins.registry import builtin
from feel.runtime import Run
from feel.values import Value


@builtin("get value", "m: context", "key: string")
def get_value(run: Run, context: dict[str, Value], key: str) -> Value:
    """The entry of that key; null if there is none."""
    if key in context:
        return context[key]
    return run.null(f'the context has no entry "{key}"')


@builtin("get value", "context: context", "keys: list")
def get_value_at_path(run: Run, context: dict[str, Value], keys: list[Value]) -> Value:
    """The entry that a path of keys leads to; null if there is none (Camunda)."""
    value: Value = context
    for key in keys:
        if not isinstance(value, dict) or not isinstance(key, str) or key not in value:
            return run.null("the path leads to no entry")
        value = value[key]
    return value


@builtin("get entries", "m: context")
def get_entries(run: Run, context: dict[str, Value]) -> Value:
    """A list of contexts with `key` and `value`."""
    run.budget.make_list(len(context) * 3)
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "entries: list")
def context_of_entries(run: Run, entries: list[Value]) -> Value:
    """The context made of entries with `key` and `value`; null if a key is missing or stands twice."""
    run.budget.make_list(len(entries))
    result: dict[str, Value] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
            return run.null("an entry is a context with a string `key` and a `value`")
        if entry["key"] in result:
            return run.null(f'the key "{entry["key"]}" stands twice')
        result[entry["key"]] = entry["value"]
    return result


@builtin("context put", "context: context", "key: string", "value: any")
def context_put(run: Run, context: dict[str, Value], key: str, value: Value) -> Value:
    """The context with one entry added or replaced."""
    run.budget.make_list(len(context) + 1)
    return {**context, key: value}


@builtin("context put", "context: context", "keys: list", "value: any")
def context_put_at_path(run: Run, context: dict[str, Value], keys: list[Value], value: Value) -> Value:
    """The context with the entry that a path of keys leads to added or replaced."""
    if not keys or not all(isinstance(key, str) for key in keys):
        return run.null("the keys are a list of strings that is not empty")
    run.budget.make_list(len(context) + 1)
    if len(keys) == 1:
        return {**context, keys[0]: value}
    inner = context.get(keys[0])
    if inner is None:
        inner = {}
    if not isinstance(inner, dict):
        return run.null(f"`{keys[0]}` is not a context")
    changed = context_put_at_path(run, inner, keys[1:], value)
    return None if changed is None else {**context, keys[0]: changed}


@builtin("context merge", "contexts: list")
def context_merge(run: Run, contexts: list[Value]) -> Value:
    """One context with the entries of all; of equal keys the last counts."""
    result: dict[str, Value] = {}
    for context in contexts:
        if not isinstance(context, dict):
            return run.null("only contexts can be merged")
        run.budget.make_list(len(context))
        result.update(context)
    return result


@builtin("context merge", "...contexts: context")
def context_merge_arguments(run: Run, *contexts: Value) -> Value:
    """The same, the contexts given as arguments (Camunda)."""
    return context_merge(run, list(contexts))
