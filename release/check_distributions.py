"""Installs what is in `dist/` into empty environments and sees that it works there. `make dist-check` runs it.

Of `logfire` and of `logfire-api` the wheel and the sdist are looked through, installed and used as a newcomer would.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Final

DIST: Final = Path(__file__).parents[1] / 'dist'

IMPORTS: Final = """
import importlib.metadata, pathlib, subprocess, sys
import logfire, logfire.exceptions, logfire.propagate, logfire.sampling, logfire.testing, logfire.types
import logfire.integrations.logging, logfire.integrations.structlog, logfire.testing.azure_ai_inference
home = pathlib.Path(logfire.__file__).parent
assert 'site-packages' in home.parts, home
assert (home / 'py.typed').is_file()
distribution = importlib.metadata.distribution('logfire')
assert distribution.version == logfire.VERSION == '{version}', distribution.version
assert distribution.metadata['License-Expression'] == 'MIT', distribution.metadata
assert [path for path in distribution.files if path.name == 'LICENSE'], distribution.files
"""

SHIM_ALONE: Final = """
import pathlib, logfire_api
assert (pathlib.Path(logfire_api.__file__).parent / 'py.typed').is_file()
with logfire_api.span('nothing') as span:
    logfire_api.info('happens')
assert logfire_api.VERSION == '{version}', logfire_api.VERSION
"""

SHIM_BESIDE: Final = 'import logfire, logfire_api; assert logfire_api.info is logfire.info'


def run(*command: str | Path) -> str:
    """Run a command; what it says is shown only if it fails."""
    result = subprocess.run([str(part) for part in command], cwd=DIST, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f'{" ".join(map(str, command))}\n{result.stdout}{result.stderr}')
    return result.stdout


class Environment:
    """An empty virtual environment."""

    def __init__(self, home: Path) -> None:
        venv.create(home, with_pip=True)
        self._bin = home / ('Scripts' if sys.platform == 'win32' else 'bin')
        # Interpreters bring pips of their own age; older ones give up where packages of a family are not all there yet.
        self.install(f'pip=={version("pip")}')

    def install(self, *requirements: str, dry_run: bool = False) -> None:
        """Install requirements with the newest versions there are."""
        options = ['--quiet', '--disable-pip-version-check', *(['--dry-run'] if dry_run else [])]
        run(self._bin / 'python', '-m', 'pip', 'install', *options, *requirements)

    def python(self, code: str) -> None:
        """Run a program: isolated, so that nothing of the checkout is found; warnings are errors."""
        run(self._bin / 'python', '-I', '-W', 'error', '-c', code)

    def script(self, name: str, *arguments: str) -> str:
        """Run an installed command."""
        return run(self._bin / name, *arguments)


def only(pattern: str) -> Path:
    """The one file in `dist/` that fits."""
    found = list(DIST.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f'{DIST}: one {pattern} is expected, {len(found)} are there.')
    return found[0]


def check_names(archive: Path, names: Iterable[str], *, allowed: str, needed: Iterable[str]) -> None:
    """See that nothing is in an archive but what belongs there."""
    listed = list(names)
    strangers = [name for name in listed if not re.match(allowed, name) or '__pycache__' in name]
    missing = [name for name in needed if not any(re.search(name, listed_name) for listed_name in listed)]
    if strangers or missing:
        raise SystemExit(f'{archive.name}: not to be there: {strangers}; missing: {missing}')


def main() -> None:
    """Check every distribution in `dist/`."""
    wheel, sdist = only('logfire-*.whl'), only('logfire-*.tar.gz')
    shim_wheel, shim_sdist = only('logfire_api-*.whl'), only('logfire_api-*.tar.gz')
    version = sdist.name.removeprefix('logfire-').removesuffix('.tar.gz')

    for archive, package in ((wheel, r'logfire/|logfire_pytest_plugin\.py$'), (shim_wheel, 'logfire_api/')):
        with zipfile.ZipFile(archive) as opened:
            allowed = rf'(?:{package})|[^/]+\.dist-info/'
            check_names(archive, opened.namelist(), allowed=allowed, needed=['/py.typed$', '/licenses/LICENSE$'])
    needed = ['/LICENSE$', '/README.md$', '/pyproject.toml$', '/PKG-INFO$', '/py.typed$']
    for archive in (sdist, shim_sdist):
        with tarfile.open(archive) as opened:
            check_names(archive, opened.getnames(), allowed='', needed=needed)

    with tempfile.TemporaryDirectory() as scratch:
        for archive in (wheel, sdist):
            environment = Environment(Path(scratch) / archive.suffix)
            environment.install(f'{archive}[azure-ai-inference]')
            environment.python(IMPORTS.format(version=version))
            if 'What you saw' not in environment.script('logfire', 'demo'):
                raise SystemExit(f'{archive.name}: the demo does not end well.')
            print(f'{archive.name}: {archive.stat().st_size:,} bytes; installs, imports and plays the demo')
            if archive is wheel:
                environment.install(str(shim_wheel))
                environment.python(SHIM_BESIDE)
                extras = sorted({match[1] for match in re.finditer(r'Provides-Extra: (\S+)', metadata(wheel))})
                environment.install(f'{wheel}[{",".join(extras)}]', dry_run=True)
                print(f'{archive.name}: extras resolve together: {", ".join(extras)}')
        for archive in (shim_wheel, shim_sdist):
            environment = Environment(Path(scratch) / f'shim{archive.suffix}')
            environment.install(str(archive))
            environment.python(SHIM_ALONE.format(version=version))
            print(f'{archive.name}: {archive.stat().st_size:,} bytes; installs and does nothing, as it should')


def metadata(wheel: Path) -> str:
    """The text of a wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith('.dist-info/METADATA')]
        return archive.read(name).decode('utf-8')


if __name__ == '__main__':
    main()
