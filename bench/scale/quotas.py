"""The limits of AWS that many images a second meet, as its documentation states them."""

from typing import Final

PARTITION_WRITES, PARTITION_READS = 1_000, 3_000
"""Units a second of one partition, which is also the most of one key:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html
"""
NEW_WRITES, NEW_READS = 4_000, 12_000
"""Units a second of a new on-demand table, and of each index (same page)."""
GROWTH, GROWTH_SECONDS = 2, 1_800
"""A table takes twice its earlier peak; a higher one is throttled for up to 30 minutes:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
"""
TABLE_UNITS: Final = 40_000
"""Units a second of a table in an account that has not asked for more, of writes and of reads:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""
ITEM_BYTES: Final = 400 * 1_024
"""The most bytes of an item (same page)."""
CONCURRENCY, NEW_CONCURRENCY = 1_000, 10
"""Invocations at once in an account and Region, by default and in many new accounts:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
STARTS: Final = 1_000
STARTS_SECONDS: Final = 10
"""Instances that one function may add, and in how many seconds:
https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
"""
PARAMETER_READS, RAISED_PARAMETER_READS = 40, 100
"""``GetParametersByPath`` a second of an account, by default and with higher throughput:
https://docs.aws.amazon.com/general/latest/gr/ssm.html
"""
PREFIX_PUTS: Final = 3_500
"""Puts a second of a prefix of a bucket; S3 divides busy prefixes by itself:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
"""
CALL_MS: Final = 7.6
CALL_P99: Final = 3.64
"""Median of a write from Lambda, and its 99th percentile as a multiple, as published (A. DeBrie,
2020: PutItem 7.6 ms; the transactions measured beside it have 25.3 and 92 ms)."""
