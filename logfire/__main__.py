"""The command line: `python -m logfire demo`, also installed as `logfire`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from logfire.version import VERSION


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments after the program's name; those of this process when None.

    Returns:
        The exit code: 0 when the command did what it is for, 1 when something outside kept it from that.

    Raises:
        SystemExit: the arguments are wrong, or only asked for help or the version.
    """
    parser = argparse.ArgumentParser(prog='logfire', description='Observability for Python on OpenTelemetry.')
    parser.add_argument('--version', action='version', version=f'logfire {VERSION}')
    commands = parser.add_subparsers(title='commands', dest='command', metavar='COMMAND', required=True)
    commands.add_parser(
        'demo',
        help='show what instrumented Azure AI Inference calls look like',
        description='Real Azure AI Inference clients call a loopback endpoint on this machine, and their spans are '
        'shown on the console. With AZURE_AI_CHAT_ENDPOINT and AZURE_AI_CHAT_KEY set they call that endpoint instead '
        '(AZURE_AI_CHAT_MODEL names the model; AZURE_AI_EMBEDDINGS_ENDPOINT, _KEY and _MODEL do the same for '
        'embeddings).',
    )
    parser.parse_args(argv)
    try:
        from logfire._internal import demo
    except ModuleNotFoundError as exc:
        if not (exc.name or '').startswith('azure'):
            raise
        print("The demo needs the Azure clients: pip install 'logfire[azure-ai-inference]'", file=sys.stderr)
        return 1
    try:
        return demo.run()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == '__main__':
    sys.exit(main())
