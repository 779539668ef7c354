"""Loaded once by the process that workers are copied from: what is slow to load, and no more."""

import boto3

import tests.exactness.circuits
import tests.exactness.crashes
import tests.exactness.endings
import tests.exactness.faulty
import tests.exactness.jobs
import tests.exactness.money
import tests.exactness.soak  # noqa: F401
from local.emulator import REGION

for service in ("dynamodb", "s3"):
    # Reads the service's description, which copies then have; opens no connection.
    boto3.client(service, region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-")
