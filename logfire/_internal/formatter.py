"""Messages: from a template and attributes, or from an f-string that stands in the calling statement.

A value in a message is scrubbed unless its key is safe, then cut in the middle to 128 characters.
"""

from __future__ import annotations

import ast
import dis
import string
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from logfire._internal.errors import Guard
from logfire._internal.stack_info import warn_user

if TYPE_CHECKING:
    from logfire._internal.scrubbing import Scrubber, ScrubNote

MAX_VALUE_LENGTH: Final = 128
_KEPT_HALF: Final = (MAX_VALUE_LENGTH - len('...')) // 2


class FormattingFailedWarning(UserWarning):
    """A message could not be formatted; the template itself stands for it."""


class InspectArgumentsFailedWarning(Warning):
    """The statement that made a call was not found, so that an f-string in it was taken as plain text."""


class _TemplateError(Exception):
    """Why a template cannot be formatted, in words for the user."""


class _Field:
    __slots__ = ('conversion', 'is_compound', 'is_plain', 'name', 'spec')

    def __init__(self, name: str, conversion: str | None, spec: _Pieces | None) -> None:
        self.name = name
        self.is_compound = '.' in name or '[' in name
        self.conversion = conversion
        self.spec = spec
        self.is_plain = not self.is_compound and conversion is None and spec is None
        """A name and nothing else."""


_Pieces: TypeAlias = 'tuple[str | _Field, ...]'

_FORMATTER: Final = string.Formatter()
_CONVERSIONS: Final = {'r': repr, 's': str, 'a': ascii}


@lru_cache(maxsize=1024)
def _parse(template: str, depth: int = 0) -> _Pieces:
    """The literal texts and the fields of a template, in order.

    Raises:
        _TemplateError: The template is not well formed.
    """
    if depth > 1:
        raise _TemplateError('a format spec within a format spec has fields of its own')
    pieces: list[str | _Field] = []
    try:
        parsed = list(_FORMATTER.parse(template))
    except ValueError as exc:
        raise _TemplateError(str(exc)) from None
    for literal, name, spec, conversion in parsed:
        if literal:
            pieces.append(literal)
        if name is None:
            continue
        if name.endswith('='):
            # `{x=}` shows its name, as in an f-string.
            pieces.append(name)
            name = name[:-1]
        if not name or name.isdecimal():
            raise _TemplateError('fields are filled by name: `{}` and `{0}` stand for nothing')
        if conversion is not None and conversion not in _CONVERSIONS:
            raise _TemplateError(f'{{{name}!{conversion}}} has an unknown conversion')
        pieces.append(_Field(name, conversion, _parse(spec, depth + 1) if spec else None))
    return tuple(pieces)


def _value(field: _Field, attributes: Mapping[str, Any]) -> Any:
    try:
        return attributes[field.name] if not field.is_compound else _FORMATTER.get_field(field.name, (), attributes)[0]
    except Exception as exc:
        if field.name in attributes:
            return attributes[field.name]  # A key with a dot or a bracket in it.
        if isinstance(exc, KeyError):
            raise _TemplateError(f'{{{field.name}}} is not among the attributes') from None
        raise _TemplateError(f'{{{field.name}}} cannot be read: {_describe(exc)}') from None


def _text(field: _Field, attributes: Mapping[str, Any]) -> str:
    value = _value(field, attributes)
    spec = ''
    if field.spec is not None:
        spec = ''.join([piece if isinstance(piece, str) else _text(piece, attributes) for piece in field.spec])
    try:
        return format(value if field.conversion is None else _CONVERSIONS[field.conversion](value), spec)
    except Exception as exc:
        raise _TemplateError(f'{{{field.name}}} cannot be formatted: {_describe(exc)}') from None


def _describe(exc: Exception) -> str:
    try:
        return f'{type(exc).__name__}: {exc}'
    except Exception:
        return type(exc).__name__


def _shown(key: str, text: str, scrubber: Scrubber, notes: list[ScrubNote] | None) -> str:
    """A value's text as it stands in a message."""
    return shown_value(scrubber.scrub_text(key, text, notes))


def shown_value(text: str) -> str:
    """A scrubbed value's text as it stands in a message."""
    if len(text) > MAX_VALUE_LENGTH:
        return f'{text[:_KEPT_HALF]}...{text[-_KEPT_HALF:]}'
    return text


def format_message(
    template: str, attributes: Mapping[str, Any], scrubber: Scrubber, notes: list[ScrubNote] | None = None
) -> str:
    """The message of a template.

    Args:
        template: A `str.format` template whose fields are filled by name. `{a.b}` and `{a[b]}` look into an attribute
            `a`, or else take the attribute with that very name.
        attributes: What fills the fields.
        scrubber: Scrubs the values.
        notes: What was scrubbed is added here, for `logfire.scrubbed`.

    Returns:
        The message. If a field is missing or cannot be formatted: the template, after a `FormattingFailedWarning` at
        the user's line. Never raises, but for that warning where the user's filters make it an error.
    """
    if '{' not in template and '}' not in template:
        return template
    noted = len(notes) if notes else 0
    try:
        shown: list[str] = []
        for piece in _parse(template):
            if isinstance(piece, str):
                shown.append(piece)
            elif piece.is_plain and type(value := attributes.get(piece.name)) is str:
                text = scrubber.scrub_text(piece.name, value, notes)
                shown.append(text if len(text) <= MAX_VALUE_LENGTH else shown_value(text))
            else:
                shown.append(_shown(piece.name, _text(piece, attributes), scrubber, notes))
    except _TemplateError as exc:
        if notes:
            del notes[noted:]
        warn_user(
            f'The message template could not be formatted: {exc}. Pass either a literal template with every field '
            'among the attributes, or an f-string written in the call itself; double the braces that are no fields.',
            FormattingFailedWarning,
        )
        return template
    return ''.join(shown)


# F-strings.


class FStringCall:
    """An f-string of a call, taken apart."""

    __slots__ = ('attributes', 'pieces', 'template')

    def __init__(self, template: str, attributes: dict[str, Any], pieces: tuple[str | tuple[str, str], ...]) -> None:
        self.template: Final = template
        """The f-string as a template: `hello {name}`. Conversions and specs are left out."""
        self.attributes: Final = attributes
        """The values of its fields, by their source text."""
        self.pieces: Final = pieces
        """Literal texts, and of each field its source and its formatted text."""

    def message(self, scrubber: Scrubber, notes: list[ScrubNote] | None = None) -> str:
        """The message; what was scrubbed is added to `notes`."""
        return ''.join(
            [piece if isinstance(piece, str) else _shown(piece[0], piece[1], scrubber, notes) for piece in self.pieces]
        )


class _FStringField:
    __slots__ = ('code', 'conversion', 'name', 'source', 'spec')

    def __init__(
        self, source: str, name: str | None, code: CodeType, conversion: str | None, spec: CodeType | None
    ) -> None:
        self.source = source
        self.name = name  # Where the expression is a plain name.
        self.code = code
        self.conversion = conversion
        self.spec = spec


class _CallSite:
    __slots__ = ('pieces', 'template')

    def __init__(self, template: str, pieces: tuple[str | _FStringField, ...]) -> None:
        self.template = template
        self.pieces = pieces


_GUARD_FIND: Final = Guard('find the f-string of a call')
_MAX_REMEMBERED: Final = 4096
_EVALUATED: Final = '<logfire f-string>'
_FORMATTING_OPCODES: Final = tuple(
    [dis.opmap[name] for name in ('FORMAT_VALUE', 'FORMAT_SIMPLE', 'FORMAT_WITH_SPEC') if name in dis.opmap]
)

# By the id of the code object, which stands in the value too, so that the id is not used again. None: no f-string to
# take apart.
_call_sites: dict[tuple[int, int], tuple[CodeType, _CallSite | None]] = {}
_has_fstrings: dict[int, tuple[CodeType, bool]] = {}


def inspect_call(
    frame: FrameType, template: str, attributes: Mapping[str, Any], argument: int = 0
) -> FStringCall | None:
    """Take the f-string apart that stands as the template in the call which `frame` is making.

    Its expressions are evaluated a second time, in the frame; the attributes stand over the frame's variables.

    Args:
        frame: The frame of the caller, in the middle of its call to us.
        template: What the call passed: the text that came of the f-string, if there is one.
        attributes: The attributes that the call passed.
        argument: The position of the template among the arguments; or it is passed as `msg_template`.

    Returns:
        None if the call has no f-string in that place, or it cannot be evaluated again: `template` is all there is.
        Where the call is not found at all, for want of the source, after an `InspectArgumentsFailedWarning`, once for
        a call site.
    """
    code = frame.f_code
    known = _has_fstrings.get(id(code))
    if known is None:
        # An interpreter needs one of these to make text of a value, so most code is told apart without its source.
        opcodes = code.co_code[::2]
        known = (code, any(opcode in opcodes for opcode in _FORMATTING_OPCODES))
        if len(_has_fstrings) >= _MAX_REMEMBERED:
            _has_fstrings.clear()
        _has_fstrings[id(code)] = known
    if not known[1] or not template:
        return None
    key = (id(code), frame.f_lasti)
    remembered = _call_sites.get(key)
    if remembered is None:
        site = None
        with _GUARD_FIND:
            site = _find_call_site(frame, argument)
            # Not where it failed: the next call may fare better.
            if len(_call_sites) >= _MAX_REMEMBERED:
                _call_sites.clear()
            _call_sites[key] = (code, site)
    else:
        site = remembered[1]
    return None if site is None else _evaluate(site, frame, attributes)


def _find_call_site(frame: FrameType, argument: int) -> _CallSite | None:
    if frame.f_code.co_filename == _EVALUATED:
        return None  # A call within an f-string that is being evaluated again.
    from executing import Source

    found = Source.executing(frame)
    node = found.node
    if not isinstance(node, ast.Call):
        _warn_not_found('no plain call was found in its source' if found.source.text else 'its source is not available')
        return None
    place: ast.expr | None = None
    if len(node.args) > argument:
        place = node.args[argument]
    else:
        place = next((keyword.value for keyword in node.keywords if keyword.arg == 'msg_template'), None)
    starred = any(isinstance(node, ast.Starred) for node in node.args[: argument + 1])
    if place is None and not starred and all(keyword.arg for keyword in node.keywords):
        _warn_not_found('the call has no template among its arguments')
    if starred or not isinstance(place, ast.JoinedStr):
        return None
    return _read_fstring(place, found.source.lines)


def _warn_not_found(reason: str) -> None:
    warn_user(
        f'The call could not be inspected: {reason}. If its template is an f-string, its fields are not recorded as '
        'attributes. logfire.configure(inspect_arguments=False) turns the inspection and this warning off.',
        InspectArgumentsFailedWarning,
    )


def _read_fstring(fstring: ast.JoinedStr, lines: list[str]) -> _CallSite | None:
    pieces: list[str | _FStringField] = []
    for part in fstring.values:
        if isinstance(part, ast.FormattedValue):
            source = _source_of(part.value, lines)
            if any(isinstance(node, ast.Await) for node in ast.walk(part.value)):
                warn_user(
                    f'{{{source}}} cannot be recorded as an attribute: it would have to be awaited again. '
                    'Await it before the call, and put the result into the f-string.',
                    FormattingFailedWarning,
                )
                return None
            try:
                code = compile(ast.Expression(part.value), _EVALUATED, 'eval')
                spec = part.format_spec and compile(ast.Expression(part.format_spec), _EVALUATED, 'eval')
            except SyntaxError:  # `yield`
                return None
            name = part.value.id if isinstance(part.value, ast.Name) else None
            pieces.append(
                _FStringField(source, name, code, chr(part.conversion) if part.conversion > 0 else None, spec)
            )
        else:
            assert isinstance(part, ast.Constant)
            pieces.append(str(part.value))
    template = ''.join([piece if isinstance(piece, str) else f'{{{piece.source}}}' for piece in pieces])
    return _CallSite(template, tuple(pieces))


def _source_of(node: ast.expr, lines: list[str]) -> str:
    """The expression as it is written, where it is written on one line; else as Python would write it."""
    if node.lineno == node.end_lineno and node.lineno <= len(lines):
        segment = lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode(errors='replace')
        try:
            # Before Python 3.12, what stands in an f-string of several lines has wrong positions.
            if ast.dump(ast.parse(segment, mode='eval').body) == ast.dump(node):
                return segment
        except SyntaxError:
            pass
    return ast.unparse(node)


def _evaluate(site: _CallSite, frame: FrameType, attributes: Mapping[str, Any]) -> FStringCall | None:
    frame_globals = frame.f_globals
    frame_locals = frame.f_locals
    scope: dict[str, Any] | None = None
    values: dict[str, Any] = {}
    pieces: list[str | tuple[str, str]] = []
    try:
        for piece in site.pieces:
            if isinstance(piece, str):
                pieces.append(piece)
                continue
            name = piece.name
            if name is not None and piece.spec is None and (name in attributes or name in frame_locals):
                value = attributes[name] if name in attributes else frame_locals[name]
                spec = ''
            else:
                if scope is None:
                    # One scope for all: comprehensions and lambdas see nothing but globals.
                    scope = {**frame_globals, **frame_locals, **attributes}
                value = eval(piece.code, scope)
                spec = '' if piece.spec is None else eval(piece.spec, scope)
            values[piece.source] = value
            shown = value if piece.conversion is None else _CONVERSIONS[piece.conversion](value)
            pieces.append((piece.source, format(shown, spec)))
    except (
        Exception
    ):  # The user's: what it raises the second time was not raised the first time, when the text was made.
        return None
    return FStringCall(site.template, values, tuple(pieces))
