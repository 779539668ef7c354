"""The circuits and the last key checks in DynamoDB: one partition, read with one Query.

Failures are a string set: a failure that is added twice is in it once, so an SDK retry cannot count
it again. Each has the beginning of its user's id, because failures count by users; so have the
trials of an open circuit. Every change of state is conditional on the generation that was read.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from imagegen.aws.items import ConditionFailedError, from_item, store_errors, to_item
from imagegen.domain.breaker import Circuit, Failure, State
from imagegen.domain.fleet import FleetState, KeyCheck, Switch
from imagegen.domain.trials import Trial
from imagegen.domain.vendor_prices import Finding, PriceCheck

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STORE = "The circuits"
PARTITION = "FLEET"
_CIRCUIT, _KEY_CHECK, _PRICE_CHECK, _SWITCH = "C#", "P#", "V#", "S#"
_LETTERS = {State.CLOSED: "C", State.OPEN: "O", State.HALF_OPEN: "H"}
_STATES = {letter: state for state, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class DynamoCircuitStore:
    """``CircuitStore``, and the stores of checks, in a table with ``pk`` and ``sk``."""

    client: "DynamoDBClient"
    table: str

    def load(self) -> FleetState:
        """Return circuits and checks; the read is eventually consistent, which costs half."""
        with store_errors(STORE):
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues=to_item({":p": PARTITION}),
            )
        rows = {row["sk"]: row for row in map(from_item, answer["Items"])}
        return FleetState(
            {sk[2:]: _to_circuit(row) for sk, row in rows.items() if sk.startswith(_CIRCUIT)},
            {sk[2:]: _to_key_check(row) for sk, row in rows.items() if sk.startswith(_KEY_CHECK)},
            {
                sk[2:]: _to_price_check(row)
                for sk, row in rows.items()
                if sk.startswith(_PRICE_CHECK)
            },
            {sk[2:]: _to_switch(row) for sk, row in rows.items() if sk.startswith(_SWITCH)},
        )

    def add_failure(self, name: str, generation: int, failure: Failure) -> Circuit | None:
        """Return the circuit with the failure added, or ``None`` if the generation has changed."""
        try:
            values = self._update(
                name,
                UpdateExpression="ADD fs :f",
                ConditionExpression=(
                    "(attribute_not_exists(st) OR st = :c) "
                    "AND (attribute_not_exists(gen) OR gen = :g)"
                ),
                ExpressionAttributeValues=to_item(
                    {":f": {_text(failure)}, ":c": _LETTERS[State.CLOSED], ":g": generation}
                ),
            )
        except ConditionFailedError:
            return None
        return _to_circuit(values)

    def rest(self, name: str, generation: int, until_ms: int) -> None:
        """Let a closed circuit rest until then, unless it already rests longer."""
        values = {":u": until_ms, ":c": _LETTERS[State.CLOSED], ":g": generation}
        try:
            self._update(
                name,
                UpdateExpression="SET #until = :u",
                ConditionExpression=(
                    "(attribute_not_exists(st) OR st = :c) "
                    "AND (attribute_not_exists(gen) OR gen = :g) "
                    "AND (attribute_not_exists(#until) OR #until < :u)"
                ),
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues=to_item(values),
            )
        except ConditionFailedError:
            return  # It is not closed, has changed since, or rests longer.

    def drop_failures(self, name: str, generation: int, failures: frozenset[Failure]) -> None:
        """Remove failures that are outside the window."""
        if not failures:
            return
        try:
            self._update(
                name,
                UpdateExpression="DELETE fs :f",
                ConditionExpression="attribute_not_exists(gen) OR gen = :g",
                ExpressionAttributeValues=to_item(
                    {":f": {_text(one) for one in failures}, ":g": generation}
                ),
            )
        except ConditionFailedError:
            return  # The circuit changed its state, which removed them already.

    def swap(self, name: str, old: Circuit, new: Circuit) -> bool:
        """Replace ``old`` by ``new``. Return whether this caller did it."""
        swap_id = uuid.uuid4().hex
        values = {":by": swap_id, ":old": old.generation, **_swapped(new)}
        set_trials, no_trials = "", ", tr"
        if new.trials:
            values[":tr"] = {_trial_text(one) for one in new.trials}
            set_trials, no_trials = ", tr = :tr", ""
        unchanged = "gen = :old" if old.generation else "(attribute_not_exists(gen) OR gen = :old)"
        try:
            self._update(
                name,
                UpdateExpression=(
                    "SET st = :st, gen = :new, #until = :until, po = :owner, why = :why, #by = :by"
                    f"{set_trials} "
                    "REMOVE fs"
                    f"{no_trials}"
                ),
                ConditionExpression=unchanged,
                ExpressionAttributeNames={"#until": "until", "#by": "by"},
                ExpressionAttributeValues=to_item(values),
            )
        except ConditionFailedError as error:
            # The SDK may have sent the write twice. The stored circuit is then the result of the
            # first one: it has the same owner, if it is a probe, or the id of this swap.
            is_this_probe = bool(new.owner) and _to_circuit(error.item) == new
            return is_this_probe or error.item.get("by") == swap_id
        return True

    def save(self, provider: str, key_check: KeyCheck) -> KeyCheck | None:
        """Store a key check; the last one wins. Return the one that it replaced, if any."""
        row = {
            "pk": PARTITION,
            "sk": _KEY_CHECK + provider,
            "at": key_check.at_ms,
            "out": key_check.outcome,
            "key": key_check.verdict,
            "gone": list(key_check.unlisted),
            "ends": {model: day.isoformat() for model, day in key_check.last_days.items()},
        }
        with store_errors(STORE):
            answer = self.client.put_item(
                TableName=self.table, Item=to_item(row), ReturnValues="ALL_OLD"
            )
        return _to_key_check(from_item(answer["Attributes"])) if "Attributes" in answer else None

    def save_prices(self, provider: str, price_check: PriceCheck) -> None:
        """Store a price check; the last one wins."""
        found = {
            key: {"d": one.digest, "usd": one.microusd} for key, one in price_check.findings.items()
        }
        sort_key = _PRICE_CHECK + provider
        row = {"pk": PARTITION, "sk": sort_key, "at": price_check.at_ms, "found": found}
        with store_errors(STORE):
            self.client.put_item(TableName=self.table, Item=to_item(row))

    def save_switch(self, provider: str, switch: Switch) -> None:
        """Store a switch; the last one wins."""
        row = {"pk": PARTITION, "sk": _SWITCH + provider, "on": switch.is_on, "at": switch.at_ms}
        with store_errors(STORE):
            self.client.put_item(TableName=self.table, Item=to_item(row | {"why": switch.reason}))

    def _update(self, name: str, **arguments: Any) -> dict[str, Any]:
        with store_errors(STORE):
            answer = self.client.update_item(
                TableName=self.table,
                Key=to_item({"pk": PARTITION, "sk": _CIRCUIT + name}),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **arguments,
            )
        return from_item(answer["Attributes"])


def _text(failure: Failure) -> str:
    """Return ``at#call`` or ``at#call@user``; a failure of an older version has no user."""
    user = f"@{failure.user}" if failure.user else ""
    return f"{failure.at_ms}#{failure.call_id}{user}"


def _swapped(new: Circuit) -> dict[str, Any]:
    """Return the values of a circuit that replaces another one, by their names in ``swap``."""
    return {
        ":st": _LETTERS[new.state],
        ":new": new.generation,
        ":until": new.until_ms,
        ":owner": new.owner,
        ":why": new.why,
    }


def _trial_text(trial: Trial) -> str:
    """Return ``at#call@user``; ``!at#call@user`` if it failed."""
    return f"{'!' if trial.failed else ''}{_text(Failure(trial.at_ms, trial.call_id, trial.user))}"


def _to_trial(text: str) -> Trial:
    at, _, call = text.removeprefix("!").partition("#")
    call_id, _, user = call.partition("@")
    return Trial(int(at), call_id, user, text.startswith("!"))


def _to_key_check(row: Mapping[str, Any]) -> KeyCheck:
    ends = {model: date.fromisoformat(day) for model, day in row.get("ends", {}).items()}
    return KeyCheck(row["at"], row["out"], row.get("key", ""), tuple(row.get("gone", ())), ends)


def _to_price_check(row: Mapping[str, Any]) -> PriceCheck:
    found = row.get("found", {})
    return PriceCheck(row["at"], {k: Finding(one["d"], one.get("usd")) for k, one in found.items()})


def _to_switch(row: Mapping[str, Any]) -> Switch:
    return Switch(row["on"], row["at"], row.get("why", ""))


def _to_circuit(row: dict[str, Any]) -> Circuit:
    parts = (text.partition("#") for text in row.get("fs", ()))
    return Circuit(
        _STATES[row.get("st", "C")],
        row.get("gen", 0),
        frozenset(Failure(int(at), *call.partition("@")[::2]) for at, _, call in parts),
        row.get("until", 0),
        row.get("po", ""),
        row.get("why", ""),
        frozenset(map(_to_trial, row.get("tr", ()))),
    )
