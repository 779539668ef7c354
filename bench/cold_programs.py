"""Programs of ``bench.cold_start``: what an environment runs, and the handlers of the peers."""

from typing import Final

BOOT: Final = """\
import os, sys, time
marks = {{"boot": time.monotonic_ns()}}
def enter():
    if {group!r}:
        with open({group!r}, "w") as procs:
            procs.write(str(os.getpid()))
if not {boosted!r}:
    enter()
sys.path[:0] = {path!r}
import awslambdaric.lambda_runtime_client as client
whole = client.LambdaRuntimeClient.wait_next_invocation
def first(self):
    marks["ready"], marks["modules"] = time.monotonic_ns(), len(sys.modules)
    client.LambdaRuntimeClient.wait_next_invocation = second
    if {boosted!r}:
        enter()
    return whole(self)
def second(self):
    import json
    with open({marks!r}, "w") as out:
        json.dump(marks | {{"cpu": time.process_time_ns()}}, out)
    client.LambdaRuntimeClient.wait_next_invocation = whole
    return whole(self)
client.LambdaRuntimeClient.wait_next_invocation = first
{before}
import runpy
sys.argv = ["awslambdaric", "handler.lambda_handler"]
runpy.run_module("awslambdaric", run_name="__main__")
"""

BARE: Final = """\
def lambda_handler(event, context):
    return {"statusCode": 200}
"""
POWERTOOLS: Final = """\
import boto3
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver
from pydantic import BaseModel

api = LambdaFunctionUrlResolver(enable_validation=True)
table = boto3.client("dynamodb")

class Answer(BaseModel):
    text: str

@api.get("/health-check/image-providers")
def answer() -> Answer:
    return Answer(text="well")

def lambda_handler(event, context):
    return api.resolve(event, context)
"""
LITELLM: Final = """\
import litellm

def lambda_handler(event, context):
    return {"statusCode": 200, "body": litellm.image_generation.__name__}
"""
# As a function does that imports at the top all it may ever need.
EAGER: Final = """\
import importlib, pkgutil, boto3, openai, requests, imagegen
for found in pkgutil.walk_packages(imagegen.__path__, "imagegen."):
    if not found.name.endswith(".__main__"):
        importlib.import_module(found.name)
"""
