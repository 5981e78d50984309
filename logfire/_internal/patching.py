"""Replace a method, restore it exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import ref

_ABSENT: Any = object()


def reference(target: Any) -> Callable[[], Any]:
    """What returns `target`, or None when it is gone. It keeps nothing alive but what cannot be referenced weakly."""
    try:
        return ref(target)
    except TypeError:
        return lambda: target


class Patch:
    """A replaced attribute of a class, or of one object's own attributes.

    Undoing puts back what `vars(owner)` held, or deletes what was absent. Where somebody has patched on top, nothing is
    touched: their patch still calls ours, which then has nothing to do. `restored(original)` may say what to put back
    instead of what stood there.
    """

    def __init__(
        self,
        owner: Any,
        name: str,
        replacement: Callable[..., Any],
        restored: Callable[[Any], Any] = lambda original: original,
    ) -> None:
        self._owner = reference(owner)
        self.name = name
        self._replacement = replacement
        self._restored = restored
        self._original = _held(owner).get(name, _ABSENT)

    def apply(self) -> None:
        """Put the replacement in place. Raises TypeError for a class that cannot be changed."""
        _set(self._owner(), self.name, self._replacement)

    def stands_on(self, owner: Any) -> bool:
        """Whether it is our replacement that `owner` has right now, with nobody's patch on top."""
        return self._owner() is owner and _held(owner).get(self.name) is self._replacement

    def undo(self) -> None:
        """Put back what was there, if ours is still what stands there."""
        owner = self._owner()
        if owner is None or not self.stands_on(owner):
            return
        if self._original is _ABSENT:
            # Only an object that answers to any name has nothing there; its own `__delattr__` may do more than delete.
            del owner.__dict__[self.name]
        else:
            _set(owner, self.name, self._restored(self._original))


def _held(owner: Any) -> Mapping[str, Any]:
    return owner.__dict__


def _set(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, type):
        setattr(owner, name, value)
    else:
        vars(owner)[name] = value  # An object's own `__setattr__` (a mock's, say) may do more than set.
