"""Parses types: `number`, `list<T>`, `context<name: T>`, `function<T> -> T`, `range<T>`, and named types."""

from __future__ import annotations

from feel import nodes
from feel.lexer import NAME
from feel.names import TYPES, plain_name
from feel.reader import TokenReader

MAX_TYPE_NESTING = 20


class TypeParser(TokenReader):
    """The part of the parser that reads types."""

    _type_nesting = 0

    def type(self) -> nodes.TypeNode:
        """The type that starts at the current token."""
        start = self.tokens[self.index].start
        self._type_nesting += 1
        if self._type_nesting > MAX_TYPE_NESTING:
            raise self.error("the type is nested too deeply", ())
        try:
            name = self._type_name()
            if self.at("<") and name in ("list", "range"):
                self.index += 1
                argument = self.type()
                self.expect(">")
                return nodes.TypeNode(start, name, (argument,), ())
            if self.at("<") and name == "context":
                return self._context_type(start)
            if self.at("<") and name == "function":
                return self._function_type(start)
            return nodes.TypeNode(start, name, (), ())
        finally:
            self._type_nesting -= 1

    def _type_name(self) -> str:
        token = self.tokens[self.index]
        if token.kind != NAME:
            raise self.unexpected(("a type",))
        if token.text in ("function", "null"):
            self.index += 1
            return token.text
        name, length = plain_name(self.tokens, self.index)
        for table in (TYPES, self.known):
            found = table.longest(self.tokens, self.index)
            if found is not None and found[1] > length:
                name, length = found
        self.index += length
        if self.accept("."):
            return f"{name}.{self._type_name()}"
        return name

    def _context_type(self, start: int) -> nodes.TypeNode:
        self.expect("<")
        names: list[str] = []
        arguments: list[nodes.TypeNode] = []
        while not self.at(">"):
            names.append(self.name_until((":",)))
            self.expect(":")
            arguments.append(self.type())
            if not self.accept(","):
                break
        self.expect(">")
        return nodes.TypeNode(start, "context", tuple(arguments), tuple(names))

    def _function_type(self, start: int) -> nodes.TypeNode:
        self.expect("<")
        arguments: list[nodes.TypeNode] = []
        while not self.at(">"):
            arguments.append(self.type())
            if not self.accept(","):
                break
        self.expect(">")
        self.expect("->")
        arguments.append(self.type())
        return nodes.TypeNode(start, "function", tuple(arguments), ())
