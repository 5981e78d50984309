"""What is kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


def secrets() -> None:
    logfire.info('user {user} {password}', user='Ann', password='hunter2')
    logfire.info('nested', a={'my_secret': 'x', 'list': ['api_key=1', {'session': 2}]}, author='Bob', auth='x')
    logfire.info('text {value}', value='the password is hunter2')
    logfire.info('password alone {kind}', kind='password')
    with logfire.span('span with {cookie}', cookie=['a']):
        logfire.info('herd {herd}', herd='a sheep called Dolly')
    try:
        raise ValueError('the secret is out')
    except ValueError:
        logfire.exception('oops')


def case_default(scene: Scene) -> None:
    scene.configure()
    secrets()


def case_off(scene: Scene) -> None:
    scene.configure(scrubbing=False)
    secrets()


def case_patterns(scene: Scene) -> None:
    scene.configure(scrubbing=logfire.ScrubbingOptions(extra_patterns=['dolly', r'sheep\d+']))
    secrets()
    logfire.info('one {x}', x='sheep12')


def case_callback(scene: Scene) -> None:
    def callback(match: logfire.ScrubMatch) -> Any:
        seen.append(f'{match.path} {match.value!r} {match.pattern_match.group()}')
        return match.value if match.path[-1] == 'password' else None

    seen: list[str] = []
    scene.configure(scrubbing=logfire.ScrubbingOptions(callback=callback))
    secrets()
    print(*sorted({*seen}), sep='\n')


def case_callback_raises(scene: Scene) -> None:
    def callback(match: logfire.ScrubMatch) -> Any:
        raise RuntimeError('broken')

    scene.configure(scrubbing=logfire.ScrubbingOptions(callback=callback))
    logfire.info('user {password}', password='hunter2')
    logfire.info('goes on')
