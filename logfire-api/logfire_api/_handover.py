"""Handing over to `logfire` where it is installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def hand_over(namespace: dict[str, Any]) -> None:
    """Replace the public names of one of our modules by those of the `logfire` module that it stands for.

    Where that is not installed, or is of a version without a name, our own stays, which does nothing. A `logfire` that
    is installed and cannot be imported raises as `import logfire` does: to be silent then would hide the fault.

    Args:
        namespace: The `globals()` of our module, with its `__all__`.
    """
    name: str = namespace['__name__'].replace('logfire_api', 'logfire', 1)
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if not f'{name}.'.startswith(f'{error.name}.'):
            raise
        return
    for public in namespace['__all__']:
        namespace[public] = getattr(module, public, namespace[public])
