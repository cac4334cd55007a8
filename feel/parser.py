"""FEEL text to syntax tree: precedence climbing over the grammar of DMN 1.5, section 10.3.1.2."""

from __future__ import annotations

from feel import nodes
from feel.errors import FeelSyntaxError
from feel.lexer import END, NAME, NUMBER, SYMBOL, Token
from feel.names import plain_name
from feel.primaries import COMPARISONS, PrimaryParser

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


class Parser(PrimaryParser):
    """Parses one text once."""

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
        tests = [self.positive_test()]
        while self.accept(","):
            tests.append(self.positive_test())
        return tuple(tests)

    def positive_test(self, binding: int = OR) -> nodes.Node:
        """An expression, or a comparison operator with its right side."""
        token = self.tokens[self.index]
        if token.kind == SYMBOL and token.text in COMPARISONS:
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
            return (self.positive_test(ADDITION),)
        with self.inner():
            tests = [self.positive_test()]
            while self.accept(","):
                tests.append(self.positive_test())
            if len(tests) == 1 and self.accept(".."):
                return (self._climb(self._postfix(self.range_rest(opening, tests[0])), ADDITION),)
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
        return self._postfix(self.primary(token))

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
        with self.inner():
            predicate = self.expression()
        self.expect("]")
        return nodes.Filter(position, source, predicate)

    def _call(self, callee: nodes.Node) -> nodes.Node:
        self.expect("(")
        names: list[str] = []
        arguments: list[nodes.Node] = []
        with self.inner():
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
