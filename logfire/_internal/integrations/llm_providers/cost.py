"""`operation.cost`, in US dollars, from the prices that the `genai-prices` package knows (extra `cost`).

The package takes up to a second to load: it is loaded on a thread of its own, and calls before that have no cost.
Asking it takes about 0.1 ms: the price per token is kept per model.
"""

from __future__ import annotations

import functools
import math
import threading
from typing import TYPE_CHECKING, Any

from logfire._internal import lifecycle
from logfire._internal.errors import Guard
from logfire._internal.integrations.llm_providers.operation import LLMRequest, LLMResponse

if TYPE_CHECKING:
    from decimal import Decimal

_LOAD = Guard('load the prices of genai-prices')

_MILLION = 1_000_000

# The loaded package; empty until then.
_loaded: list[Any] = []

# The thread that loads it, once there is one.
_threads: list[threading.Thread] = []

# Has an item as soon as the interpreter exits.
_exiting: list[None] = []

# How long the exit waits for the loading, in seconds.
_LONGEST_WAIT = 5.0


class _Prices:
    """Prices per token, as whole numbers of a fraction of a US dollar: sums of them are exact, and fast."""

    __slots__ = ('cached_input', 'dollar', 'input', 'output')

    def __init__(self, *, input: int, cached_input: int, output: int, dollar: int) -> None:
        self.input = input
        self.cached_input = cached_input
        self.output = output
        self.dollar = dollar
        """How many of that fraction make one US dollar."""


@functools.cache
def start_loading() -> threading.Thread:
    """Load the prices in the background, once per process."""
    thread = threading.Thread(target=_load, name='logfire-genai-prices', daemon=True)
    thread.start()
    _threads.append(thread)
    return thread


def _finish_loading() -> None:
    """Let the loading come to its end before the interpreter does.

    A thread that is stopped in the midst of an import may leave the lock of all imports taken. Whatever is imported
    after that, by a `__del__` for one, would wait forever, and so would the exit.
    """
    _exiting.append(None)
    for thread in _threads:
        thread.join(_LONGEST_WAIT)


lifecycle.on_exit(_finish_loading)


def operation_cost(provider_id: str, request: LLMRequest, response: LLMResponse) -> float | None:
    """What a call cost in US dollars. None: no usage, no price for its model, or prices that are not loaded (yet)."""
    usage = response.usage
    if not _loaded or (usage.input_tokens is None and usage.output_tokens is None):
        return None
    for model in (response.model, request.model):
        prices = _prices(provider_id, model) if model else None
        if prices is not None:
            cached = usage.cache_read_input_tokens or 0
            total = (
                prices.input * ((usage.input_tokens or 0) - cached)
                + prices.cached_input * cached
                + prices.output * (usage.output_tokens or 0)
            )
            return total / prices.dollar
    return None


def _load() -> None:
    with _LOAD:
        try:
            _import_prices()
        except Exception:
            if not _exiting:
                raise
            # A short program ends while the package loads: what fails then is nobody's concern.


def _import_prices() -> None:
    import importlib.util

    if importlib.util.find_spec('genai_prices') is None:
        return  # The extra is not installed.
    import genai_prices

    # The first question takes a while as well.
    genai_prices.calc_price(genai_prices.Usage(input_tokens=1), 'gpt-4o', provider_id='azure')
    _loaded.append(genai_prices)


def _without_publisher(model: str) -> str:
    publisher, _, name = model.partition('/')
    return name or publisher


@functools.lru_cache(maxsize=256)
def _prices(provider_id: str, model: str) -> _Prices | None:
    """The price per token of a model; None where it is not known, or not the same for every token (tiers)."""
    genai_prices = _loaded[0]

    def price(**usage: int) -> Decimal:
        calculation = genai_prices.calc_price(genai_prices.Usage(**usage), model, provider_id=provider_id)
        return calculation.total_price

    from fractions import Fraction  # Loaded with the prices, not with every program.

    model = _without_publisher(model)
    try:
        of_a_million = (
            price(input_tokens=_MILLION),
            price(input_tokens=_MILLION, cache_read_tokens=_MILLION),
            price(output_tokens=_MILLION),
        )
        if price(input_tokens=1, output_tokens=1) * _MILLION != of_a_million[0] + of_a_million[2]:
            return None
    except LookupError:
        return None
    of_one = [Fraction(dollars) / _MILLION for dollars in of_a_million]
    dollar = math.lcm(*(dollars.denominator for dollars in of_one))
    input_price, cached_price, output_price = (int(dollars * dollar) for dollars in of_one)
    return _Prices(input=input_price, cached_input=cached_price, output=output_price, dollar=dollar)
