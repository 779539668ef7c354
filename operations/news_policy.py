"""``make deployer-policy NEWS=1``: what ``make news`` needs beyond the policy of a deployer.

It goes into a policy of its own, because a policy has at most 6,144 characters. The names of pipes,
connections and destinations are made by CloudFormation, and need not begin with the stack's.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from operations.deployer_policy import TOOLS, allowed, by_service

ACTIONS: Final[Mapping[str, str]] = {
    "AWS::Events::ApiDestination": (
        "events: CreateApiDestination DescribeApiDestination UpdateApiDestination "
        "DeleteApiDestination"
    ),
    "AWS::Events::Connection": (
        "events: CreateConnection DescribeConnection UpdateConnection DeleteConnection"
    ),
    "AWS::Events::EventBus": (
        "events: CreateEventBus DescribeEventBus UpdateEventBus DeleteEventBus TagResource "
        "UntagResource ListTagsForResource"
    ),
    "AWS::Events::Rule": (
        "events: PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule"
    ),
    "AWS::Pipes::Pipe": (
        "pipes: CreatePipe DescribePipe UpdatePipe DeletePipe StartPipe StopPipe TagResource "
        "UntagResource ListTagsForResource"
    ),
    "AWS::SNS::TopicPolicy": ("sns: SetTopicAttributes GetTopicAttributes"),
    "AWS::SQS::Queue": (
        "sqs: CreateQueue GetQueueAttributes GetQueueUrl SetQueueAttributes DeleteQueue TagQueue "
        "UntagQueue ListQueueTags"
    ),
    "AWS::SQS::QueuePolicy": ("sqs: SetQueueAttributes GetQueueAttributes"),
    # A connection keeps its key in a secret, which EventBridge makes with the caller's rights.
    "AWS::Events::Connection.AuthParameters": (
        "secretsmanager: CreateSecret DescribeSecret GetSecretValue PutSecretValue UpdateSecret "
        "DeleteSecret TagResource"
    ),
}
"""Actions by resource type of ``news.yaml``, beyond those of a stack's own policy."""


def resources_of(stack: str, region: str, account: str) -> dict[str, list[str]]:
    """Return the names that the resources of a stack's news have, by service."""
    here, name = f"{region}:{account}", f"{stack}-news"
    return {
        "events": [
            f"arn:aws:events:{here}:{one}"
            for one in (f"event-bus/{name}", f"rule/{name}/*", "api-destination/*", "connection/*")
        ],
        "pipes": [f"arn:aws:pipes:{here}:pipe/*"],
        "secretsmanager": [f"arn:aws:secretsmanager:{here}:secret:events!connection/*"],
        "sns": [f"arn:aws:sns:{here}:{name}-*"],
        "sqs": [f"arn:aws:sqs:{here}:{name}-*"],
    }


def policy(stack: str, region: str = "*", account: str = "*") -> dict[str, Any]:
    """Return the policy for the news of one stack."""
    return {"Version": "2012-10-17", "Statement": list(_statements(stack, region, account))}


def _statements(stack: str, region: str, account: str) -> Iterator[dict[str, Any]]:
    named = resources_of(stack, region, account)
    for service, names in sorted(by_service(ACTIONS).items()):
        actions = [f"{service}:{name}" for name in sorted(names)]
        yield allowed(f"News{service.title()}", actions, named[service])
    stacks = [f"cloudformation:{name}" for name in TOOLS["cloudformation"].split()]
    here = f"arn:aws:cloudformation:{region}:{account}:stack/{stack}-news/*"
    yield allowed("NewsStack", stacks, [here])


def main() -> None:
    """Print the policy as JSON."""
    parser = argparse.ArgumentParser(prog="make deployer-policy NEWS=1", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", default="*")
    given = parser.parse_args()
    print(json.dumps(policy(given.stack, given.region), indent=2))


if __name__ == "__main__":
    main()
