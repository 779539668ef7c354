"""S6: no changed quote is accepted, and no good one refused while its key is rotated."""

import base64
import hmac
import json
import random
from collections import Counter
from dataclasses import replace

from imagegen.domain.errors import ImagegenError, QuoteError, QuoteExpiredError, QuoteMismatchError
from imagegen.domain.quote import Keyring, Quote, open_quote, sign_quote
from imagegen.wire.images import GenerateRequest
from operations.rotation import Step
from tests.fakes.service import KEYRING, PROMPT, Service
from tests.security.board import Board
from tests.security.conftest import House
from tests.unit.test_rotation import FleetState, rotate

MUTATIONS = 10_000
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
THIEF = Keyring({"k1": b"a thief's key of 32 bytes length"})


class Forger:
    """Makes quotes that nobody signed out of one that somebody did."""

    def __init__(self, token: str, quote: Quote, seed: int) -> None:
        self.token, self.quote, self.random = token, quote, random.Random(seed)
        self.prefix, self.kid, self.payload, self.mac = token.split(".")

    def next(self) -> tuple[str, str]:
        """Return a way to forge, and what it makes."""
        ways = (
            self.letter, self.bits, self.cut, self.swap, self.claims, self.thief, self.key_id,
            self.spelling, self.part, self.other_mac,
        )  # fmt: skip
        way = self.random.choice(ways)
        return way.__name__, way()

    def letter(self) -> str:
        place = self.random.randrange(len(self.token))
        return (
            self.token[:place] + self.random.choice(BASE64 + ".=+/ \n\0é") + self.token[place + 1 :]
        )

    def bits(self) -> str:
        data = bytearray(base64.urlsafe_b64decode(self.payload + "=" * (-len(self.payload) % 4)))
        data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        changed = base64.urlsafe_b64encode(bytes(data)).rstrip(b"=").decode()
        return f"{self.prefix}.{self.kid}.{changed}.{self.mac}"

    def cut(self) -> str:
        return self.token[: self.random.randrange(len(self.token))]

    def swap(self) -> str:
        letters = list(self.token)
        one, other = self.random.sample(range(len(letters)), 2)
        letters[one], letters[other] = letters[other], letters[one]
        return "".join(letters)

    def changed(self) -> Quote:
        cheap = tuple(replace(one, price_microusd=0) for one in self.quote.candidates)
        changes = (
            {"candidates": cheap}, {"user": f"{self.random.getrandbits(128):032x}"},
            {"expires_ms": 10**15}, {"day": "20200101"}, {"prompt_hash": "0" * 64},
            {"size": "4096x4096"}, {"quote_id": f"{self.random.getrandbits(60):024x}"},
            {"slot": self.random.randrange(99)}, {"style": "x" * self.random.randrange(1, 99)},
        )  # fmt: skip
        return replace(self.quote, **self.random.choice(changes))

    def claims(self) -> str:
        return sign_quote(self.changed(), THIEF).rpartition(".")[0] + "." + self.mac

    def thief(self) -> str:
        return sign_quote(self.changed(), THIEF)

    def key_id(self) -> str:
        kid = self.random.choice(["k0", "k2", "", "K1", "k1 ", "none", "../k1", "k1\0"])
        return f"{self.prefix}.{kid}.{self.payload}.{self.mac}"

    def spelling(self) -> str:
        pad = self.random.choice(["=", "==", "\n", " ", "A", "."])
        return self.random.choice(
            [self.token + pad, pad + self.token, f"q1.k1.{self.payload}{pad}.{self.mac}",
             self.token.replace("q1", self.random.choice(["Q1", "q2", "q01", ""])),
             self.token.upper(), self.token.lower(), self.token.replace("_", "/") + "+"]
        )  # fmt: skip

    def part(self) -> str:
        parts = [self.prefix, self.kid, self.payload, self.mac]
        self.random.shuffle(parts)
        return ".".join(parts[: self.random.randrange(1, 5)])

    def other_mac(self) -> str:
        key = self.random.choice([b"", b"k1", KEYRING.keys["k0"], self.mac.encode()])
        signed = f"{self.prefix}.{self.kid}.{self.payload}"
        digest = self.random.choice(["sha256", "sha512", "md5"])
        mac = hmac.digest(key, signed.encode(), digest)
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_no_mutated_quote_is_accepted(house: House, board: Board) -> None:
    service, user = house.service, house.user()
    offer = service.estimate(PROMPT, user)
    forger = Forger(offer.quote, open_quote(offer.quote, KEYRING), seed=6)
    accepted, ways, statuses = [], Counter[str](), Counter[int]()
    made = 0
    while made < MUTATIONS:
        way, token = forger.next()
        if token == offer.quote:
            continue
        made += 1
        ways[way] += 1
        try:
            open_quote(token, KEYRING)
            accepted.append((way, token))
        except QuoteError:
            pass
        if made % 5 == 0:
            body = json.dumps({"quote": token, "prompt": PROMPT})
            answer = house.ask(
                "generate", "POST", "/generate-image", body, token=house.functions.token
            )
            statuses[answer["statusCode"]] += 1
    spent = service.spent(user) + len(service.called)
    board.show(
        "S6a",
        ">= 10,000 mutated quotes: none accepted, nothing spent",
        f"{made} in {len(ways)} ways, {len(accepted)} accepted; {sum(statuses.values())} through "
        f"the function {dict(statuses)}, spent {spent}",
        passes=not accepted and set(statuses) <= {400, 422} and spent == 0,
    )


def test_a_genuine_quote_is_good_for_its_user_prompt_and_time_alone(board: Board) -> None:
    service = Service()
    offer = service.estimate()
    wrong = {
        "another user": (offer.quote, offer.prompt, "c3" * 16, QuoteError),
        "another prompt": (offer.quote, offer.prompt + " ", None, QuoteMismatchError),
        "prompt in another form": (offer.quote, "\u200b" + offer.prompt, None, QuoteMismatchError),
    }
    accepted = [name for name, case in wrong.items() if not refused(service, *case)]
    service.clock.advance(600_000)
    if not refused(service, offer.quote, offer.prompt, None, QuoteExpiredError):
        accepted.append("expired")
    retired = sign_quote(open_quote(offer.quote, KEYRING), Keyring({"k9": b"9" * 32}))
    if not refused(service, retired, offer.prompt, None, QuoteError):
        accepted.append("a key that was dropped")
    board.show(
        "S6b",
        "a genuine quote of another user, prompt, time or key: refused",
        f"{len(wrong) + 2} cases, {len(accepted)} accepted {accepted or ''}",
        passes=not accepted and service.spent() == 0,
    )


def refused(
    service: Service, quote: str, prompt: str, user: str | None, kind: type[ImagegenError]
) -> bool:
    """Return whether a quote is refused in exactly this way."""
    request = GenerateRequest(quote=quote, prompt=prompt)
    ends_ms = service.clock() + 300_000
    try:
        service.generator.generate(request, user or "a1" * 16, ends_ms=ends_ms)
    except ImagegenError as error:
        return type(error) is kind
    return False


def test_rotation_in_mid_flight_refuses_no_valid_quote(board: Board) -> None:
    opened = turned_away = 0
    for seed in range(3):
        fleet = FleetState(seed)
        fleet.rest(600_000)
        assert rotate(fleet) == [Step.ADD, Step.PROMOTE, Step.DROP]
        fleet.rest(900_000)
        opened, turned_away = opened + fleet.opened, turned_away + fleet.refused
    board.show(
        "S6c",
        "the quote key rotated in mid-flight, instances 5 minutes stale: no valid quote refused",
        f"3 rotations over 6 instances: {opened} quotes opened, {turned_away} refused",
        passes=turned_away == 0 and opened >= 10_000,
    )
