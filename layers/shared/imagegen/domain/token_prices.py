"""What an LLM's tokens cost."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from imagegen.domain.ports import TokenCount


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Dollars per million tokens, which are micro-dollars per token; ``None`` if not configured."""

    input_usd_per_million: Decimal | None = None
    output_usd_per_million: Decimal | None = None

    def cost_microusd(self, spent: TokenCount | None) -> int | None:
        """Return what a call cost in micro-dollars, rounded up.

        ``None`` if the tokens or a price are unknown.
        """
        if spent is None or self.input_usd_per_million is None:
            return None
        if self.output_usd_per_million is None:
            return None
        cost = (
            spent.input_tokens * self.input_usd_per_million
            + spent.output_tokens * self.output_usd_per_million
        )
        return int(cost.to_integral_value(ROUND_CEILING))
