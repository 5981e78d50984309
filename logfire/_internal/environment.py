"""What to tell of an installation when reporting a fault."""

from __future__ import annotations

import platform
import sys

from logfire.version import VERSION

_RELATED = frozenset(
    {
        'aiohttp',
        'azure-ai-inference',
        'azure-core',
        'executing',
        'orjson',
        'protobuf',
        'pydantic',
        'requests',
        'rich',
        'structlog',
        'typing-extensions',
    }
)


def logfire_info() -> str:
    """The versions of this package, of Python and of the installed packages it works with, to paste into a report."""
    from importlib.metadata import distributions

    versions: dict[str, str] = {}
    for distribution in distributions():
        name = str(distribution.name).lower().replace('_', '-')
        if name in _RELATED or name.startswith('opentelemetry-'):
            versions.setdefault(name, distribution.version)
    lines = [
        f'logfire="{VERSION}"',
        f'platform="{platform.platform()}"',
        f'python="{sys.version}"',
        '[related_packages]',
        *(f'{name}="{version}"' for name, version in sorted(versions.items())),
    ]
    return '\n'.join(lines)
