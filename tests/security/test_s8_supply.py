"""S8: what is installed is locked and old enough; what is deployed may do its work and no more."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from local.paths import ROOT
from operations.transform import transformed
from tests.security.board import Board

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
FUNCTIONS = ("Estimate", "Generate", "Health", "Chat", "Admin")
WRITES = re.compile(
    r"dynamodb:(Put|Update|Delete|BatchWrite|Transact|PartiQL|Import|Restore)\w*|\*"
)
PATH = "parameter/imagegen/"


@cache
def template() -> dict[str, Any]:
    return transformed()


def resources(kind: str) -> dict[str, dict[str, Any]]:
    found = template()["Resources"]
    return {name: one for name, one in found.items() if one["Type"] == kind}


def statements(function: str) -> list[dict[str, Any]]:
    """Return what a function's role allows, the statements of its own policies."""
    role = template()["Resources"][f"{function}FunctionRole"]["Properties"]
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(function: str) -> set[str]:
    return {action for one in statements(function) for action in listed(one["Action"])}


def packages(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield each locked package: name, version, how many hashes."""
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if found := re.match(r"([A-Za-z0-9_.\-\[\]]+)==([^\s;\\]+)", block):
            yield found[1], found[2], block.count("--hash=sha256:")


def test_every_locked_package_has_a_hash_and_the_runtime_is_small(board: Board) -> None:
    found = {lock.name: list(packages(lock.read_text())) for lock in LOCKS}
    bare = [name for locked in found.values() for name, _, hashes in locked if not hashes]
    versions = {name: version for name, version, _ in found["runtime.txt"]}
    pyjwt = tuple(map(int, versions["pyjwt"].split(".")[:2]))
    project = (ROOT / "pyproject.toml").read_text()
    direct = re.search(r"^dependencies = \[\n(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    assert direct is not None
    count = len(direct[1].strip().splitlines())
    board.show(
        "S8a",
        "locks 100 % hashed; PyJWT >= 2.13; <= 10 runtime dependencies",
        f"{sum(map(len, found.values()))} packages in {len(LOCKS)} locks, {len(bare)} without a "
        f"hash; PyJWT {versions['pyjwt']}; {count} runtime dependencies",
        passes=not bare and pyjwt >= (2, 13) and count <= 10 and "python-jose" not in str(found),
    )


def test_a_lock_is_made_of_packages_that_were_out_for_a_fortnight(board: Board) -> None:
    makefile = (ROOT / "Makefile").read_text()
    rule = re.search(r'^COOLDOWN = --exclude-newer "14 days" (.*)$', makefile, re.MULTILINE)
    excepted = re.findall(r"--exclude-newer-package (\S+)=(\S+)", rule[1]) if rule else []
    runtime = {name for name, _, _ in packages((ROOT / "requirements" / "runtime.txt").read_text())}
    young = [
        name
        for name, until in excepted
        if (datetime.now(UTC) - datetime.fromisoformat(f"{until}T00:00:00+00:00")).days < 14
    ]
    board.show(
        "S8b",
        "no runtime package younger than 14 days when it was locked, by the registry's upload time",
        f"`make lock` leaves younger ones out; excepted, for tests alone: "
        f"{[name for name, _ in excepted]}, of them still young: {young}",
        passes=rule is not None and not {name for name, _ in excepted} & runtime,
    )


def is_fenced_from_money(condition: dict[str, Any]) -> bool:
    """Return whether a write reaches no charge and no request.

    Of a ledger it may reach the mark of a block and the person's limits; beside the ledgers, what
    operators decide: budgets, providers, keys, erasures and the trail of all that.
    """
    limits = {name: value for one in condition.values() for name, value in one.items()}
    items = listed(limits.get("dynamodb:LeadingKeys", ["*"]))
    if limits.get("dynamodb:Attributes") == ["pk", "sk", "blk", "lim"]:
        return items == ["U#*"]
    return set(items) <= {"AMOUNTS", "FLEET", "TRAIL", "ERASE", "KEYS"}


def test_roles_allow_what_each_function_does_and_no_more(board: Board) -> None:
    wild = [
        (function, one.get("Sid"))
        for function in FUNCTIONS
        for one in statements(function)
        if one["Effect"] != "Allow"
        or any("*" in action for action in listed(one["Action"]))
        or "*" in listed(one["Resource"])
    ]
    writers = [one for one in FUNCTIONS if any(map(WRITES.fullmatch, actions(one)))]
    images, uploads = (
        [
            function
            for function in FUNCTIONS
            if any(folder in str(one["Resource"]) for one in statements(function))
        ]
        for folder in ("/img/*", "/inputs/*")
    )
    health, chat = (
        [
            one.get("Condition")
            for one in statements(function)
            if any(map(WRITES.fullmatch, listed(one["Action"])))
        ]
        for function in ("Health", "Chat")
    )
    money = [
        one["Sid"]
        for one in statements("Admin")
        if any(map(WRITES.fullmatch, listed(one["Action"])))
        and not is_fenced_from_money(one.get("Condition", {}))
    ]
    fenced = [{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["FLEET"]}}]
    counts = [{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["C#*"]}}]
    managed = {
        arn
        for one in resources("AWS::IAM::Role").values()
        for arn in map(str, one["Properties"].get("ManagedPolicyArns", []))
    }
    allowed = {"dynamodb:GetItem", "dynamodb:Query", "kms:Decrypt", "ssm:GetParametersByPath"}
    allowed |= {"logs:CreateLogStream", "logs:PutLogEvents"}
    board.show(
        "S8c",
        "estimate stores uploads and nothing else, chat its counts, health circuits and probes, "
        "admin no money; "
        "images are generate's",
        f"estimate and chat may: {sorted(actions('Estimate') | actions('Chat'))}; writers: "
        f"{writers}, health fenced to FLEET: "
        f"{health == fenced}, chat fenced to its counts: {chat == counts}; "
        f"writes of admin that reach money: {money}; "
        f"images: {images}; uploads: {uploads}; wildcards: {wild}; managed policies: "
        f"{sorted(managed)}",
        passes=actions("Estimate") == allowed | {"s3:GetObject", "s3:ListBucket", "s3:PutObject"}
        and actions("Chat") == allowed | {"dynamodb:UpdateItem"}
        and sorted(writers) == ["Admin", "Chat", "Generate", "Health"]
        and health == fenced
        and chat == counts
        and not money
        and images == ["Generate"]
        and uploads == ["Estimate", "Generate"]
        and not wild
        and not managed,
    )


def test_parameters_and_their_key_are_the_stacks_own(board: Board) -> None:
    wrong = []
    for function in FUNCTIONS:
        by_sid = {one["Sid"]: one for one in statements(function)}
        arns = [one["Fn::Sub"].partition(PATH)[2] for one in by_sid["ReadParameters"]["Resource"]]
        key = by_sid["DecryptParameters"]["Condition"]
        through = key["StringEquals"]["kms:ViaService"]["Fn::Sub"]
        context = key["StringLike"]["kms:EncryptionContext:PARAMETER_ARN"]["Fn::Sub"]
        if arns != ["${AWS::StackName}", "${AWS::StackName}/*"]:
            wrong.append((function, arns))
        if not through.startswith("ssm.") or not context.endswith(f"{PATH}${{AWS::StackName}}/*"):
            wrong.append((function, key))
    board.show(
        "S8d",
        "parameters: GetParametersByPath on the stack's path and below; its key through SSM alone",
        f"{len(FUNCTIONS)} functions, {len(wrong)} wrong {wrong or ''}",
        passes=not wrong,
    )


def test_urls_have_both_permissions_and_the_second_is_for_urls_alone(board: Board) -> None:
    found = [
        one for one in resources("AWS::Lambda::Permission").values() if "Principal" in str(one)
    ]
    public = [one for one in found if one["Properties"]["Principal"] == "*"]
    by_action: dict[str, list[dict[str, Any]]] = {}
    for one in public:
        by_action.setdefault(one["Properties"]["Action"], []).append(one)
    url = by_action.get("lambda:InvokeFunctionUrl", [])
    invoke = by_action.get("lambda:InvokeFunction", [])
    good = (
        all(one["Condition"] == "PublicUrls" for one in public)
        and all(one["Properties"]["FunctionUrlAuthType"] == "NONE" for one in url)
        and all(one["Properties"]["InvokedViaFunctionUrl"] is True for one in invoke)
    )
    auth = {
        json.dumps(one["Properties"]["AuthType"]) for one in resources("AWS::Lambda::Url").values()
    }
    board.show(
        "S8e",
        "both URL permissions for each function, only with NONE, the second only through the URL",
        f"{len(url)} + {len(invoke)} permissions, conditioned: {good}; AuthType {sorted(auth)}",
        passes=good
        and len(url) == len(invoke) == len(resources("AWS::Lambda::Function"))
        and set(by_action) == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
        and auth == {'{"Ref": "UrlAuthType"}'},
    )


def test_images_and_ledger_are_closed_encrypted_and_kept(board: Board) -> None:
    bucket = template()["Resources"]["Bucket"]
    table = template()["Resources"]["Table"]
    policy = template()["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    deny = [one for one in policy if one["Effect"] == "Deny"]
    shown = {
        "public access blocked": set(
            bucket["Properties"]["PublicAccessBlockConfiguration"].values()
        )
        == {True}
        and len(bucket["Properties"]["PublicAccessBlockConfiguration"]) == 4,
        "bucket encrypted": "BucketEncryption" in bucket["Properties"],
        "no ACLs": "BucketOwnerEnforced" in str(bucket["Properties"]["OwnershipControls"]),
        "TLS only": [one["Condition"] for one in deny]
        == [{"Bool": {"aws:SecureTransport": "false"}}]
        and deny[0]["Action"] == "s3:*"
        and deny[0]["Principal"] == "*"
        and len(deny[0]["Resource"]) == 2
        and len(policy) == 1,
        "images expire": "ImageRetentionDays"
        in str(bucket["Properties"]["LifecycleConfiguration"]),
        "table encrypted": table["Properties"]["SSESpecification"]["SSEEnabled"] is True,
        "point-in-time recovery": table["Properties"]["PointInTimeRecoverySpecification"][
            "PointInTimeRecoveryEnabled"
        ]
        is True,
        "both kept": {bucket["DeletionPolicy"], table["DeletionPolicy"]} == {"RetainExceptOnCreate"}
        and {bucket["UpdateReplacePolicy"], table["UpdateReplacePolicy"]} == {"Retain"},
    }
    board.show(
        "S8f",
        "bucket and table: closed, encrypted, TLS only, recoverable, kept when the stack goes",
        ", ".join(f"{name}: {is_so}" for name, is_so in shown.items()),
        passes=all(shown.values()),
    )


def test_functions_are_braked_named_and_hold_no_secret(board: Board) -> None:
    functions = resources("AWS::Lambda::Function")
    groups = resources("AWS::Logs::LogGroup")
    secret = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
    loud = {"POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_DEV", "POWERTOOLS_EVENT_HANDLER_DEBUG"}
    variables = {
        name for one in functions.values() for name in one["Properties"]["Environment"]["Variables"]
    }
    # A number, as of an LLM's tokens, is no secret: the template takes no text for it.
    numbers = {
        name
        for one in functions.values()
        for name, value in one["Properties"]["Environment"]["Variables"].items()
        if isinstance(value, dict)
        and template()["Parameters"].get(value.get("Ref"), {}).get("Type") == "Number"
    }
    braked = {
        name: one["Properties"]["ReservedConcurrentExecutions"]["Fn::If"][1]
        for name, one in functions.items()
    }
    levels = template()["Parameters"]["LogLevel"]["AllowedValues"]
    shown = {
        "reserved concurrency": braked
        == {name: {"Ref": name.replace("Function", "Concurrency")} for name in functions},
        "no secret's name": not [name for name in variables - numbers if secret.search(name)],
        "nothing that prints events": not variables & loud,
        "no DEBUG": "DEBUG" not in levels,
        "warnings off": "PYTHONWARNINGS" in variables,
        "logs kept for a time": len(groups) == len(functions)
        and all(
            one["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
            for one in groups.values()
        ),
    }
    board.show(
        "S8g",
        "functions: a brake each, no secret in the environment, logs end",
        ", ".join(f"{name}: {is_so}" for name, is_so in shown.items()),
        passes=all(shown.values()),
    )


def test_every_check_that_the_scanner_skips_has_its_reason(board: Board) -> None:
    text = (ROOT / ".checkov.yaml").read_text()
    skips = re.findall(r"((?:^  #.*\n)+)  - (CKV\w+)$", text, re.MULTILINE)
    every = re.findall(r"^  - (CKV\w+)$", text, re.MULTILINE)
    board.show(
        "S8h",
        "checkov on the transformed template clean (`make audit`), each skip with a reason",
        f"{len(every)} skips, {len(skips)} with a reason",
        passes=len(skips) == len(every),
    )
