"""The table of what a deployer may do, from ``operations/deployer_policy.py``."""

from generators.docs.blocks import code, table
from operations.accounts import WITHOUT_URLS
from operations.deployer_policy import Scope, policy

PLACE = Scope("<stack>", "<region>", "<account>")


def made() -> dict[str, str]:
    """Return the parts of docs/deploy.md by name."""
    return {
        "deployer": table(("on", "actions"), _rows("deployer")),
        "operators": table(("on", "actions"), _rows("operators")),
        "edge": table(("on", "actions"), _rows("edge")),
        "regions": ", ".join(code(one) for one in sorted(WITHOUT_URLS)) + "\n",
    }


def _rows(role: str) -> list[tuple[str, str]]:
    return [
        (", ".join(map(_plain, one["Resource"])), ", ".join(map(code, one["Action"])))
        for one in policy(PLACE, role)["Statement"]
    ]


def _plain(arn: str) -> str:
    return code(arn.removeprefix("arn:aws:"))
