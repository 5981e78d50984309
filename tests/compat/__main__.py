"""Compare this package with the published SDK: `python -m tests.compat PYTHON`, the interpreter that has the latter.

Ends with 1, and says what, if anything differs that `deliberate.toml` does not list, if an entry of it covers nothing
any more, or if no program touches a public name.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.compat.comparison import Deliberate, Difference, compare, judge
from tests.compat.normalisation import Normaliser
from tests.compat.surface import unneeded_exceptions, untouched_names

HERE: Final = Path(__file__).parent
PROGRAMS: Final = HERE / 'programs'
LIMIT: Final = 300
"""Seconds that one program may take."""


def observe(python: str, program: Path, *, show_errors: bool) -> dict[str, Any]:
    """Run a program in an environment; its cases, normalised.

    Args:
        python: The interpreter of the environment.
        program: The program.
        show_errors: Whether its standard error is shown. That of the published SDK is not: its tracebacks quote its
            source.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith(('LOGFIRE_', 'OTEL_'))}
    environment |= {'PYTHONHASHSEED': '0', 'PYTHONDONTWRITEBYTECODE': '1', 'TZ': 'UTC', 'COLUMNS': '80'}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, 'observed.json')
        run = subprocess.run(
            [python, str(HERE / 'observation.py'), str(program), str(output)],
            cwd=PROGRAMS,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=None if show_errors else subprocess.DEVNULL,
            timeout=LIMIT,
            check=False,
        )
        if run.returncode:
            raise SystemExit(f'{program.name} ended with {run.returncode} under {python}')
        observed = json.loads(output.read_text(encoding='utf-8'))
    return {name: Normaliser(observed['places']).normalise(case) for name, case in observed['cases'].items()}


def deliberate_differences() -> list[Deliberate]:
    """The entries of `deliberate.toml`."""
    reader = importlib.import_module('tomllib' if sys.version_info >= (3, 11) else 'tomli')
    document = reader.loads((HERE / 'deliberate.toml').read_text(encoding='utf-8'))
    return [Deliberate(**entry) for entry in document.get('difference', ())]


def main() -> int:
    """Run all programs in both environments and compare."""
    parser = argparse.ArgumentParser(prog='python -m tests.compat', description=__doc__)
    parser.add_argument('python', help='the interpreter of an environment with the published SDK')
    parser.add_argument('programs', nargs='*', help='the programs to run, by name; all, if none is given')
    parser.add_argument('--show', action='store_true', help='show what differs deliberately, too')
    arguments = parser.parse_args()
    programs = sorted(
        path for path in PROGRAMS.glob('*.py') if not arguments.programs or path.stem in arguments.programs
    )
    found: list[Difference] = []
    cases = 0
    with ThreadPoolExecutor(2) as pool:
        for program in programs:
            ours = pool.submit(observe, sys.executable, program, show_errors=True)
            theirs = pool.submit(observe, os.path.abspath(arguments.python), program, show_errors=False)
            cases += len(ours.result())
            found += compare(program.stem, ours.result(), theirs.result())
    deliberate = deliberate_differences()
    verdict = judge(found, deliberate)
    faults = [f'Unexplained difference: {difference}' for difference in verdict.unexplained]
    if not arguments.programs:
        faults += [f'This entry of deliberate.toml covers nothing any more: {entry.where}' for entry in verdict.idle]
        faults += [f'No program touches this public name: {name}' for name in untouched_names(PROGRAMS)]
        faults += [f'This name needs no exception in surface.py: {name}' for name in unneeded_exceptions(PROGRAMS)]
    if arguments.show:
        print(*(difference for difference in found if difference not in verdict.unexplained), sep='\n')
    print(*faults, sep='\n', end='\n' if faults else '')
    print(
        f'{len(programs)} programs, {cases} cases, {len(found)} differences, '
        f'{len(found) - len(verdict.unexplained)} of them deliberate ({len(deliberate)} entries); {len(faults)} faults'
    )
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
