"""The properties of test_replies.py under atheris, which looks for inputs that reach code no input has reached before.

`make fuzz` runs it. Arguments are libFuzzer's: `python -m tests.hostile.coverage_guided -max_total_time=60`. What it
finds it writes to a file, whose path as the only argument tries it again.
"""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st

# It has wheels for some platforms only, and no part of the project but this file needs it.
atheris: Any = importlib.import_module('atheris')

_MAX_BYTES = 4096
_FIRST_INPUTS = 100


def new_fuzzers(watch: Any) -> list[Callable[[bytes], Any]]:
    """One for each property: it takes the bytes that hypothesis draws from."""
    from tests.hostile import test_replies
    from tests.hostile.examples import EXAMPLES
    from tests.otel_integrations.azure_ai_inference.conftest import Colour

    colours = st.sampled_from([Colour('sync'), Colour('async')])

    def fuzzer(test: Any, strategies: dict[str, Any]) -> Callable[[bytes], Any]:
        @EXAMPLES
        @given(colour=colours, **strategies)
        def property_of(**drawn: Any) -> None:
            test.hypothesis.inner_test(watch=watch, **drawn)

        return property_of.hypothesis.fuzz_one_input  # pyright: ignore[reportFunctionMemberAccess]

    return [
        fuzzer(test_replies.test_any_reply, test_replies.ANY_REPLY),
        fuzzer(test_replies.test_any_embeddings, test_replies.ANY_EMBEDDINGS),
        fuzzer(test_replies.test_any_error, test_replies.ANY_ERROR),
        fuzzer(test_replies.test_any_chunks, test_replies.ANY_CHUNKS),
        fuzzer(test_replies.test_any_boundaries, test_replies.ANY_BOUNDARIES),
    ]


def main() -> None:
    # Before anything else imports them.
    with atheris.instrument_imports(include=['logfire']):
        for name in ('exporters.console', 'integrations.llm_providers.azure_ai_inference'):
            importlib.import_module(f'logfire._internal.{name}')

    from logfire._internal import errors
    from tests.hostile.watch import watching

    errors.strict = True
    with watching() as watch, tempfile.TemporaryDirectory() as corpus:
        fuzzers = new_fuzzers(watch)

        def one_input(data: bytes) -> None:
            if data:
                fuzzers[data[0] % len(fuzzers)](data[1:])

        # Hypothesis draws from the bytes: too few of them are no example at all, so it begins with enough.
        random_bytes = random.Random(0)
        for number in range(_FIRST_INPUTS):
            Path(corpus, str(number)).write_bytes(random_bytes.randbytes(_MAX_BYTES))
        options = [f'-max_len={_MAX_BYTES}', '-len_control=0', '-timeout=60']
        tries_one = any(not argument.startswith('-') for argument in sys.argv[1:])
        atheris.Setup([*sys.argv, *options, *([] if tries_one else [corpus])], one_input)
        atheris.Fuzz()


if __name__ == '__main__':
    main()
