"""The arrangements that nodes can be put in: side by side, one below the other, in equal cells, flowing, stacked."""

from __future__ import annotations

from field_app.widgets.node import Box, Node
from field_app.widgets.theme import look


class Row(Node):
    """Side by side. Children with `grow` share what is left; the others keep their natural width while it fits."""

    def natural(self) -> float:
        if self.fixed is not None:
            return self.fixed
        return self.across + sum(k.natural() for k in self.kids) + self.gap * max(0, len(self.kids) - 1)

    def minimum(self) -> float:
        if self.fixed is not None:
            return self.fixed
        return self.across + sum(k.minimum() for k in self.kids) + self.gap * max(0, len(self.kids) - 1)

    def widths(self, width: float) -> list[float]:
        """Width of each child in pixels; where it gets tight, those with slack above their longest word give it."""
        room = width - self.across - self.gap * max(0, len(self.kids) - 1)
        own = {k: (k.fixed if k.fixed is not None else k.natural()) for k in self.kids if not k.grow}
        floor = sum(k.minimum() for k in self.kids if k.grow)
        over = sum(own.values()) + floor - room
        if over > 0:
            slack = {k: max(0.0, w - k.minimum()) for k, w in own.items() if k.fixed is None}
            total = sum(slack.values())
            for kid, spare in slack.items():
                own[kid] -= min(spare, over * spare / total) if total else 0
        rest = max(0.0, room - sum(own.values()))
        shares = sum(k.grow for k in self.kids)
        return [own[k] if k in own else rest * k.grow / shares for k in self.kids]

    def measure(self, width: float) -> float:
        _, top, _, bottom = self.pads
        high = (k.high(w) for k, w in zip(self.kids, self.widths(width), strict=True))
        return max(self.tall, max(high, default=0) + top + bottom)

    def arrange(self) -> None:
        left, top, _, bottom = self.pads
        x, inside = self.x + left, self.height - top - bottom
        for kid, width in zip(self.kids, self.widths(self.width), strict=True):
            stretch = self.align == "stretch" or kid.fill
            height = inside if stretch else kid.high(width)
            lift = 0 if stretch else (inside - height) / 2 if self.align == "centre" else inside - height
            kid.place(x, self.y + bottom + lift, width, height)
            x += width + self.gap

    def holds_layout(self, kid: Node) -> bool:
        same_width = kid.grow or kid.fixed is not None or abs(kid.natural() - kid.width) < 1
        return bool(same_width) and super().holds_layout(kid)


class Col(Node):
    """One below the other. Children with `fill` share what is left of the height."""

    def _inner(self, width: float) -> float:
        inner = width - self.across
        return inner if self._widest is None else min(inner, look.dp(self._widest))

    def _width_of(self, kid: Node, inner: float) -> float:
        return inner if kid.fixed is None else min(kid.fixed, inner)

    def measure(self, width: float) -> float:
        _, top, _, bottom = self.pads
        inner = self._inner(width)
        high = sum(k.high(self._width_of(k, inner)) for k in self.kids)
        return max(self.tall, top + bottom + high + self.gap * max(0, len(self.kids) - 1))

    def arrange(self) -> None:
        left, top, _, bottom = self.pads
        inner = self._inner(self.width)
        heights = [k.high(self._width_of(k, inner)) for k in self.kids]
        rest = self.height - top - bottom - sum(heights) - self.gap * max(0, len(self.kids) - 1)
        shares = sum(k.fill for k in self.kids)
        x, y = self.x + left, self.top - top
        if self.align == "middle":
            x = self.x + (self.width - inner) / 2
            y -= 0 if shares else max(0, rest) / 2
        for kid, height in zip(self.kids, heights, strict=True):
            if kid.fill:
                height = max(0, height + rest * kid.fill / shares)
            width = self._width_of(kid, inner)
            shift = (inner - width) / 2 if self.align == "middle" else 0
            y -= height
            kid.place(x + shift, y, width, height)
            y -= self.gap

    def holds_layout(self, kid: Node) -> bool:
        return not kid.fill and super().holds_layout(kid)


class Grid(Node):
    """Equal cells, balanced: a column is dropped as soon as a word would not fit its cell (5 → 3 + 2, not 4 + 1)."""

    def __init__(self, *kids: Node | None, cell: float = 120, columns: int | None = None, **style: object) -> None:
        self._cell, self._columns = cell, columns
        super().__init__(*kids, **style)

    def minimum(self) -> float:
        return max((k.minimum() for k in self.kids), default=0) + self.across

    def natural(self) -> float:
        if self.fixed is not None:
            return self.fixed
        count = self._columns or len(self.kids)
        return max((k.natural() for k in self.kids), default=0) * count + self.gap * max(0, count - 1) + self.across

    def columns(self, width: float) -> int:
        """How many columns stand at this width in pixels."""
        inner, count = width - self.across, min(self._columns or len(self.kids), len(self.kids)) or 1
        need = max(look.dp(self._cell), max((k.minimum() for k in self.kids), default=0))
        while count > 1 and (inner - self.gap * (count - 1)) / count < need - 0.5:
            count -= 1
        rows = -(-len(self.kids) // count)
        return count if self._columns else max(1, -(-len(self.kids) // max(1, rows)))

    def _cells(self, width: float) -> tuple[int, int, float]:
        count = self.columns(width)
        cell = (width - self.across - self.gap * (count - 1)) / count
        return count, -(-len(self.kids) // count), cell

    def measure(self, width: float) -> float:
        _, top, _, bottom = self.pads
        if not self.kids:
            return self.tall
        _, rows, cell = self._cells(width)
        cell = float(int(cell))  # a cell is placed on whole pixels, at worst one narrower than its share
        return max(self.tall, max(k.high(cell) for k in self.kids) * rows + self.gap * (rows - 1) + top + bottom)

    def arrange(self) -> None:
        if not self.kids:
            return
        left, top, _, bottom = self.pads
        count, rows, cell = self._cells(self.width)
        height = (self.height - top - bottom - self.gap * (rows - 1)) / rows
        for i, kid in enumerate(self.kids):
            row, column = divmod(i, count)
            x = self.x + left + column * (cell + self.gap)
            kid.place(x, self.top - top - row * (height + self.gap) - height, cell, height)


class Wrap(Node):
    """Natural widths, flowing into as many lines as needed."""

    def natural(self) -> float:
        if self.fixed is not None:
            return self.fixed
        return self.across + sum(k.natural() for k in self.kids) + self.gap * max(0, len(self.kids) - 1)

    def _lines(self, width: float) -> list[tuple[list[tuple[Node, float]], float]]:
        inner = width - self.across
        lines: list[list[tuple[Node, float]]] = [[]]
        used = 0.0
        for kid in self.kids:
            own = min(kid.natural(), inner)
            if lines[-1] and used + own > inner + 0.5:
                lines.append([])
                used = 0
            lines[-1].append((kid, own))
            used += own + self.gap
        return [(line, max((k.high(w) for k, w in line), default=0)) for line in lines]

    def measure(self, width: float) -> float:
        _, top, _, bottom = self.pads
        lines = self._lines(width)
        return max(self.tall, top + bottom + sum(h for _, h in lines) + self.gap * (len(lines) - 1))

    def arrange(self) -> None:
        left, top, _, _ = self.pads
        y = self.top - top
        for line, height in self._lines(self.width):
            x = self.x + left
            y -= height
            for kid, width in line:
                kid.place(x, y, width, height)
                x += width + self.gap
            y -= self.gap


class Gap(Node):
    """Empty room of a height, or of what is left with `fill` or `grow`."""

    def __init__(self, tall: float = 0, **style: object) -> None:
        super().__init__(tall=tall, **style)


class Rule(Node):
    """A hairline across."""

    def __init__(self, tint: str = "hair", **style: object) -> None:
        super().__init__(box=Box(fill=tint, radius=0), **style)

    def measure(self, width: float) -> float:
        return look.stroke()
