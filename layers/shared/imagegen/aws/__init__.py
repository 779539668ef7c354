"""The AWS services behind the use cases: DynamoDB, S3 and SSM."""
