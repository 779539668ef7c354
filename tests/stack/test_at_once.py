"""Many at once, over the deployed functions: one charge a quote, and never above the cap."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from imagegen.domain import ids
from imagegen.domain.catalog import Tier, parse_catalog
from imagegen.domain.days import utc_day
from imagegen.domain.quote import (
    LIFETIME_MS,
    Quote,
    QuotedCandidate,
    parse_keyring,
    prompt_hash,
    sign_quote,
)
from imagegen.edge.tokens import user_id
from local.paths import ROOT
from tests.stack.driver import Driver, Person

PROMPT = "A red fox in fresh snow"
SEVENTEEN_CENTS = 170_000
INSTANCES = 8
"""As many processes as two cores can start without running into each other's timeouts."""
LIFTED = {"HOURLY_IMAGES": "0", "DAILY_IMAGES": "100000", "DAILY_ATTEMPTS": "450"}


def test_one_quote_clicked_fifty_times_is_one_call_one_charge_one_image(stack: Driver) -> None:
    person = stack.person()
    offer = person.estimate(quality="high", provider="openai").json
    stack.provider("openai", delaySeconds=8)
    with stack.at_most(INSTANCES, "generate"), ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: person.confirm_patiently(offer), range(50)))
    statuses = Counter(answer.status for answer in answers)
    print(f"\n50 clicks on one quote: {dict(statuses)}")
    assert set(statuses) <= {200, 202}
    assert statuses[200] >= 1
    assert {answer.json["id"] for answer in answers} == {offer["imageId"]}
    assert stack.counts("openai")["images"] == 1
    assert person.confirm(offer).status == 200
    usage = person.usage()
    assert (usage["images"], usage["attempts"], usage["spent"]) == (1, 1, "0.052700")


def offers(stack: Driver, person: Person, subject: str, count: int) -> list[dict[str, Any]]:
    """Return genuine quotes at $0.17, a price that no row of the catalog has."""
    found = stack.client("ssm").get_parameters_by_path(
        Path=stack.urls["parametersPath"], WithDecryption=True
    )
    secrets = {p["Name"].rpartition("/")[2]: p["Value"] for p in found["Parameters"]}
    row = parse_catalog((ROOT / "provider_catalog.json").read_text()).by_key["openai-high"]
    option = row.option("square")
    assert option is not None
    now_ms = time.time_ns() // 1_000_000
    user = user_id(stack.urls["issuer"], subject)
    made = []
    for number in range(count):
        ref = ids.ImageRef(ids.quote_id(number.to_bytes(ids.NONCE_BYTES)), user, now_ms)
        quote = Quote(
            quote_id=ref.quote_id,
            image_id=ids.image_id(ref, secrets["IMAGE_ID_KEY"].encode()),
            user=user,
            day=utc_day(now_ms),
            issued_ms=now_ms,
            expires_ms=now_ms + LIFETIME_MS,
            prompt_hash=prompt_hash(PROMPT),
            tier=Tier.HIGH,
            size="square",
            style="",
            candidates=(QuotedCandidate(row.key, SEVENTEEN_CENTS, row.digest(option)),),
            slot=0,
        )
        token = sign_quote(quote, parse_keyring(secrets["QUOTE_KEYS"]))
        made.append({"quote": token, "prompt": PROMPT})
    return made


def test_two_hundred_at_once_never_pass_the_cap(stack: Driver) -> None:
    person = Person(stack, stack.local.issuer.token("spender"))
    with stack.configured("generate", **LIFTED, DAILY_SPEND_USD="10"):
        wanted = offers(stack, person, "spender", 200)
        with stack.at_most(INSTANCES, "generate"), ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(person.confirm_patiently, wanted))
        usage = person.usage()
    statuses = Counter(answer.status for answer in answers)
    print(Counter(a.text[:300] for a in answers if a.status > 429))
    print(f"\n200 at $0.17 against $10: {dict(statuses)}, spent {usage['spent']}")
    assert statuses == {200: 58, 429: 142}
    assert {a.json["code"] for a in answers if a.status == 429} == {"daily_spend"}
    assert (usage["spent"], usage["images"]) == ("9.860000", 58)
    assert stack.counts("openai")["images"] == 58
