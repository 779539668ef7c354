"""An offer that is confirmed unseen, in the same call: never far dearer than what was asked for."""

from imagegen.domain.errors import AboveMaxCostError, NoProviderError
from imagegen.domain.ledger import Ledger
from imagegen.domain.money import label_text
from imagegen.usecases.estimator import Estimator
from imagegen.wire.images import Estimate, EstimateRequest


def offer_unseen(
    estimator: Estimator, wish: EstimateRequest, user: str, ledger: Ledger
) -> Estimate:
    """Return an offer whose stand-ins cost at most the fallback multiple of the first choice.

    Whoever says what an image may cost has said it, and is not held to the multiple.

    Raises:
        AboveMaxCostError: the first choice is down, and all that is left is dearer than that.
        InvalidRequestError, NoProviderError: there is no offer at all.
        StoreUnavailableError: the ledger cannot be read.
    """
    offer = estimator.estimate(wish, user, ledger=ledger)
    gone = offer.fallback
    if wish.max_cost is not None or gone is None or gone.price is None:
        return offer
    most = int(gone.price * estimator.price_multiple)
    if offer.price.ceiling <= most:
        return offer
    try:
        within = wish.model_copy(update={"max_cost": most})
        return estimator.estimate(within, user, ledger=ledger)
    except (AboveMaxCostError, NoProviderError) as error:
        raise AboveMaxCostError(
            f"{gone.model} is not available now ({gone.reason}), and {offer.model} for "
            f"{label_text(offer.price.expected)} would cost more than {label_text(most)}. "
            "The header x-max-cost allows it."
        ) from error
