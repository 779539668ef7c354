"""The table of what a deployer may do, from ``operations/deployer_policy.py``."""

from generators.docs.blocks import code, table
from operations.accounts import WITHOUT_URLS
from operations.deployer_policy import TOOLS, actions_by_service, resources_of


def made() -> dict[str, str]:
    """Return the parts of docs/deploy.md by name."""
    names = resources_of("<stack>", "<region>", "<account>")
    rows = [
        (service, ", ".join(map(_plain, names[service])), ", ".join(actions))
        for service, actions in actions_by_service().items()
    ]
    rows += [
        ("cloudformation", "the stack, sam's own stack, the transforms", _listed("cloudformation")),
        ("s3", "sam's own bucket", _listed("samBucket")),
        ("the account", "`*`", _listed("account")),
    ]
    return {
        "deployer": table(("service", "on", "actions"), rows),
        "regions": ", ".join(code(one) for one in sorted(WITHOUT_URLS)) + "\n",
    }


def _listed(tool: str) -> str:
    return ", ".join(TOOLS[tool].split())


def _plain(arn: str) -> str:
    return code(arn.removeprefix("arn:aws:"))
