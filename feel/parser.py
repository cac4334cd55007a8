"""FEEL text to syntax tree: precedence climbing over the grammar of DMN 1.5, section 10.3.1.2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from feel import nodes
from feel.errors import FeelSyntaxError
from feel.lexer import END, KEYWORDS, NAME, NUMBER, STRING, SYMBOL, Token
from feel.names import BUILT_INS, NameTable, plain_name
from feel.numbers import parse_number
from feel.temporal import parse_at_literal
from feel.type_parser import TypeParser

MAX_NESTING = 80
MAX_CHAIN = 200

OR, AND, COMPARISON, ADDITION, MULTIPLICATION, POWER, NEGATION, INSTANCE = range(1, 9)
_BINDING = {
    "or": OR, "and": AND,
    "=": COMPARISON, "!=": COMPARISON, "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON, ">=": COMPARISON,
    "between": COMPARISON, "in": COMPARISON,
    "+": ADDITION, "-": ADDITION, "*": MULTIPLICATION, "/": MULTIPLICATION, "**": POWER,
    "instance": INSTANCE,
}  # fmt: skip
_COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))


class Parser(TypeParser):
    """Parses one text once."""

    def __init__(self, text: str, known: NameTable) -> None:
        super().__init__(text, known)
        self._locals: list[NameTable] = []
        self._members = NameTable()
        self._in_range_end = False

    # Entry points

    def parse_expression(self) -> nodes.Node:
        """The whole text as one expression."""
        node = self.expression()
        self.expect_end()
        return node

    def parse_unary_tests(self) -> nodes.UnaryTests:
        """The whole text as the cell of a decision table (grammar rules 13-15)."""
        token = self.tokens[0]
        if token.text == "-" and self.tokens[1].kind == END and token.kind == SYMBOL:
            return nodes.UnaryTests(0, (), False)
        if token.text == "not" and token.kind == NAME and self.tokens[1].text == "(":
            negated = self.attempt(self._negated_tests)
            if negated is not None:
                return negated
        tests = self._positive_tests()
        self.expect_end()
        return nodes.UnaryTests(0, tests, False)

    def _negated_tests(self) -> nodes.UnaryTests:
        self.index = 2
        tests = self._positive_tests()
        self.expect(")")
        self.expect_end()
        return nodes.UnaryTests(0, tests, True)

    def _positive_tests(self) -> tuple[nodes.Node, ...]:
        tests = [self._positive_test(OR)]
        while self.accept(","):
            tests.append(self._positive_test(OR))
        return tuple(tests)

    def _positive_test(self, binding: int) -> nodes.Node:
        token = self.tokens[self.index]
        if token.kind == SYMBOL and token.text in _COMPARISONS:
            self.index += 1
            return nodes.OperatorTest(token.start, token.text, self.expression(ADDITION))
        return self.expression(binding)

    def expect_end(self) -> None:
        """Refuses anything that is left over."""
        if self.tokens[self.index].kind != END:
            raise self.unexpected(("an operator", "the end of the expression"))

    # Operators

    def expression(self, binding: int = OR) -> nodes.Node:
        """An expression whose operators bind at least this tightly."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._too_deep()
        node = self._climb(self._prefix(), binding)
        self._nesting -= 1
        return node

    def _climb(self, left: nodes.Node, binding: int) -> nodes.Node:
        for _ in range(MAX_CHAIN):
            token = self.tokens[self.index]
            level = _BINDING.get(token.text) if token.kind in (SYMBOL, NAME) and not token.quoted else None
            if level is None or level < binding:
                return left
            left = self._infix(left, token, level)
        raise self._too_deep()

    def _too_deep(self) -> FeelSyntaxError:
        return self.error("the expression is nested too deeply", ())

    def _infix(self, left: nodes.Node, token: Token, level: int) -> nodes.Node:
        operator = token.text
        if level in (OR, AND):
            operands = [left]
            while self.accept(operator):
                operands.append(self.expression(level + 1))
            return nodes.Logic(token.start, operator, tuple(operands))
        if level in (ADDITION, MULTIPLICATION, POWER):
            return self._arithmetic(left, level)
        self.index += 1
        if operator == "between":
            low = self.expression(ADDITION)
            self.expect("and")
            return nodes.Between(token.start, left, low, self.expression(ADDITION))
        if operator == "in":
            return nodes.In(token.start, left, self._in_tests())
        if operator == "instance":
            self.expect("of")
            return nodes.InstanceOf(token.start, left, self.type())
        return nodes.Comparison(token.start, operator, left, self.expression(ADDITION))

    def _arithmetic(self, first: nodes.Node, level: int) -> nodes.Node:
        operators: list[str] = []
        operands: list[nodes.Node] = []
        positions: list[int] = []
        while (token := self.tokens[self.index]).kind == SYMBOL and _BINDING.get(token.text) == level:
            self.index += 1
            operators.append(token.text)
            positions.append(token.start)
            operands.append(self.expression(level + 1))
        return nodes.Arithmetic(first.position, first, tuple(operators), tuple(operands), tuple(positions))

    def _in_tests(self) -> tuple[nodes.Node, ...]:
        opening = self.tokens[self.index]
        if not self.accept("("):
            return (self._positive_test(ADDITION),)
        with self._inner():
            tests = [self._positive_test(OR)]
            while self.accept(","):
                tests.append(self._positive_test(OR))
            if len(tests) == 1 and self.accept(".."):
                return (self._climb(self._postfix(self._range_rest(opening, tests[0])), ADDITION),)
        self.expect(")")
        if len(tests) == 1 and not isinstance(tests[0], nodes.OperatorTest):
            # The parentheses may be the beginning of a longer expression, such as (a)[1] or (a) + 1.
            return (self._climb(self._postfix(tests[0]), ADDITION),)
        return tuple(tests)

    def _prefix(self) -> nodes.Node:
        token = self.tokens[self.index]
        if token.kind == SYMBOL and token.text == "-":
            self.index += 1
            return nodes.Negation(token.start, self.expression(NEGATION))
        return self._postfix(self._primary(token))

    def _postfix(self, node: nodes.Node) -> nodes.Node:
        for _ in range(MAX_CHAIN):
            token = self.tokens[self.index]
            if token.kind != SYMBOL:
                return node
            if token.text == ".":
                self.index += 1
                node = nodes.Path(token.start, node, self._member())
            elif token.text == "[":
                filtered = self._filter(node)
                if filtered is None:
                    return node
                node = filtered
            elif token.text == "(":
                node = self._call(node)
            else:
                return node
        raise self._too_deep()

    def _filter(self, source: nodes.Node) -> nodes.Node | None:
        position = self.tokens[self.index].start
        if not self._in_range_end:
            return self._filter_rest(source, position)

        def filter_inside_range() -> nodes.Node:
            node = self._filter_rest(source, position)
            if self.tokens[self.index].text not in ("]", ")", "[", ".", "+", "-", "*", "/", "**", "("):
                raise self.unexpected(())
            return node

        return self.attempt(filter_inside_range)

    def _filter_rest(self, source: nodes.Node, position: int) -> nodes.Node:
        self.expect("[")
        with self._inner():
            predicate = self.expression()
        self.expect("]")
        return nodes.Filter(position, source, predicate)

    def _call(self, callee: nodes.Node) -> nodes.Node:
        self.expect("(")
        names: list[str] = []
        arguments: list[nodes.Node] = []
        with self._inner():
            while not self.at(")"):
                name = self._argument_name()
                if bool(names) != (name is not None) and arguments:
                    raise self.error("named and positional arguments cannot be mixed", ())
                if name is not None:
                    names.append(name)
                arguments.append(self.expression())
                if not self.accept(","):
                    break
                if self.at(")"):
                    raise self.unexpected(("an argument",))
        self.expect(")")
        return nodes.Call(callee.position, callee, tuple(arguments), tuple(names))

    def _argument_name(self) -> str | None:
        """The name before a colon, when this argument is a named one."""
        if self.tokens[self.index].kind != NAME:
            return None
        end = self.index
        while (token := self.tokens[end]).kind in (NAME, NUMBER) or token.text in ("-", "+", "*", "/", "'", "."):
            end += 1
        if self.tokens[end].text != ":" or self.tokens[end].kind != SYMBOL:
            return None
        name = self.written(self.index, end)
        self.index = end + 1
        return name

    def _member(self) -> str:
        token = self.tokens[self.index]
        if token.kind != NAME:
            raise self.unexpected(("the name of a member",))
        name, length = plain_name(self.tokens, self.index)
        for table in (self._members, *self._locals, self.known):
            found = table.longest(self.tokens, self.index)
            if found is not None and found[1] > length:
                name, length = found
        self.index += length
        return name

    # Primary expressions

    def _primary(self, token: Token) -> nodes.Node:
        if token.kind == NUMBER:
            self.index += 1
            value = parse_number(token.text)
            if value is None:
                raise FeelSyntaxError.at(self.text, token.start, f"the number {token.text} is out of range")
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
                return self._range_rest(token, low)
            if token.text == "@" and self.tokens[self.index + 1].kind == STRING:
                self.index += 2
                return nodes.Literal(token.start, parse_at_literal(self.tokens[self.index - 1].text))
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
                with self._inner():
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
        with self._inner():
            operator = self.tokens[self.index]
            if operator.kind == SYMBOL and operator.text in _COMPARISONS:
                node: nodes.Node = self._positive_test(OR)
            else:
                node = self.expression()
                if self.accept(".."):
                    return self._range_rest(token, node)
        self.expect(")")
        return node

    def _list_or_range(self, token: Token) -> nodes.Node:
        self.index += 1
        items: list[nodes.Node] = []
        with self._inner():
            while not self.at("]"):
                items.append(self._positive_test(OR))
                if len(items) == 1 and self.accept(".."):
                    return self._range_rest(token, items[0])
                if not self.accept(","):
                    break
                if self.at("]"):
                    raise self.unexpected(("a list item",))
        self.expect("]")
        return nodes.ListLiteral(token.start, tuple(items))

    def _range_rest(self, opening: Token, low: nodes.Node) -> nodes.Node:
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
            with self._inner():
                while not self.at("}"):
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
    def _inner(self) -> Iterator[None]:
        """Inside brackets of its own a `[` is a filter again, even within the end of a range."""
        outer, self._in_range_end = self._in_range_end, False
        try:
            yield
        finally:
            self._in_range_end = outer
