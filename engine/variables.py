"""Variables by Camunda 8's rules: looked up outward, written to the scope that declares them, else the instance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

import feel
from database import dumps
from database.prepared import Prepared
from engine.errors import InvalidVariables
from engine.keys import new_key
from engine.models import Variable
from engine.paths import put_path

if TYPE_CHECKING:
    from engine.tokens import Token
    from engine.workflow import Execution

#: Most bytes of JSON text in one command's variables.
SIZE_LIMIT = 4_000_000

#: Characters of a name by which rows are found; three of such names fit into one entry of a PostgreSQL index.
LONGEST_NAME = 255


@cache
def _of_scopes(count: int) -> Prepared:
    scopes: list[Any] = [bindparam(f"scope{number}") for number in range(count)]
    columns = (Variable.scope_key, Variable.name, Variable.value, Variable.key)
    return Prepared(select(*columns).where(Variable.scope_key.in_(scopes)))


def of_scopes(keys: Sequence[int]) -> tuple[Prepared, dict[str, Any]]:
    """Return the query for the variables of these scopes, with its parameters; `Variables.loaded` takes its rows."""
    return _of_scopes(len(keys)), {f"scope{number}": key for number, key in enumerate(keys)}


def checked(variables: object) -> dict[str, Any]:
    """Return `variables` if they are a JSON object of bearable size; raises InvalidVariables."""
    if not isinstance(variables, dict) or not all(isinstance(name, str) for name in variables):
        raise InvalidVariables("Variables must be a JSON object.")
    if any(len(name) > LONGEST_NAME for name in variables):
        raise InvalidVariables(f"The name of a variable may have {LONGEST_NAME} characters.")
    try:
        size = len(dumps(variables))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidVariables(f"Variables must be plain JSON: {error}.") from None
    if size > SIZE_LIMIT:
        raise InvalidVariables(f"Variables may have {SIZE_LIMIT} bytes; these have {size}.")
    return variables


class Variables:
    """The variables of one instance during one command; scopes are read when first looked at, written at the end."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._scopes: dict[int, dict[str, Any]] = {}
        self._keys: dict[tuple[int, str], int] = {}
        #: Anything was written: the title is worth a new look.
        self.changed = False
        #: Anything was written since conditions were last looked at.
        self.written = False

    def opened(self, scope_key: int) -> None:
        """Tell that a scope was made in this command, so that nothing of it is stored."""
        self._scopes[scope_key] = {}

    def loaded(self, scope_keys: Iterable[int], rows: Iterable[Sequence[Any]] = ()) -> None:
        """Take the variables of some scopes, which somebody has asked for with something else."""
        for key in scope_keys:
            self._scopes[key] = {}
        for scope_key, name, value, key in rows:
            self._scopes[scope_key][name] = value
            self._keys[scope_key, name] = key

    def local(self, token: Token) -> dict[str, Any]:
        """Return the variables that the token's own scope declares."""
        self._load([token])
        return dict(self._scopes[token.key])

    def visible(self, token: Token) -> dict[str, Any]:
        """Return everything visible from the token: inner scopes hide outer ones."""
        chain = self._chain(token)
        result: dict[str, Any] = {}
        for scope in reversed(chain):
            result.update(self._scopes[scope.key])
        return result

    def view(self, token: Token, extra: Mapping[str, Any] | None = None) -> ScopeView:
        """Return the context in which expressions at the token are evaluated; `extra` hides everything else."""
        scopes = [self._scopes[scope.key] for scope in self._chain(token)]
        return ScopeView([dict(extra), *scopes] if extra else scopes)

    def change(self, token: Token, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the audit trail keeps of variables that a command brings: these, and what they were before."""
        seen = self.visible(token)
        return {"variables": variables, "before": {name: seen[name] for name in variables if name in seen}}

    def set_local(self, token: Token, name: str, value: Any) -> None:
        """Declare a variable in the token's own scope."""
        self._load([token])
        self._write(token.key, name, value)

    def set_path(self, token: Token, path: str, value: Any) -> None:
        """Declare `a.b.c` in the token's own scope, keeping what stands beside it."""
        name, _, rest = path.partition(".")
        if not rest:
            self.set_local(token, name, value)
            return
        self._load([token])
        current = self._scopes[token.key].get(name)
        holder = {name: dict(current) if isinstance(current, dict) else {}}
        put_path(holder, path, value)
        self._write(token.key, name, holder[name])

    def merge(self, token: Token, values: Mapping[str, Any]) -> None:
        """Write each variable to the nearest scope, from the token outward, that declares it, else to the instance."""
        chain = self._chain(token)
        for name, value in values.items():
            owner = next((scope for scope in chain if name in self._scopes[scope.key]), chain[-1])
            self._write(owner.key, name, value)

    def _chain(self, token: Token) -> list[Token]:
        chain = [token]
        while (parent := chain[-1].parent) is not None:
            chain.append(parent)
        self._load(chain)
        return chain

    def _load(self, tokens: list[Token]) -> None:
        missing = [token.key for token in tokens if token.key not in self._scopes]
        if not missing:
            return
        statement, parameters = of_scopes(missing)
        self.loaded(missing, statement.rows(self._execution.session.connection(), **parameters))

    def _write(self, scope_key: int, name: str, value: Any) -> None:
        self.changed = self.written = True
        scope = self._scopes[scope_key]
        changes, now = self._execution.changes, self._execution.now
        key = self._keys.get((scope_key, name))
        if key is None:
            key = self._keys[scope_key, name] = new_key()
            changes.insert(
                Variable,
                key=key,
                instance_key=self._execution.instance_key,
                scope_key=scope_key,
                name=name,
                value=value,
                updated_at=now,
            )
        else:
            changes.update(Variable, key, value=value, updated_at=now)
        scope[name] = value


class ScopeView(Mapping[str, object]):
    """The variables visible from a token as FEEL values, converted when they are read."""

    __slots__ = ("_scopes", "read")

    def __init__(self, scopes: list[dict[str, Any]]) -> None:
        self._scopes = scopes
        #: What an expression has looked at, for the incident's report.
        self.read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> object:
        for scope in self._scopes:
            if name in scope:
                value = self.read[name] = scope[name]
                return feel.from_json(value)
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(name in scope for scope in self._scopes)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for scope in self._scopes for name in scope))

    def __len__(self) -> int:
        return len(dict.fromkeys(name for scope in self._scopes for name in scope))
