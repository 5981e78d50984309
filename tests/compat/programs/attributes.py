"""Values of all types."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import re
import uuid
from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

import pydantic

import logfire

if TYPE_CHECKING:
    from tests.compat.observation import Scene


class Colour(enum.Enum):
    RED = 'red'


class Number(enum.IntEnum):
    ONE = 1


@dataclasses.dataclass
class Sheep:
    name: str
    age: int = 1
    wool: Any = dataclasses.field(default=None, repr=False)


class Model(pydantic.BaseModel):
    x: int
    y: list[str] = []


class Plain:
    def __repr__(self) -> str:
        return 'Plain()'


class Default:
    pass


class Broken:
    def __repr__(self) -> str:
        raise ValueError('no')


class Text(str):
    pass


class Point(NamedTuple):
    x: int
    y: list[int]


def show(scene: Scene, **values: Any) -> None:
    scene.configure()
    for key, value in values.items():
        logfire.info('{value}', value=value, key=key)
    with logfire.span('all', **values):
        pass


def case_scalars(scene: Scene) -> None:
    show(scene, none=None, true=True, integer=3, big=2**70, real=1.5, text='x', unicode='ž\nž')
    show(scene, nan=math.nan, inf=-math.inf, sub=Text('sub'), number=Number.ONE, negative=-(2**63))


def case_texts(scene: Scene) -> None:
    show(scene, escape='a\x1b[31m', empty='')


def case_collections(scene: Scene) -> None:
    show(scene, list=[1, 'a', None, [2.5]], tuple=(1, (2,)), dict={'a': {'b': [1]}}, keys={1: 2, None: 3, (1, 2): 4})
    show(scene, set={1}, frozen=frozenset(['a']), deque=deque([1, 2]), ordered=OrderedDict(a=1), counter=Counter('aa'))
    show(scene, empty=[], empty_dict={}, mixed=[{'a': 1}, {'b': (1,)}], point=Point(1, [2]))
    show(scene, view={'a': 1}.keys())


def case_lazy_collections(scene: Scene) -> None:
    show(scene, generator=(i for i in range(2)), range=range(3), array=bytearray(b'x'))


def case_of_the_standard_library(scene: Scene) -> None:
    day = datetime.datetime(2024, 1, 2, 3, 4, 5, 678)
    show(scene, datetime=day, utc=day.replace(tzinfo=datetime.timezone.utc), date=day.date(), time=day.time())
    show(scene, delta=datetime.timedelta(days=1, seconds=2.5), decimal=decimal.Decimal('1.10'), uuid=uuid.UUID(int=7))
    show(scene, path=pathlib.PurePosixPath('/a/b'), bytes=b'abc', high=b'\xff\x00')
    show(scene, colour=Colour.RED, pattern=re.compile('a+'), exception=ValueError('bad', 1), type=int, function=len)


def case_models(scene: Scene) -> None:
    show(scene, sheep=Sheep('Dolly', wool=[1]), sheep_list=[Sheep('A'), Sheep('B')], model=Model(x=1, y=['a']))
    show(scene, models=[Model(x=1), Model(x=2)], inner={'model': Model(x=1), 'sheep': Sheep('C')}, cls=Sheep)


def case_objects(scene: Scene) -> None:
    show(scene, plain=Plain(), plains=[Plain()], default=Default())
    show(scene, broken=Broken(), brokens=[Broken()])


def case_cycles(scene: Scene) -> None:
    cycle: list[Any] = [1]
    cycle.append(cycle)
    show(scene, cycle=cycle)


def case_validation_error(scene: Scene) -> None:
    scene.configure()
    try:
        with logfire.span('validating'):
            Model.model_validate({'x': 'no', 'y': 3})
    except pydantic.ValidationError:
        pass


def case_exception_callback(scene: Scene) -> None:
    from logfire.types import ExceptionCallback, ExceptionCallbackHelper, SpanLevel

    def callback(helper: ExceptionCallbackHelper) -> None:
        level: SpanLevel = helper.level
        print(
            getattr(helper.span, 'name', None),
            helper.level_is_unset,
            helper.exception,
            level.name,
            helper.create_issue,
        )
        print(helper.event_attributes, getattr(helper.parent_span, 'name', None))
        if isinstance(helper.exception, KeyError):
            helper.level = 'warn'
            helper.event_attributes['more'] = 1
        elif isinstance(helper.exception, LookupError):
            helper.no_record_exception()
        else:
            helper.create_issue = True
            print(helper.issue_fingerprint_source == helper.issue_fingerprint_source)
            helper.issue_fingerprint_source = 'same'

    exception_callback: ExceptionCallback = callback
    scene.configure(advanced=logfire.AdvancedOptions(exception_callback=exception_callback))
    for exception in (KeyError('k'), IndexError('i'), ValueError('v')):
        try:
            with logfire.span('outer'), logfire.span('inner'):
                raise exception
        except type(exception):
            pass
