"""A second opinion on checklist expressions: pyxform's own XForm, evaluated by elementpath.

Takes the state an Evaluation reached, writes it down as an XForm instance, and asks elementpath for every relevance,
calculation and constraint. References are those pyxform resolved, the XPath core is elementpath's, the ODK functions
are written here anew. Blank numbers stand as NaN, since elementpath raises where ODK says false.
"""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from elementpath import ElementPathError, XPath2Parser, XPathContext, get_node_tree
from pyxform.xls2xform import convert

from shared.checklists.definition import Question, Repeat
from shared.checklists.evaluate import Evaluation
from shared.checklists.paths import place_of
from shared.checklists.values import as_text

_RENAMED = re.compile(r"(?<![\w-])(round|sum|position|if|string-length)\(")

_TODAY = re.compile(r"(\S+)\s*(<=|>=|<|>)\s*today\(\)")


def text_of(value: object) -> str:
    if isinstance(value, list):
        return text_of(value[0]) if value else ""
    if hasattr(value, "value"):
        value = value.value
    if isinstance(value, ET.Element):
        return value.text or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, float) and value == value and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return "" if value is None else str(value)


def number_of(value: object) -> float:
    text = text_of(value)
    try:
        return float(text)
    except ValueError:
        return float(date.fromisoformat(text).toordinal()) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else math.nan


def truth_of(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value == value and value != 0
    if isinstance(value, list):
        return bool(value)
    return bool(value)


def rounded(value: object, places: object = 0) -> float:
    number = number_of(value)
    if number != number or math.isinf(number):
        return number
    shift = Decimal(10) ** int(number_of(places))
    scaled = Decimal(str(number)) * shift
    sign = ROUND_HALF_UP if scaled >= 0 else "ROUND_HALF_DOWN"
    return float(scaled.quantize(Decimal(1), rounding=sign) / shift)


def blank(value: object) -> bool:
    return text_of(value) in ("", "NaN")


@dataclass
class Bind:
    place: str
    relevant: str = ""
    calculate: str = ""
    constraint: str = ""


@dataclass
class Oracle:
    """Opinions on one workbook."""

    workbook: bytes
    today: date
    binds: list[Bind] = field(default_factory=list)
    asked: int = 0
    silent: int = 0

    def __post_init__(self) -> None:
        xform = ET.fromstring(convert(io.BytesIO(self.workbook), file_type=".xlsx").xform)
        for each in xform.iter("{http://www.w3.org/2002/xforms}bind"):
            place = "/" + each.attrib["nodeset"].split("/", 2)[2]
            get = lambda name, bind=each: bind.attrib.get(name, "")  # noqa: E731
            self.binds.append(Bind(place, get("relevant"), get("calculate"), get("constraint")))
        self.parser = XPath2Parser(compatibility_mode=True)
        self.tokens: dict[str, object] = {}
        self._functions()

    def _functions(self) -> None:
        def define(name, function, kinds=()):
            function.__name__ = name.replace("-", "_")
            self.parser.external_function(function, name=name, sequence_types=kinds)

        define("selected", lambda nodes, name: text_of(name) in text_of(nodes).split())
        define("count-selected", lambda nodes: float(len(text_of(nodes).split())))
        define("coalesce", lambda one, two: number_of(two) if blank(one) else number_of(one))
        define("today", lambda: self.today.isoformat())
        define("regex", lambda text, pattern: re.match(pattern, text_of(text)) is not None)
        define("odk-if", lambda test, yes, no: yes if truth_of(test) else no)
        define("odk-round", rounded)
        define(
            "odk-sum",
            lambda nodes: math.fsum(number_of(each) for each in nodes or () if not blank(each)),
            ("item()*", "xs:double"),
        )
        define("odk-position", lambda nodes: nodes)

    def instance(self, state: Evaluation) -> tuple[ET.Element, dict[str, ET.Element]]:
        root = ET.Element("data")
        nodes: dict[str, ET.Element] = {"": root}
        for path in state.all_paths():
            item = state.entry(path).item
            if isinstance(item, Repeat) and not path.endswith("]"):
                continue
            if path.endswith("]") and not state.is_relevant(path):
                continue
            above = nodes.get(path[: path.rfind("/")])
            if above is None:
                continue
            nodes[path] = node = ET.SubElement(above, item.name)
            if isinstance(item, Question):
                text = as_text(state.value(path))
                number = item.type in ("integer", "decimal", "calculate")
                node.text = "NaN" if not text and number else text
        return root, nodes

    def opinion(self, expression: str, root: object, node: ET.Element) -> object:
        """What elementpath says, or None when it has no opinion."""
        self.asked += 1
        token = self.tokens.get(expression)
        try:
            if token is None:
                renamed = _RENAMED.sub(r"odk-\1(", expression)
                renamed = _TODAY.sub(r"number(translate(\1,'-','')) \2 number(translate(today(),'-',''))", renamed)
                token = self.tokens[expression] = self.parser.parse(renamed)
            said = token.evaluate(XPathContext(root, item=node))
        except (ElementPathError, TypeError, ValueError):
            said = None
        if isinstance(said, float) and math.isinf(said):
            said = None  # elementpath gives an infinity for NaN div 0
        self.silent += said is None
        return said

    def differences(self, state: Evaluation) -> Iterator[str]:
        """Every expression on which elementpath and the evaluation disagree."""
        instance, nodes = self.instance(state)
        root = get_node_tree(instance)
        by_place: dict[str, list[str]] = {}
        for path in nodes:
            by_place.setdefault(place_of(path), []).append(path)
        for bind in self.binds:
            for path in by_place.get(bind.place, ()):
                yield from self._compare(bind, path, state, root, nodes[path])

    def _compare(self, bind: Bind, path: str, state: Evaluation, root: object, node: ET.Element) -> Iterator[str]:
        above = path[: path.rfind("/")]
        if bind.relevant and state.is_relevant(above) and "!= ''" not in bind.relevant:
            said = self.opinion(bind.relevant, root, node)
            if said is not None and truth_of(said) != state.is_relevant(path):
                yield f"{path} relevant {bind.relevant!r}: {said} but {state.is_relevant(path)}"
        if bind.calculate and state.is_relevant(path) and not bind.calculate.startswith("position"):
            said = self.opinion(bind.calculate, root, node)
            ours = state.text(path)
            if said is not None and text_of(said) != ours and not same_number(number_of(said), ours):
                yield f"{path} calculate {bind.calculate!r}: {said!r} but {ours!r}"
        if bind.constraint and not blank(node):
            said = self.opinion(bind.constraint, root, node)
            warned = "constraint" in state.warnings(path)
            if said is not None and truth_of(said) == warned:
                yield f"{path} constraint {bind.constraint!r}: {said} but warned={warned} value={node.text!r}"


def same_number(said: float, ours: str) -> bool:
    number = number_of(ours)
    return (said != said and number != number) or abs(said - number) < 1e-9
