"""AWS takes 4 KB of environment variables for each function: what settings can lead to."""

import re
from collections.abc import Mapping

import pytest

from local.parameters import default_of, environment_name, read_bare_template, template_parameters
from operations.accounts import AccountError
from operations.environments import MOST_BYTES, Stack, check, size, variables

STACK = "imagegen-production-of-the-whole-company"
REGION = "ap-northeast-1"
GUID = "00000000-0000-4000-8000-000000000000"
ISSUER = f"https://login.microsoftonline.com/{GUID}/v2.0"
COMPANY: Mapping[str, str] = {
    "JwtIssuer": ISSUER,
    "JwtAudience": ",".join([f"api://{GUID}"] * 4),
    "JwtJwksUrl": f"https://login.microsoftonline.com/{GUID}/discovery/v2.0/keys?appid={GUID}",
    "JwtAlgorithms": "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA",
    "JwtUserScope": f"api://{GUID}/images.generate",
    "JwtAdminScope": f"api://{GUID}/images.administer",
    "JwtTeamClaim": "https://claims.example.com/department",
    "AllowedOrigins": ",".join(f"https://chat-{n}.intranet.example.com" for n in range(10)),
    "SignInClientId": GUID,
    "SignInScopes": f"openid profile email offline_access api://{GUID}/images.generate",
    "SignInAudience": f"api://{GUID}",
    "SignInHosts": " ".join(f"https://pool-{n}.auth.{REGION}.amazoncognito.com" for n in range(3)),
    "PublicApiUrl": "https://image-generation-api.platform.example.com",
    "PublicPageUrl": "https://image-generation.platform.example.com",
    "OriginDigests": ",".join(["0" * 64] * 2),
    "BedrockRoleArn": "arn:aws:iam::123456789012:role/platform/" + "r" * 64,
    "ModelAliases": ",".join(f"dall-e-{n}=gpt-image-2.5-flare" for n in range(20)),
    "ChatModel": f"arn:aws:bedrock:{REGION}:123456789012:inference-profile/global.example-model",
    "ChatBaseUrl": f"https://bedrock-runtime.{REGION}.amazonaws.com/openai/v1",
    "ExistingTableName": "t" * 255,
    "ExistingBucketName": "b" * 63,
}
"""The settings of a large company: each of them longer than most people's."""


def defaults() -> dict[str, str]:
    return {one: default_of(one) for one in template_parameters()}


def longest(parameter: Mapping[str, object]) -> str:
    """Return a value of a parameter whose length the template itself bounds."""
    if values := parameter.get("AllowedValues"):
        assert isinstance(values, list)
        return max(map(str, values), key=len)
    money = "\\d{1,6}(\\.\\d{1,6})?" in str(parameter.get("AllowedPattern", ""))
    return "999999.999999" if money else "9" * 15 if parameter["Type"] == "Number" else ""


def settings() -> dict[str, str]:
    given = read_bare_template()["Parameters"]
    return {one: COMPANY.get(one) or longest(given[one]) or default_of(one) for one in given}


def test_a_large_companys_settings_fit_into_every_function() -> None:
    found = variables(Stack(STACK, REGION, settings()))
    assert len(found) == 6
    assert {name: size(one) for name, one in found.items() if size(one) > MOST_BYTES} == {}
    check(STACK, REGION, settings())


def test_nothing_of_a_variable_is_left_out_of_its_size() -> None:
    given = {**defaults(), "JwtIssuer": "https://a.test"}
    functions = variables(Stack("mine", REGION, given))
    found = functions["PageFunction"]
    assert found["JWT_ISSUER"] == "https://a.test"
    assert found["PARAMETERS_PATH"] == "/imagegen/mine"
    assert re.fullmatch("mine-Table-.{12}", found["TABLE_NAME"])
    bucket = r"https://mine-Bucket-.{12}\.s3\.ap-northeast-1\.amazonaws\.com"
    assert re.fullmatch(bucket, found["IMAGE_HOSTS"])
    # The form of a function URL: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
    assert re.fullmatch(
        r"https://.{32}\.lambda-url\.ap-northeast-1\.on\.aws/", found["ESTIMATE_URL"]
    )
    assert functions["ChatFunction"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/streaming", (
        "the longer of the two"
    )


def test_the_size_is_that_of_names_and_values_as_json_in_bytes() -> None:
    assert size({"A": "b", "C": "\u00e4"}) == len('{"A":"b","C":"__"}')


def filled_up_to(total: int) -> dict[str, str]:
    """Return settings with which the largest function has this many bytes."""
    found = variables(Stack("mine", REGION, {**defaults(), "ModelAliases": ""}))
    room = total - size(found["GenerateFunction"])
    return {"ModelAliases": "a=" + "b" * (room - 2)}


def test_as_much_as_aws_takes_is_deployed_and_one_byte_more_is_not() -> None:
    check("mine", REGION, filled_up_to(4096))
    with pytest.raises(AccountError) as stopped:
        check("mine", REGION, filled_up_to(4097))
    told = str(stopped.value)
    assert "GenerateFunction would have 4097 bytes, and AWS takes 4096" in told
    assert re.search(r"which are MODEL_ALIASES \(\d{4} bytes\), .*bytes\)\.$", told)


def test_a_variable_has_the_name_of_its_setting_so_that_the_refusal_says_what_to_shorten() -> None:
    parameters = read_bare_template()["Parameters"]
    template = read_bare_template()
    groups = [
        template["Globals"]["Function"],
        *(one["Properties"] for one in template["Resources"].values() if "Properties" in one),
    ]
    named = {
        name: value["Ref"]
        for one in groups
        for name, value in one.get("Environment", {}).get("Variables", {}).items()
        if isinstance(value, dict) and value.get("Ref") in parameters
    }
    assert len(named) > 30
    others = {"POWERTOOLS_LOG_LEVEL"}
    wrong = {name for name, parameter in named.items() if environment_name(parameter) != name}
    assert wrong == others
