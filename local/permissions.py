"""Two places where a local stack cannot be as strict as the template.

Otherwise it is: the emulator asks each function's role for every call of DynamoDB, S3 and SSM.
"""

import json
from collections.abc import Iterable
from typing import Final

from local.emulator import Emulator

# MiniStack asks for this action on any resource; AWS asks for it on the path, as the template says.
READ_PARAMETERS: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": "*"}],
}


def adapt(emulator: Emulator, bucket: str, functions: Iterable[str]) -> None:
    """Let the deployed functions read their parameters, and the bucket be reached without TLS."""
    emulator.client("s3").delete_bucket_policy(Bucket=bucket)
    for function in functions:
        configuration = emulator.client("lambda").get_function_configuration(FunctionName=function)
        emulator.client("iam").put_role_policy(
            RoleName=configuration["Role"].rpartition("/")[2],
            PolicyName="local-read-parameters",
            PolicyDocument=json.dumps(READ_PARAMETERS),
        )
