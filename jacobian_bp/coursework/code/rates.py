"""The rate of an update: the numbers by which a gradient is multiplied, 0.1 in W -= 0.1 * dW."""

import ast

from ..lines.vocabulary import COUNT, PENALTY, RATE
from .expressions import Expressions
from .trace import last_word, near


class Rates:
    """Rates of one text. A number is a rate where no m stands in it: 1/m is none."""

    def __init__(self, walk: Expressions) -> None:
        self.walk = walk

    def of(self, node: ast.expr) -> float:
        """What the numbers in a product come to, without its sign; 1 where there are none."""
        found = abs(self._of(node))
        return found if found > 0 else 1.0

    def _of(self, node: ast.expr) -> float:
        if self._is_number(node):
            return float(self.walk.of(node))
        match node:
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return self._of(operand)
            case ast.BinOp(op=ast.Mult(), left=left, right=right):
                return self._of(left) * self._of(right)
            case ast.BinOp(op=ast.Div(), left=left, right=right) if self._is_number(right):
                number = self._of(right)
                return self._of(left) / number if number else 1.0
            case ast.BinOp(op=ast.Div(), left=left):
                return self._of(left)
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
                first, second = self.of(left), self.of(right)
                return first if near(first, second) else 1.0
        return 1.0

    def _is_number(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant(value=value):
                return isinstance(value, int | float) and not isinstance(value, bool)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return self._is_number(operand)
            case ast.BinOp(left=left, right=right):
                return self._is_number(left) and self._is_number(right)
            case ast.Name() | ast.Attribute():
                return self._is_named_number(node)
        return False

    def _is_named_number(self, node: ast.Name | ast.Attribute) -> bool:
        """lr where the text says lr = 0.1, or let gives it; never m, and never a penalty."""
        walk, path = self.walk, self.walk.path(node) or ""
        word = last_word(path)
        low = word.lower().strip("_")
        if low in COUNT or low in PENALTY or word in walk.quantities.regularising:
            return False
        if path not in walk.stored:
            return word in walk.quantities.numbers
        value, makers = walk.stored[path], walk.maker.get(path)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        if low in RATE:
            return True  # self.lr = lr of an __init__, or lr=0.1 of a def
        if not makers:
            return path in walk.quantities.defaulted
        source = getattr(walk.stores[makers[-1]].statement, "value", None)
        return source is not None and self._is_number(source)
