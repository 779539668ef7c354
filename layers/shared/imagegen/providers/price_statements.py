"""How a provider is asked what each of several orders would cost."""

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Decimal

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.money import MAX_USD, MICRO
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder, Json
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.bounds import Deadline

NOT_TAKEN = frozenset({Outcome.MODEL_GONE, Outcome.BAD_PARAMETER})
"""These outcomes of a question that makes nothing say that the order itself would fail, too."""


def asked_one_by_one(
    orders: Sequence[ImageOrder],
    deadline: Deadline,
    ask: Callable[[ImageOrder, float], Statement],
) -> list[Statement]:
    """Return what ``ask`` returns for each order, within the deadline.

    Raises:
        ProviderError: a question failed for another reason than its model or its parameters.
    """
    return [_asked(order, deadline, ask) for order in orders]


def _asked(
    order: ImageOrder, deadline: Deadline, ask: Callable[[ImageOrder, float], Statement]
) -> Statement:
    try:
        return ask(order, deadline.remaining_seconds())
    except ProviderError as error:
        if error.outcome not in NOT_TAKEN:
            raise
        return Statement(is_served=False)


def usd_in(value: Json) -> Decimal | None:
    """Return a number of dollars in JSON exactly as it is written, ``None`` if it is no amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        usd = Decimal(str(value))
    except ArithmeticError:
        return None
    return usd if usd.is_finite() and 0 < usd < MAX_USD else None


def microusd_of(usd: Decimal) -> int:
    """Return dollars as whole micro-dollars, rounded up as the catalog's prices are."""
    return int((usd * MICRO).to_integral_value(ROUND_CEILING))
