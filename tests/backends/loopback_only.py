"""Run a program, and tell on stderr each address that is not this machine's own and that it looks up or connects to.

Usage: `python loopback_only.py PROGRAM`, in whatever environment the program needs.
"""

from __future__ import annotations

import runpy
import sys
from typing import cast

_OWN = ('127.0.0.1', '::1', 'localhost', None)


def _tell(event: str, arguments: tuple[object, ...]) -> None:
    host: object = None
    if event == 'socket.getaddrinfo':
        host = arguments[0]
    elif event == 'socket.connect' and isinstance(arguments[1], tuple):
        host = cast('tuple[object, ...]', arguments[1])[0]
    if host not in _OWN:
        print(f'{event}: {host}', file=sys.stderr)


if __name__ == '__main__':
    sys.addaudithook(_tell)
    runpy.run_path(sys.argv[1], run_name='__main__')
