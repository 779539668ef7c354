"""One conditional update, put together part by part."""

from dataclasses import dataclass, field
from typing import Any

from imagegen.aws.items import to_item


@dataclass(slots=True)
class Update:
    """Collects what an UpdateItem sets, removes and demands."""

    sets: list[str] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)

    def name(self, attribute: str) -> str:
        """Return the placeholder of an attribute's name."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, value: Any) -> str:
        """Return the placeholder of a value."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def set(self, attribute: str, value: Any) -> None:
        """Set an attribute."""
        self.sets.append(f"{self.name(attribute)} = {self.value(value)}")

    def add(self, attribute: str, amount: int) -> None:
        """Add to a number that may be absent. Only safe beside a condition that this undoes."""
        name, zero = self.name(attribute), self.value(0)
        self.sets.append(f"{name} = if_not_exists({name}, {zero}) + {self.value(amount)}")

    def remove(self, attribute: str) -> None:
        """Remove an attribute."""
        self.removes.append(self.name(attribute))

    def require(self, condition: str) -> None:
        """Demand that a condition holds."""
        self.conditions.append(f"({condition})")

    def at_most(self, attribute: str, limit: int) -> None:
        """Demand that a number, which counts as 0 where it is absent, is not above a limit."""
        name = self.name(attribute)
        absent = f"attribute_not_exists({name}) OR " if limit >= 0 else ""
        self.require(f"{absent}{name} <= {self.value(limit)}")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of UpdateItem, besides table and key."""
        clauses = [f"SET {', '.join(self.sets)}"]
        if self.removes:
            clauses.append(f"REMOVE {', '.join(self.removes)}")
        return {
            "UpdateExpression": " ".join(clauses),
            "ConditionExpression": " AND ".join(self.conditions),
            "ExpressionAttributeNames": {mark: name for name, mark in self._names.items()},
            "ExpressionAttributeValues": to_item(self._values),
        }
