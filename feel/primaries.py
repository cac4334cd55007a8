"""The innermost parts of expressions: literals, names, brackets, and what begins with a keyword."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from feel import nodes
from feel.errors import FeelSyntaxError
from feel.lexer import KEYWORDS, NAME, NUMBER, STRING, SYMBOL, Token
from feel.names import BUILT_INS, NameTable, plain_name
from feel.numbers import parse_number
from feel.temporal import parse_at_literal
from feel.type_parser import TypeParser

MAX_ENTRIES = 1_000
MAX_VARIABLES = 50
COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))


class PrimaryParser(TypeParser, ABC):
    """The part of the parser that reads primary expressions."""

    def __init__(self, text: str, known: NameTable) -> None:
        super().__init__(text, known)
        self._locals: list[NameTable] = []
        self._members = NameTable()
        self._in_range_end = False

    @abstractmethod
    def expression(self) -> nodes.Node:
        """A whole expression from the current token on."""

    @abstractmethod
    def positive_test(self) -> nodes.Node:
        """An expression, or a comparison operator with its right side."""

    def primary(self, token: Token) -> nodes.Node:
        if token.kind == NUMBER:
            self.index += 1
            value = parse_number(token.text)
            if value is None:
                raise FeelSyntaxError.at(self.text, token.start, f"the number {token.text[:40]} is out of range")
            return nodes.Literal(token.start, value)
        if token.kind == STRING:
            self.index += 1
            return nodes.Literal(token.start, token.text)
        if token.kind == NAME:
            return self._name_or_keyword(token)
        if token.kind == SYMBOL:
            if token.text == "[":
                return self._list_or_range(token)
            if token.text == "(":
                return self._parenthesis(token)
            if token.text == "{":
                return self._context(token)
            if token.text == "]":
                self.index += 1
                low = self.expression()
                self.expect("..")
                return self.range_rest(token, low)
            if token.text == "@" and self.tokens[self.index + 1].kind == STRING:
                self.index += 2
                text = self.tokens[self.index - 1].text
                moment = parse_at_literal(text)
                return nodes.InvalidLiteral(token.start, text) if moment is None else nodes.Literal(token.start, moment)
        raise self.unexpected(("an expression",))

    def _name_or_keyword(self, token: Token) -> nodes.Node:
        name, length = plain_name(self.tokens, self.index)
        for table in (*self._locals, self.known):
            found = table.longest(self.tokens, self.index)
            if found is not None and (found[1] > length or (found[1] == length and token.text in KEYWORDS)):
                name, length = found
                self.index += length
                return nodes.Name(token.start, name)
        if token.text in KEYWORDS and not token.quoted:
            return self._keyword(token)
        built_in = BUILT_INS.longest(self.tokens, self.index)
        if built_in is not None and built_in[1] > length and self.tokens[self.index + built_in[1]].text == "(":
            name, length = built_in
        self.index += length
        return nodes.Name(token.start, name)

    def _keyword(self, token: Token) -> nodes.Node:
        self.index += 1
        match token.text:
            case "true" | "false":
                return nodes.Literal(token.start, token.text == "true")
            case "null":
                return nodes.Literal(token.start, None)
            case "if":
                with self.inner():
                    condition = self.expression()
                    self.expect("then")
                    yes = self.expression()
                    self.expect("else")
                return nodes.If(token.start, condition, yes, self.expression())
            case "for":
                with self._iterations("return") as iterations:
                    return nodes.For(token.start, tuple(iterations), self.expression())
            case "some" | "every":
                with self._iterations("satisfies") as iterations:
                    return nodes.Quantified(token.start, token.text, tuple(iterations), self.expression())
            case "function":
                return self._function(token)
        self.index -= 1
        raise self.unexpected(("an expression",))

    @contextmanager
    def _iterations(self, closing: str) -> Iterator[list[nodes.Iteration]]:
        scope = NameTable()
        self._locals.append(scope)
        try:
            iterations: list[nodes.Iteration] = []
            while True:
                start = self.tokens[self.index].start
                if len(iterations) == MAX_VARIABLES:
                    raise self.error(f"an iteration may have at most {MAX_VARIABLES} variables", ())
                variable = self.name_until(("in",))
                self.expect("in")
                source = self.expression()
                end = self.expression() if self.accept("..") else None
                iterations.append(nodes.Iteration(start, variable, source, end))
                scope.add(variable)
                if not self.accept(","):
                    break
            self.expect(closing)
            yield iterations
        finally:
            self._locals.pop()

    def _function(self, token: Token) -> nodes.Node:
        self.expect("(")
        parameters: list[str] = []
        types: list[nodes.TypeNode | None] = []
        while not self.at(")"):
            parameters.append(self.name_until((":", ",", ")")))
            types.append(self.type() if self.accept(":") else None)
            if not self.accept(","):
                break
        self.expect(")")
        external = self.accept("external")
        self._locals.append(NameTable(parameters))
        try:
            body = self.expression()
        finally:
            self._locals.pop()
        return nodes.FunctionLiteral(token.start, tuple(parameters), tuple(types), body, external)

    def _parenthesis(self, token: Token) -> nodes.Node:
        self.index += 1
        with self.inner():
            operator = self.tokens[self.index]
            if operator.kind == SYMBOL and operator.text in COMPARISONS:
                node: nodes.Node = self.positive_test()
            else:
                node = self.expression()
                if self.accept(".."):
                    return self.range_rest(token, node)
        self.expect(")")
        return node

    def _list_or_range(self, token: Token) -> nodes.Node:
        self.index += 1
        items: list[nodes.Node] = []
        with self.inner():
            while not self.at("]"):
                items.append(self.positive_test())
                if len(items) == 1 and self.accept(".."):
                    return self.range_rest(token, items[0])
                if not self.accept(","):
                    break
                if self.at("]"):
                    raise self.unexpected(("a list item",))
        self.expect("]")
        return nodes.ListLiteral(token.start, tuple(items))

    def range_rest(self, opening: Token, low: nodes.Node) -> nodes.Node:
        outer, self._in_range_end = self._in_range_end, True
        try:
            high = self.expression()
        finally:
            self._in_range_end = outer
        closing = self.tokens[self.index]
        if closing.text not in ("]", ")", "["):
            raise self.unexpected(("]", ")", "["))
        self.index += 1
        return nodes.RangeLiteral(opening.start, low, high, opening.text == "[", closing.text == "]")

    def _context(self, token: Token) -> nodes.Node:
        self.expect("{")
        scope = NameTable()
        self._locals.append(scope)
        keys: list[str] = []
        values: list[nodes.Node] = []
        try:
            with self.inner():
                while not self.at("}"):
                    if len(keys) == MAX_ENTRIES:
                        raise self.error(f"a context may be written out with at most {MAX_ENTRIES} entries", ())
                    keys.append(self._key())
                    self.expect(":")
                    values.append(self.expression())
                    scope.add(keys[-1])
                    self._members.add(keys[-1])
                    if not self.accept(","):
                        break
                    if self.at("}"):
                        raise self.unexpected(("an entry",))
        finally:
            self._locals.pop()
        self.expect("}")
        return nodes.ContextLiteral(token.start, tuple(keys), tuple(values))

    def _key(self) -> str:
        token = self.tokens[self.index]
        if token.kind == STRING:
            self.index += 1
            return token.text
        return self.name_until((":",))

    @contextmanager
    def inner(self) -> Iterator[None]:
        """Inside brackets of its own a `[` is a filter again, even within the end of a range."""
        outer, self._in_range_end = self._in_range_end, False
        try:
            yield
        finally:
            self._in_range_end = outer
