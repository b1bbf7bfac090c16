"""Constants behind names: what the source binds exactly once, to a literal.

The literals come from the text of the source, also those of other modules.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
from functools import lru_cache
from importlib.util import resolve_name
from pathlib import PurePath
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from conformare.capture.source._scopes import MOST_FILES, Imported, Scope, source_of

# A constant may have been imported from a module that has imported it, and so on.
_MOST_IMPORTS = 5
_LIBRARIES = ("pyspark", "conformare")
_LIBRARY_FOLDERS = frozenset({"site-packages", "dist-packages"})
_STANDARD_LIBRARY = PurePath(sysconfig.get_path("stdlib"))


def attributes_of(value: Any) -> dict[str, Any]:
    """Return the attributes that an object itself has, without running code of its class."""
    for owner in type(value).__mro__:
        slot = owner.__dict__.get("__dict__")
        if slot is not None:
            native = issubclass(type(slot), (GetSetDescriptorType, MemberDescriptorType))
            attributes = slot.__get__(value) if native else None
            return attributes if type(attributes) is dict else {}
    return {}


def is_users(filename: str, module: Any, namespace: dict[str, Any]) -> bool:
    """Whether a module belongs to the user: neither Spark's, nor ours, nor of a library.

    Args:
        filename: File of the module.
        module: Name of the module.
        namespace: Globals of the user's code; modules of its own package are the user's, wherever
            they are installed.
    """
    own = _top_package(module)
    if own in _LIBRARIES:
        return False
    return not _is_installed(filename) or own == _top_package(namespace.get("__name__"))


@lru_cache(maxsize=MOST_FILES)
def _is_installed(filename: str) -> bool:
    path = PurePath(filename)
    standard = filename.startswith("<frozen ") or _STANDARD_LIBRARY in path.parents
    return standard or not _LIBRARY_FOLDERS.isdisjoint(path.parts)


def _top_package(module: Any) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


def constant(
    expression: ast.Name | ast.Attribute, scope: Scope, namespace: dict[str, Any]
) -> ast.expr | None:
    """Return the literal that an expression stands for, None if it is no constant.

    Args:
        expression: A name, or an attribute: of an imported module, or else no constant.
        scope: Where the expression stands.
        namespace: Globals of the code there.
    """
    if isinstance(expression, ast.Name):
        return _named(expression.id, scope, namespace, _MOST_IMPORTS)
    module = _module_named_by(expression.value, scope, namespace)
    return _constant_of(module, expression.attr, namespace, _MOST_IMPORTS)


def _named(name: str, scope: Scope, namespace: dict[str, Any], hops: int) -> ast.expr | None:
    found = scope.find(name)
    if found is None:
        stars = [_absolute(star, namespace) for star in reversed(scope.module.stars)]
        literals = (_constant_of(star, name, namespace, hops) for star in stars)
        return next((literal for literal in literals if literal is not None), None)
    binding = found[1]
    if isinstance(binding, Imported) and binding.name is not None:
        return _constant_of(_absolute(binding.module, namespace), binding.name, namespace, hops)
    return binding if isinstance(binding, ast.expr) else None


def _constant_of(
    module: str | None, name: str, namespace: dict[str, Any], hops: int
) -> ast.expr | None:
    """Return a constant of a module that has been imported already."""
    attributes = attributes_of(sys.modules.get(module or ""))
    filename = attributes.get("__file__")
    if hops == 0 or not isinstance(filename, str) or not is_users(filename, module, namespace):
        return None
    source = source_of(filename, attributes)
    return None if source is None else _named(name, source.module, attributes, hops - 1)


def _module_named_by(expression: ast.expr, scope: Scope, namespace: dict[str, Any]) -> str | None:
    """Return the name of the module that `settings` or `package.settings` stands for."""
    name: str | None = None
    if isinstance(expression, ast.Name):
        found = scope.find(expression.id)
        if found is not None and isinstance(found[1], Imported):
            name = _absolute(found[1].module, namespace)
            if found[1].name is not None:
                name = f"{name}.{found[1].name}"
    elif isinstance(expression, ast.Attribute):
        name = f"{_module_named_by(expression.value, scope, namespace)}.{expression.attr}"
    return name if name in sys.modules else None


def _absolute(module: str, namespace: dict[str, Any]) -> str | None:
    package = namespace.get("__package__")
    try:
        return resolve_name(module, package if isinstance(package, str) else None)
    except ImportError:
        return None
