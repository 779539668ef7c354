"""The two permissions in which a local stack cannot be as strict as the template.

For everything else the emulator checks the function's role on every call of DynamoDB, S3, SSM and
Lambda.
"""

import json
from collections.abc import Iterable
from typing import Final

from local.emulator import Emulator

# MiniStack requires this action on any resource; AWS requires it on the path, as in the template.
READ_PARAMETERS: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": "*"}],
}


def adapt(emulator: Emulator, bucket: str, functions: Iterable[str]) -> None:
    """Let the deployed functions read their parameters, and allow the bucket without TLS."""
    emulator.client("s3").delete_bucket_policy(Bucket=bucket)
    for function in functions:
        configuration = emulator.client("lambda").get_function_configuration(FunctionName=function)
        emulator.client("iam").put_role_policy(
            RoleName=configuration["Role"].rpartition("/")[2],
            PolicyName="local-read-parameters",
            PolicyDocument=json.dumps(READ_PARAMETERS),
        )
