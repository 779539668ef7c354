"""Offers for clients that do not see a price before they pay: what they named limits the price."""

from dataclasses import dataclass

from imagegen.domain.candidates import LeftOut, Reason
from imagegen.domain.errors import (
    AboveMaxCostError,
    ParameterError,
    UnsupportedSizeError,
)
from imagegen.domain.ledger import Ledger
from imagegen.domain.money import label_text
from imagegen.domain.quote import Quote
from imagegen.usecases.pricer import Issue, PricedOffer, Pricer
from imagegen.wire.estimates import EstimateRequest


@dataclass(frozen=True, slots=True)
class NamedOffers:
    """Makes offers whose price is that of the named model or tier, or not much above it."""

    pricer: Pricer

    def quote(
        self,
        request: EstimateRequest,
        user: str,
        *,
        ledger: Ledger,
        issue: Issue,
        most_bytes: int | None = None,
    ) -> Quote:
        """Return a quote for what was named, or one that is not much more expensive.

        If the named model, or the first one of a tier, cannot make the image, the others may cost
        at most the fallback multiple of its price, whichever of them makes it, with what a long
        prompt adds. With ``max_cost``, only ``max_cost`` limits the price.

        Raises:
            UnsupportedSizeError, ParameterError: what was named does not have this size or file.
            AboveMaxCostError: every other model costs too much.
            InvalidRequestError, NoProviderError: no model can be offered.
        """
        try:
            offer = self.pricer.offer(
                request, user, ledger=ledger, issue=issue, most_bytes=most_bytes
            )
        except ParameterError as error:
            if error.param != "format":
                raise
            raise _format_error(request, str(error)) from error
        missing = offer.selection.replaced
        if request.max_cost is not None or missing is None:
            return offer.quote
        most = self._most(missing, request)
        # The selection prefers models within this limit: if the dearest is above it, all are.
        if offer.quote.ceiling_microusd > most:
            raise _too_dear(missing, offer, most)
        return offer.quote

    def _most(self, missing: LeftOut, request: EstimateRequest) -> int:
        """Return the most that a fallback may cost, in micro-dollars.

        Raises:
            UnsupportedSizeError, ParameterError: what was named does not have this size or file
                format, makes no transparent background, or takes no such inputs, so its price does
                not limit that of another model.
        """
        what = f"{missing.row.model} ({missing.row.key}) {missing.detail}"
        if missing.reason is Reason.FORMAT:
            raise _format_error(request, f"{what}.")
        if missing.reason is Reason.WISH:
            raise ParameterError("background", f"{what}. Name another model, or a tier.")
        if missing.reason is Reason.INPUTS:
            raise ParameterError("inputs", f"{what}. Name another model, or a tier.")
        if missing.price_microusd is None:
            raise UnsupportedSizeError(
                f"{what}, not {request.size!r}. With the header x-max-cost another model may "
                "make it."
            )
        return int(missing.price_microusd * self.pricer.price_multiple)


def _too_dear(missing: LeftOut, offer: PricedOffer, most: int) -> AboveMaxCostError:
    row, expected = offer.selection.candidates[0].variant.row, offer.quote.expected_microusd
    return AboveMaxCostError(
        f"{missing.row.model} cannot make it now ({missing.reason}: {missing.detail}), and "
        f"{row.model} for {label_text(expected)} would cost more than {label_text(most)}. "
        "The header x-max-cost allows it."
    )


def _format_error(request: EstimateRequest, message: str) -> ParameterError:
    """Return the error that names the parameter with which the client required a file."""
    if request.format is not None:
        return ParameterError("output_format", message)
    hint = "Send response_format url, a smaller size, or fewer images."
    return ParameterError("response_format", f"It may not fit as b64_json. {message} {hint}")
