"""What the keys of a record mean: the text under each field in the source of ``bundle_spec.model``.

Python does not keep these texts, so they are read from the source.  Only the schema needs them.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import itertools
import re


def of_record(cls: type) -> str:
    """What a record is, in one paragraph or several."""
    paragraphs = (inspect.getdoc(cls) or "").split("\n\n")
    return "\n\n".join(_line(paragraph) for paragraph in paragraphs)


def of_fields(cls: type) -> dict[str, str]:
    """Field name -> what it means; of a field that is inherited, the text of the class that has
    it."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("bundle_spec.model."):
            found |= _of_module(each.__module__).get(each.__name__, {})
    return found


@functools.cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """Class -> field -> text."""
    module = importlib.import_module(name)
    tree = ast.parse(inspect.getsource(module))
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return {node.name: _of_body(node.body) for node in classes}


def _of_body(body: list[ast.stmt]) -> dict[str, str]:
    found = {}
    for field, text in itertools.pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                found[name] = _line(words)
    return found


def _line(text: str) -> str:
    """A text of several lines as one, with Markdown's marks of code."""
    return re.sub(r"\s+", " ", text).strip().replace("``", "`")
