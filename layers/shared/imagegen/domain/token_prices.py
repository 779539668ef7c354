"""What an LLM's tokens cost."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from imagegen.domain.ports import TokenCount


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Dollars for a million tokens, which is micro-dollars for one; ``None`` where not told."""

    input_usd_per_million: Decimal | None = None
    output_usd_per_million: Decimal | None = None

    def cost_microusd(self, spent: TokenCount | None) -> int | None:
        """Return what a call cost, rounded up, or ``None`` where there is no telling."""
        if spent is None or self.input_usd_per_million is None:
            return None
        if self.output_usd_per_million is None:
            return None
        cost = (
            spent.input_tokens * self.input_usd_per_million
            + spent.output_tokens * self.output_usd_per_million
        )
        return int(cost.to_integral_value(ROUND_CEILING))
