"""A griffe extension for the API reference: `logfire.info` and the like are shown as the functions they are.

The code binds them to the default instance (`info = DEFAULT_LOGFIRE_INSTANCE.info`), which read as source is an
assignment without documentation.
"""

from __future__ import annotations

from typing import Any, Final

import griffe

INSTANCE: Final = 'DEFAULT_LOGFIRE_INSTANCE'


class BoundFunctions(griffe.Extension):
    """Replaces the names that `logfire` binds to methods of its default instance by those methods, without `self`."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called when the whole package has been read."""
        methods = pkg['_internal.main.Logfire'].members
        for name, member in list(pkg.members.items()):
            if isinstance(member, griffe.Attribute) and str(member.value) == f'{INSTANCE}.{name}':
                method = methods[name]
                assert isinstance(method, griffe.Function)
                pkg.set_member(name, _unbound(method))


def _unbound(method: griffe.Function) -> griffe.Function:
    docstring = method.docstring
    assert docstring is not None, method.path
    overloads = [_unbound_signature(overload) for overload in method.overloads or ()]
    function = _unbound_signature(method)
    function.docstring = griffe.Docstring(docstring.value, lineno=docstring.lineno, parent=function)
    function.overloads = overloads or None
    return function


def _unbound_signature(method: griffe.Function) -> griffe.Function:
    parameters = griffe.Parameters(*list(method.parameters)[1:])
    return griffe.Function(
        method.name, parameters=parameters, returns=method.returns, lineno=method.lineno, endlineno=method.endlineno
    )
