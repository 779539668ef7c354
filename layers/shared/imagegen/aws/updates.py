"""One UpdateItem, put together clause by clause."""

from dataclasses import dataclass, field
from typing import Any

from imagegen.aws.items import to_item


@dataclass(slots=True)
class Update:
    """Collects what an UpdateItem sets, removes and requires."""

    sets: list[str] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)
    adds: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)

    def name(self, *attributes: str) -> str:
        """Return the placeholder of an attribute's name; that of one in a map follows the map's."""
        return ".".join(self._names.setdefault(one, f"#n{len(self._names)}") for one in attributes)

    def value(self, value: Any) -> str:
        """Return the placeholder of a value."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def set(self, attribute: str, value: Any) -> None:
        """Set an attribute."""
        self.sets.append(f"{self.name(attribute)} = {self.value(value)}")

    def add(self, attribute: str, amount: int) -> None:
        """Add to a number that may be absent.

        Use it only with a condition that the write makes false: sent twice, it would add twice.
        """
        name, zero = self.name(attribute), self.value(0)
        self.sets.append(f"{name} = if_not_exists({name}, {zero}) + {self.value(amount)}")

    def remove(self, attribute: str) -> None:
        """Remove an attribute."""
        self.removes.append(self.name(attribute))

    def include(self, attribute: str, members: frozenset[bytes]) -> None:
        """Add members to a set that may be absent; those that are in it stay once."""
        self.adds.append(f"{self.name(attribute)} {self.value(set(members))}")

    def exclude(self, attribute: str, members: frozenset[bytes]) -> None:
        """Remove members from a set; those that are not in it are ignored."""
        self.deletes.append(f"{self.name(attribute)} {self.value(set(members))}")

    def equals(self, value: Any, *attributes: str) -> str:
        """Return the condition that an attribute, or one in a map, has a value."""
        return f"{self.name(*attributes)} = {self.value(value)}"

    def contains(self, member: bytes, attribute: str) -> str:
        """Return the condition that a set has a member."""
        return f"contains({self.name(attribute)}, {self.value(member)})"

    def require(self, condition: str) -> None:
        """Require that a condition holds."""
        self.conditions.append(f"({condition})")

    def require_absent_or(self, condition: str, *attributes: str) -> None:
        """Require that an attribute, or one in a map, is absent, or that a condition holds."""
        self.require(f"attribute_not_exists({self.name(*attributes)}) OR {condition}")

    def at_most(self, attribute: str, limit: int) -> None:
        """Require that a number is not above a limit; an absent number counts as 0."""
        name = self.name(attribute)
        absent = f"attribute_not_exists({name}) OR " if limit >= 0 else ""
        self.require(f"{absent}{name} <= {self.value(limit)}")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of UpdateItem, besides table and key.

        Without a change they are a condition's alone, for PutItem and DeleteItem. What is empty is
        left out, because DynamoDB refuses it.
        """
        parts = {"SET": self.sets, "REMOVE": self.removes, "ADD": self.adds, "DELETE": self.deletes}
        clauses = [f"{word} {', '.join(some)}" for word, some in parts.items() if some]
        found = {
            "UpdateExpression": " ".join(clauses),
            "ExpressionAttributeNames": {mark: name for name, mark in self._names.items()},
            "ExpressionAttributeValues": to_item(self._values),
            "ConditionExpression": " AND ".join(self.conditions),
        }
        return {name: value for name, value in found.items() if value}
