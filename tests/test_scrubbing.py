from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from logfire._internal import errors, pattern_scrubber
from logfire._internal.scrubbing import (
    NOOP_SCRUBBER,
    SAFE_KEYS,
    Scrubber,
    new_scrubber,
    scrubbed_attribute,
)
from logfire._internal.scrubbing_options import ScrubbingOptions, ScrubMatch

if TYPE_CHECKING:
    from logfire._internal.scrubbing import ScrubNote

CONTEXT = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
UNSEARCHABLE = '[Scrubbed: nested too deeply to be looked through]'


@pytest.fixture
def scrubber() -> Scrubber:
    return new_scrubber(None)


def span_with(attributes: Mapping[str, Any] | None = None, **fields: Any) -> ReadableSpan:
    return ReadableSpan(name='my password', attributes=attributes, **fields)


def scrubbed(scrubber: Scrubber, value: Any, key: str = 'x') -> tuple[Any, Any]:
    """What becomes of an attribute, and what was noted: paths below `attributes`, and the text found."""
    span = scrubber.scrub_span(span_with({key: value}))
    attributes = dict(span.attributes or {})
    notes = json.loads(str(attributes.get('logfire.scrubbed', '[]')))
    assert all(note['path'][0] == 'attributes' for note in notes)
    return attributes[key], [('/'.join(map(str, note['path'][1:])), note['matched_substring']) for note in notes]


FOUND = [
    ('my password is', 'password'),
    ('Password!', 'Password'),
    ('passwords', 'password'),
    ('passwd x', 'passwd'),
    ('mysql_pwd=1', 'mysql_pwd'),
    ('a secret b', 'secret'),
    ('secrets', 'secret'),
    ('auth x', 'auth'),
    ('authority x', 'auth'),
    ('authorization x', 'auth'),
    ('authorize x', 'auth'),
    ('authored x', 'auth'),
    ('authors_x', 'auth'),
    ('author_x', 'auth'),
    ('author1', 'auth'),
    ('author\u00e9', 'auth'),
    ('authorx', 'auth'),
    ('authoring x', 'auth'),
    ('authorauth', 'auth'),
    ('unauthorized x', 'auth'),
    ('oauth2 x', 'auth'),
    ('author authorization', 'auth'),
    ('auth author', 'auth'),
    ('credentials x', 'credential'),
    ('private key x', 'private key'),
    ('private_key x', 'private_key'),
    ('private-key x', 'private-key'),
    ('private.key x', 'private.key'),
    ('privatekey x', 'privatekey'),
    ('api key x', 'api key'),
    ('x-api-key x', 'api-key'),
    ('APIKEY x', 'APIKEY'),
    ('sessions x', 'session'),
    ('cookies x', 'cookie'),
    ('social security x', 'social security'),
    ('socialsecurity x', 'socialsecurity'),
    ('credit_card x', 'credit_card'),
    ('creditcard x', 'creditcard'),
    ('csrf x', 'csrf'),
    ('x_csrf_token y', '_csrf_'),
    ('csrf_', None),
    ('csrf_ ~', 'csrf_'),
    ('__csrf ~', '_csrf'),
    ('_csrf_csrf_', '_csrf_'),
    ('xsrf x', 'xsrf'),
    ('my.jwt.x', 'jwt'),
    ('A_JWT ~', '_JWT'),
    ('jwtx_jwt q', '_jwt'),
    ('ssn x', 'ssn'),
    ('ssn-', 'ssn'),
    ('xssn_ssn ~', '_ssn'),
    ('ssn_x_ssn', 'ssn_'),
    ('logfire token x', 'logfire token'),
    ('logfire-token x', 'logfire-token'),
    ('pylf_v1_us_abc', 'pylf_v1_'),
    ('xpylf_v12_abc', 'pylf_v12_'),
    ('PYLF_V1_abc', 'PYLF_V1_'),
    ('pylf_v\u0661_x', 'pylf_v\u0661_'),
    # Letters beyond ASCII that Python takes for I, S and K when ignoring case.
    ('\u017fe\u017f\u017fion x', '\u017fe\u017f\u017fion'),
    ('pr\u0131vate key x', 'pr\u0131vate key'),
    ('\u0130 sess\u0130on x', 'sess\u0130on'),
    ('coo\u212aie x', 'coo\u212aie'),
    # The leftmost is told.
    ('a cookie with a password', 'cookie'),
    ('author: a cookie, a password, an author', 'cookie'),
    # No more than one character, and only these, may stand between the two words.
    ('private  key x', None),
    ('api\tkey x', None),
    ('api/key x', None),
    ('author x', None),
    ('Authors: x', None),
    ("Author's", None),
    ('coauthor x', None),
    ('author\u0301 x', None),
    ('xcsrf x', None),
    ('csrfx x', None),
    ('csrf1 x', None),
    ('\u00e9csrf x', None),
    ('jwts x', None),
    ('lesson x', None),
    ('mysqlpwd x', None),
    ('pylf_v1', None),
    ('pylf_vx_abc', None),
    ('pylf_v1a_x', None),
    ('token x', None),
    ('key private', None),
    ('create a message about logfire and credit', None),
    # Nothing but the match.
    ('password', None),
    ('PassWord', None),
    ('mysql_pwd', None),
    ('social-security', None),
    ('pylf_v1_', None),
    (' password', 'password'),
    ('password ', 'password'),
    ('password password', 'password'),
]


@pytest.mark.parametrize(('text', 'found'), FOUND)
def test_built_in_patterns(scrubber: Scrubber, text: str, found: str | None) -> None:
    """Text with a secret's name in it is replaced by what gave it away; other text, and the bare name, stays."""
    if found is None:
        assert scrubbed(scrubber, text) == (text, [])
    else:
        assert scrubbed(scrubber, text) == (f'[Scrubbed due to {found!r}]', [('x', found)])


@pytest.mark.parametrize(
    ('key', 'found'), [(text, found) for text, found in FOUND if found] + [('password', 'password')]
)
@pytest.mark.parametrize('value', ['v', 'password', '', 1, 1.5, True])
def test_keys(scrubber: Scrubber, key: str, found: str, value: Any) -> None:
    """Whatever stands under a secret's name is replaced."""
    assert scrubbed(scrubber, value, key) == (f'[Scrubbed due to {found!r}]', [(key, found)])


@pytest.mark.parametrize(
    ('value', 'result', 'notes'),
    [
        (('a', 'my secret', 'secret'), ('a', "[Scrubbed due to 'secret']", 'secret'), [('x/1', 'secret')]),
        (['a', 'my secret'], ['a', "[Scrubbed due to 'secret']"], [('x/1', 'secret')]),
        ((1, 2), (1, 2), []),
        (5, 5, []),
        (b'my secret', b'my secret', []),
    ],
)
def test_sequences(scrubber: Scrubber, value: Any, result: Any, notes: Any) -> None:
    """Sequences are scrubbed item by item."""
    assert scrubbed(scrubber, value) == (result, notes)


def test_a_sequence_under_a_secret_name(scrubber: Scrubber) -> None:
    """A sequence under a secret's name stays a sequence, of one text."""
    assert scrubbed(scrubber, (1, 2), 'cookies') == (("[Scrubbed due to 'cookie']",), [('cookies', 'cookie')])


@pytest.mark.parametrize(
    ('text', 'result', 'notes'),
    [
        (
            '{"a":{"password":"v","b":["q","a secret",{"session":1}]},"n":1}',
            '{"a": {"password": "[Scrubbed due to \'password\']", "b": ["q", "[Scrubbed due to \'secret\']", '
            '{"session": "[Scrubbed due to \'session\']"}]}, "n": 1}',
            [('x/a/password', 'password'), ('x/a/b/1', 'secret'), ('x/a/b/2/session', 'session')],
        ),
        (
            '{"cookies":[1,2],"auth":{"a":1},"credential":null,"session":false}',
            '{"cookies": ["[Scrubbed due to \'cookie\']"], "auth": "[Scrubbed due to \'auth\']", '
            '"credential": "[Scrubbed due to \'credential\']", "session": "[Scrubbed due to \'session\']"}',
            [('x/cookies', 'cookie'), ('x/auth', 'auth'), ('x/credential', 'credential'), ('x/session', 'session')],
        ),
        ('["my secret"]', '["[Scrubbed due to \'secret\']"]', [('x/0', 'secret')]),
        ('"my secret"', '"[Scrubbed due to \'secret\']"', [('x', 'secret')]),
        (
            '{"a":"{\\"password\\":1}"}',
            '{"a": "{\\"password\\": \\"[Scrubbed due to \'password\']\\"}"}',
            [('x/a/password', 'password')],
        ),
        # What does not change keeps its very text.
        ('{"kind":"password"}', '{"kind":"password"}', []),
        ('["secret","password"]', '["secret","password"]', []),
        (
            '{"http.url":"a secret ","exception.message":"a password"}',
            '{"http.url":"a secret ","exception.message":"a password"}',
            [],
        ),
        # No JSON.
        ('{"password": "x"', "[Scrubbed due to 'password']", [('x', 'password')]),
        ("{'password': 'x'}", "[Scrubbed due to 'password']", [('x', 'password')]),
        ('{"password": ' + '1' * 5000 + '}', None, None),
    ],
)
def test_json_text_is_scrubbed_inside(scrubber: Scrubber, text: str, result: str | None, notes: Any) -> None:
    """Text that is JSON is scrubbed inside and stays JSON, safe keys untouched; what is nearly JSON is replaced."""
    if result is None:
        # Python reads numbers of up to 4,300 digits; where it reads longer ones, the inside is scrubbed.
        assert '1111' not in scrubbed(scrubber, text)[0]
    else:
        assert scrubbed(scrubber, text) == (result, notes)


def test_nesting_without_end_is_replaced_whole(scrubber: Scrubber) -> None:
    """Text or data that is nested too deeply to be looked through is replaced: a secret in it must not get out."""
    assert scrubbed(scrubber, '[' * 100_000 + '"my secret"' + ']' * 100_000) == (UNSEARCHABLE, [('x', '')])
    assert scrubbed(scrubber, '["my secret",' + '[' * 900 + '"password x"' + ']' * 901) == (UNSEARCHABLE, [('x', '')])
    data: list[Any] = ['my secret']
    for _ in range(2000):
        data = [data]
    notes: list[ScrubNote] = []
    assert scrubber.scrub_value(('body',), data, notes) == UNSEARCHABLE
    assert notes == [{'path': ('body',), 'matched_substring': ''}]


@pytest.mark.parametrize('key', sorted(SAFE_KEYS))
def test_safe_keys(scrubber: Scrubber, key: str) -> None:
    """Safe keys keep their values, whatever stands in them."""
    span = span_with({key: 'a password, a secret, a session'})
    assert scrubber.scrub_span(span) is span


@pytest.mark.parametrize(
    ('key', 'found'),
    [
        ('http.request.header.authorization', 'auth'),
        ('http.request.header.cookie', 'cookie'),
        ('http.response.header.set-cookie', 'cookie'),
        ('http.request.header.x-api-key', 'api-key'),
        ('http.request.header.accept', 'secret'),
        ('session.id', 'session'),
        ('db.operation', 'secret'),
        ('logfire.custom', 'secret'),
        ('gen_ai.custom', 'secret'),
    ],
)
def test_nothing_is_safe_by_its_prefix(scrubber: Scrubber, key: str, found: str) -> None:
    """Safe keys are a list: a header, or a name that only begins like a safe one, is scrubbed."""
    assert scrubbed(scrubber, ('a secret ~',), key)[1] in ([(key, found)], [(f'{key}/0', found)])


def test_safe_keys_are_those_of_the_design() -> None:
    """The list of safe keys holds no name that a header or a credential has."""
    assert not [key for key in SAFE_KEYS if 'header' in key or 'authorization' in key]
    assert {'gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.tool.definitions'} <= SAFE_KEYS


def test_events_and_links(scrubber: Scrubber) -> None:
    """Attributes of events and links are scrubbed too; names, statuses and resources are the program's own words."""
    resource = Resource({'password': 'my secret'})
    scope = InstrumentationScope('my.secret.scope')
    status = Status(StatusCode.ERROR, 'my password is wrong')
    clean_event, clean_link = Event('other', {'k': 'v'}, timestamp=6), Link(CONTEXT, {'k': 1})
    span = ReadableSpan(
        name='my password',
        context=CONTEXT,
        parent=CONTEXT,
        resource=resource,
        attributes={'a': 1},
        events=[
            Event('a secret event', {'password': 'x', 'k': 'a secret', 'exception.message': 'a secret'}, timestamp=5),
            clean_event,
            Event('bare'),
        ],
        links=[clean_link, Link(CONTEXT, {'token': 'a secret'}), Link(CONTEXT)],
        kind=SpanKind.CLIENT,
        status=status,
        start_time=1,
        end_time=9,
        instrumentation_scope=scope,
    )
    result = scrubber.scrub_span(span)
    assert isinstance(result, ReadableSpan)
    assert [(event.name, dict(event.attributes or {}), event.timestamp) for event in result.events[:2]] == [
        (
            'a secret event',
            {
                'password': "[Scrubbed due to 'password']",
                'k': "[Scrubbed due to 'secret']",
                'exception.message': 'a secret',
            },
            5,
        ),
        ('other', {'k': 'v'}, 6),
    ]
    assert result.events[1] is clean_event
    assert result.events[2].name == 'bare'
    assert result.links[0] is clean_link
    assert (result.links[1].context, dict(result.links[1].attributes or {})) == (
        CONTEXT,
        {'token': "[Scrubbed due to 'secret']"},
    )
    assert dict(result.attributes or {}) == {
        'a': 1,
        'logfire.scrubbed': json.dumps(
            [
                {'path': ['otel_events', 0, 'attributes', 'password'], 'matched_substring': 'password'},
                {'path': ['otel_events', 0, 'attributes', 'k'], 'matched_substring': 'secret'},
                {'path': ['links', 1, 'attributes', 'token'], 'matched_substring': 'secret'},
            ]
        ),
    }
    assert (result.name, result.context, result.parent, result.resource) == ('my password', CONTEXT, CONTEXT, resource)
    assert (result.kind, result.start_time, result.end_time) == (SpanKind.CLIENT, 1, 9)
    assert result.status is status
    assert result.instrumentation_scope is scope


class PlainSpan(ReadableSpan):
    """A span that hands out its attributes as they are, as another implementation may."""

    @property
    def attributes(self) -> Any:
        return None if self.name == 'empty' else {'x': self.name}


def test_spans_of_another_implementation(scrubber: Scrubber) -> None:
    """A span need not hold its attributes as OpenTelemetry's own does, nor have any."""
    assert dict(scrubber.scrub_span(PlainSpan('a secret')).attributes or {})['x'] == "[Scrubbed due to 'secret']"
    for name in ('clean', 'empty'):
        span = PlainSpan(name)
        assert scrubber.scrub_span(span) is span


def test_what_was_dropped_is_still_told(scrubber: Scrubber) -> None:
    """The counts of what a span's limits dropped survive scrubbing."""
    provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=2, max_events=1, max_links=1))
    span = provider.get_tracer('x').start_span('x', links=[Link(CONTEXT), Link(CONTEXT)])
    for number in range(5):
        span.set_attribute(f'a{number}', 'my secret')
        span.add_event('e')
    span.end()
    assert isinstance(span, ReadableSpan)
    result = scrubber.scrub_span(span)
    assert (result.attributes or {})['a4'] == "[Scrubbed due to 'secret']"
    assert (result.dropped_attributes, result.dropped_events, result.dropped_links) == (3, 4, 1)


@pytest.mark.parametrize(
    'fields',
    [
        {},
        {'attributes': {'a': 'text', 'b': 1, 'c': 1.5, 'd': True}},
        {'attributes': {'a': ('x', 'y'), 'kind': 'password', 'note': 'an author'}},
        {'events': [Event('e', {'k': 'v'}), Event('e')], 'links': [Link(CONTEXT, {'k': 'v'})]},
        {'attributes': {'kind': 'password'}, 'events': [Event('e', {'exception.message': 'my password'})]},
    ],
)
def test_a_clean_span_comes_back_itself(fields: Any) -> None:
    """Where there is nothing to scrub, the very same span comes back, with patterns of the user's too."""
    span = ReadableSpan(name='my password', **fields)
    assert new_scrubber(None).scrub_span(span) is span
    assert new_scrubber(ScrubbingOptions(extra_patterns=['zebra'])).scrub_span(span) is span


@pytest.mark.parametrize(
    ('existing', 'kept'),
    [
        ('[{"path":["message","x"],"matched_substring":"q"}]', [{'path': ['message', 'x'], 'matched_substring': 'q'}]),
        ('no JSON', []),
        ('{"a":1}', []),
        ('[' * 100_000, []),
        (5, []),
    ],
)
def test_earlier_notes_are_kept(scrubber: Scrubber, existing: Any, kept: list[Any]) -> None:
    """What was scrubbed from the message stands in `logfire.scrubbed` before what is scrubbed from attributes."""
    span = scrubber.scrub_span(span_with({'logfire.scrubbed': existing, 'x': 'a secret'}))
    assert json.loads(str((span.attributes or {})['logfire.scrubbed'])) == [
        *kept,
        {'path': ['attributes', 'x'], 'matched_substring': 'secret'},
    ]


def test_the_text_of_notes() -> None:
    """`logfire.scrubbed` is JSON of paths and of what was found."""
    notes: list[ScrubNote] = [{'path': ('message', 'x'), 'matched_substring': 'secret'}]
    assert scrubbed_attribute(notes) == '[{"path": ["message", "x"], "matched_substring": "secret"}]'


@pytest.mark.parametrize('log_type', [ReadWriteLogRecord, ReadableLogRecord])
@pytest.mark.parametrize(
    ('body', 'new_body', 'paths'),
    [
        ('my password is', "[Scrubbed due to 'password']", [['log_body']]),
        ('password', 'password', []),
        (
            {'password': 'x', 'l': ['a secret', 1, b'my secret']},
            {'password': "[Scrubbed due to 'password']", 'l': ["[Scrubbed due to 'secret']", 1, b'my secret']},
            [['log_body', 'password'], ['log_body', 'l', 0]],
        ),
        ('{"session": 1}', '{"session": "[Scrubbed due to \'session\']"}', [['log_body', 'session']]),
        (None, None, []),
        (5, 5, []),
    ],
)
def test_logs(scrubber: Scrubber, log_type: Any, body: Any, new_body: Any, paths: list[Any]) -> None:
    """A log's attributes and body are scrubbed in a copy, and everything else of it stays."""
    attributes: Any = {'password': 'x', 'k': {'z': ('a secret',)}, 'n': 1, 'db.statement': 'a secret'}
    record = LogRecord(
        timestamp=1,
        observed_timestamp=2,
        severity_text='my secret',
        severity_number=SeverityNumber.INFO,
        body=body,
        event_name='my secret',
        attributes=attributes,
    )
    record.trace_id, record.span_id = 3, 4
    log_data = log_type(log_record=record, resource=Resource({'a': 1}), instrumentation_scope=InstrumentationScope('s'))
    result = scrubber.scrub_log(log_data)
    assert type(result) is log_type
    new = result.log_record
    assert dict(new.attributes or {}) == {
        'password': "[Scrubbed due to 'password']",
        'k': {'z': ("[Scrubbed due to 'secret']",)},
        'n': 1,
        'db.statement': 'a secret',
        'logfire.scrubbed': json.dumps(
            [
                {'path': ['attributes', 'password'], 'matched_substring': 'password'},
                {'path': ['attributes', 'k', 'z', 0], 'matched_substring': 'secret'},
                *[{'path': path, 'matched_substring': _found(path)} for path in paths],
            ]
        ),
    }
    assert new.body == new_body
    assert (new.timestamp, new.observed_timestamp, new.trace_id, new.span_id) == (1, 2, 3, 4)
    assert (new.severity_text, new.severity_number, new.event_name) == ('my secret', SeverityNumber.INFO, 'my secret')
    assert (result.resource, result.instrumentation_scope) == (log_data.resource, log_data.instrumentation_scope)
    assert (record.body, (record.attributes or {})['password']) == (body, 'x')


def _found(path: list[Any]) -> str:
    return {'log_body': 'password', 'password': 'password', 0: 'secret', 'session': 'session'}[path[-1]]


def test_a_clean_log_comes_back_itself(scrubber: Scrubber) -> None:
    """Where there is nothing to scrub in a log, the very same log comes back."""
    for attributes in ({'a': 1, 'kind': 'password'}, None):
        log_data = ReadWriteLogRecord(LogRecord(body='clean', attributes=attributes))
        assert scrubber.scrub_log(log_data) is log_data


def test_a_callback_keeps_or_changes_values() -> None:
    """What the callback returns stands in place of the value, and is not noted; None scrubs."""
    seen: list[tuple[Any, Any, str, str]] = []

    def callback(match: ScrubMatch) -> Any:
        seen.append((match.path, match.value, match.pattern_match.group(), match.pattern_match.string))
        return {'keep secret': match.value, 'change secret': 'changed', 'false secret': False}.get(match.value)

    scrubber = new_scrubber(ScrubbingOptions(callback=callback))
    assert scrubbed(scrubber, 'keep secret') == ('keep secret', [])
    assert scrubbed(scrubber, 'change secret') == ('changed', [])
    assert scrubbed(scrubber, 'false secret') == (False, [])
    assert scrubbed(scrubber, 'other secret') == ("[Scrubbed due to 'secret']", [('x', 'secret')])
    assert scrubbed(scrubber, 5, 'password') == ("[Scrubbed due to 'password']", [('password', 'password')])
    assert seen == [
        (('attributes', 'x'), 'keep secret', 'secret', 'keep secret'),
        (('attributes', 'x'), 'change secret', 'secret', 'change secret'),
        (('attributes', 'x'), 'false secret', 'secret', 'false secret'),
        (('attributes', 'x'), 'other secret', 'secret', 'other secret'),
        (('attributes', 'password'), 5, 'password', 'password'),
    ]


def test_a_callback_on_a_log() -> None:
    """What the callback changes in a log is not noted as scrubbed."""
    scrubber = new_scrubber(ScrubbingOptions(callback=lambda match: f'<{match.path[0]}>'))
    result = scrubber.scrub_log(
        ReadWriteLogRecord(LogRecord(body='my secret', attributes={'password': 'x'}))
    ).log_record
    assert (result.body, dict(result.attributes or {})) == ('<log_body>', {'password': '<attributes>'})


def test_a_callback_within_json() -> None:
    """Within JSON, what the callback keeps is kept whole, and text in which all is kept keeps its very form."""

    def callback(match: ScrubMatch) -> Any:
        if match.path[-1] in ('password_hint', 'note'):
            return match.value
        return {'a': 1} if match.value == 'dict secret' else None

    scrubber = new_scrubber(ScrubbingOptions(callback=callback))
    kept = '{"password_hint":{"secret":1},"note":"a secret"}'
    assert scrubbed(scrubber, kept) == (kept, [])
    assert scrubbed(scrubber, '["dict secret","a secret"]') == (
        '[{"a": 1}, "[Scrubbed due to \'secret\']"]',
        [('x/1', 'secret')],
    )
    span = span_with({'password_hint': 'a secret'})
    assert scrubber.scrub_span(span) is span


def test_what_a_callback_wants_in_json_but_is_none() -> None:
    """A callback that wants an object within JSON gets its text; where there is none, the text is replaced whole."""
    wanted: Any = re.compile('x')
    scrubber = new_scrubber(ScrubbingOptions(callback=lambda match: wanted))
    assert scrubbed(scrubber, '["a secret"]') == ('["re.compile(\'x\')"]', [])
    wanted = {(1, 2): 3}
    assert scrubbed(scrubber, '["a secret"]') == (UNSEARCHABLE, [('x', '')])
    wanted = []
    wanted.append(wanted)
    assert scrubbed(scrubber, '["a secret"]') == (UNSEARCHABLE, [('x', '')])


def test_a_callback_on_a_message() -> None:
    """In a message, what the callback returns is shown as text."""
    scrubber = new_scrubber(ScrubbingOptions(callback=lambda match: 3 if match.path == ('message', 'x') else None))
    notes: list[ScrubNote] = []
    assert scrubber.scrub_text('x', 'a secret', notes) == '3'
    assert scrubber.scrub_text('y', 'a secret', notes) == "[Scrubbed due to 'secret']"
    assert notes == [{'path': ('message', 'y'), 'matched_substring': 'secret'}]


def test_a_failing_callback_scrubs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A callback that raises is reported once, without the value, and the value is scrubbed."""

    def callback(match: ScrubMatch) -> Any:
        raise ValueError(f'cannot handle {match.value}')

    monkeypatch.setattr(errors, 'strict', False)
    scrubber = new_scrubber(ScrubbingOptions(callback=callback))
    for _ in range(2):
        assert scrubbed(scrubber, 'a secret 123') == ("[Scrubbed due to 'secret']", [('x', 'secret')])
    assert len(caplog.records) == 1
    assert 'call the scrubbing callback' in caplog.text
    assert '123' not in caplog.text


@pytest.mark.parametrize(
    ('pattern', 'text', 'found'),
    [
        ('zebra', 'a ZEBRA x', 'ZEBRA'),
        ('foo.bar', 'foo\nbar x', 'foo\nbar'),
        (r'\d{3}-\d{2}', 'z 123-45', '123-45'),
        (r'\d{3}-\d{2}', '123-45', None),
        ('^anch', 'anch z', 'anch'),
        ('^anch', 'q\nanch z', None),
        ('end$', 'z end\n', 'end'),
        ("it's", "a it's b", "it's"),
        (r'(\d+)-\1 ', 'x 12-12 ', '12-12 '),
        (r'(\d+)-\1 ', 'x 12-13 ', None),
        ('pass', 'a password', 'password'),
        ('my pass', 'my password', 'my pass'),
        ('long', 'password long', 'password'),
        ('12345', '1234567', None),
        ('12345', '[1234567]', None),
        ('12345', 'x1234567', '12345'),
        ('', 'anything', ''),
    ],
)
def test_extra_patterns(pattern: str, text: str, found: str | None) -> None:
    """Patterns of the user's are looked for beside the built-in ones, ignoring case; the leftmost match is told."""
    scrubber = new_scrubber(ScrubbingOptions(extra_patterns=[pattern]))
    if found is None:
        assert scrubbed(scrubber, text) == (text, [])
        assert scrubber.scrub_text('x', text) == text
    else:
        assert scrubbed(scrubber, text) == (f'[Scrubbed due to {found!r}]', [('x', found)])
        assert scrubber.scrub_text('x', text) == f'[Scrubbed due to {found!r}]'


def test_extra_patterns_in_keys() -> None:
    """Patterns of the user's are looked for in keys, and each keeps its own groups."""
    scrubber = new_scrubber(ScrubbingOptions(extra_patterns=(r'(a)(b)\2', r'(\d)\1')))
    assert scrubbed(scrubber, 1, 'xabb') == ("[Scrubbed due to 'abb']", [('xabb', 'abb')])
    assert scrubbed(scrubber, 1, 'x33') == ("[Scrubbed due to '33']", [('x33', '33')])


def test_a_bad_pattern_is_refused() -> None:
    """A pattern that is no regular expression is refused when the scrubber is made, not when a value is."""
    with pytest.raises(re.error):
        new_scrubber(ScrubbingOptions(extra_patterns=['(']))


def test_a_pattern_that_backtracks_does_not_stall() -> None:
    """A pattern that would take `re` longer than the age of the universe is searched as fast as any other."""
    scrubber = new_scrubber(ScrubbingOptions(extra_patterns=['(a+)+$', '(x+x+)+y']))
    text = 'a' * 10_000 + '!' + 'x' * 10_000
    assert scrubbed(scrubber, text) == (text, [])
    assert scrubbed(scrubber, '!' + 'a' * 10_000)[1] == [('x', 'a' * 10_000)]


@pytest.mark.parametrize(
    'part', ['a', 'author ', 'private api logfire ', 'message process ', 'xssnx', '\u00e9', '_', 'pylf_v1']
)
def test_long_clean_text(scrubber: Scrubber, part: str) -> None:
    """Text of megabytes that only comes near a secret's name stays, and does not stall the caller."""
    text = part * (2_000_000 // len(part))
    assert scrubber.scrub_text('x', text) is text


def test_no_scrubbing() -> None:
    """`scrubbing=False` leaves everything as it is."""
    scrubber = new_scrubber(False)
    span = span_with({'password': 'my secret'}, events=[Event('e', {'password': 'x'})])
    log_data = ReadWriteLogRecord(LogRecord(body='my secret', attributes={'password': 'x'}))
    assert scrubber is NOOP_SCRUBBER
    assert scrubber.scrub_span(span) is span
    assert scrubber.scrub_log(log_data) is log_data
    assert scrubber.scrub_value(('x',), {'password': 1}) == {'password': 1}
    assert scrubber.scrub_text('x', 'my secret') == 'my secret'


def test_values_and_texts_by_themselves(scrubber: Scrubber) -> None:
    """Values and texts are scrubbed by themselves too, for those who format or count them, with or without notes."""
    assert scrubber.scrub_value(('x',), {'a': ['my secret']}) == {'a': ["[Scrubbed due to 'secret']"]}
    assert scrubber.scrub_text('x', 'my secret') == "[Scrubbed due to 'secret']"
    assert scrubber.scrub_text('db.statement', 'my secret') == 'my secret'


def test_memory_of_keys_is_bounded(scrubber: Scrubber, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many different keys are seen, what is remembered of them stays bounded, and safe keys stay safe."""
    monkeypatch.setattr(pattern_scrubber, '_REMEMBERED_KEYS', len(SAFE_KEYS) + 2)
    for number in range(10):
        span = scrubber.scrub_span(span_with({f'password{number}': 1, 'db.statement': 'my secret', f'x{number}': 1}))
        assert (span.attributes or {})[f'password{number}'] == "[Scrubbed due to 'password']"
        assert (span.attributes or {})['db.statement'] == 'my secret'
        assert len(vars(scrubber)['_verdicts']) <= len(SAFE_KEYS) + 2
