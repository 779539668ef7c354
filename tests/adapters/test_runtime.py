"""The runtime client that streams, against Lambda's Runtime API on loopback."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagegen.runtime.loop import Loop, main
from imagegen.runtime.runtime_api import END_OF_HEAD, RuntimeApi
from local.paths import ROOT
from tests.fakes.runtime_api import URL_EVENT, FakeRuntimeApi, Sent, runtime_api

STARTER = ROOT / "layers" / "shared" / "streaming"


@pytest.fixture
def fake() -> Iterator[FakeRuntimeApi]:
    with runtime_api() as running:
        yield running


def answered(body: Any, **more: Any) -> dict[str, Any]:
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/event-stream"},
        "body": body,
    } | more


def run(fake: FakeRuntimeApi, handler: Any, event: Any = URL_EVENT, **headers: str) -> str:
    """Run one event, and return what was logged."""
    log = io.StringIO()
    fake.put(event, **headers)
    Loop(RuntimeApi(fake.address), handler, log).run_once()
    return log.getvalue()


def parts(sent: Sent) -> tuple[dict[str, Any], bytes]:
    head, zeros, body = sent.body().partition(END_OF_HEAD)
    assert zeros
    return json.loads(head), body


def test_a_piece_is_sent_before_the_next_is_made(fake: FakeRuntimeApi) -> None:
    was_read = threading.Event()

    def pieces() -> Iterator[str]:
        yield "first"
        assert was_read.wait(10), "the first piece is held back until the last one is made"
        yield "last"

    runner = threading.Thread(target=run, args=(fake, lambda *_: answered(pieces())))
    runner.start()
    sent = fake.next_sent()
    assert sent.pieces.get(timeout=10) is not None  # Status and headers.
    assert sent.pieces.get(timeout=10) == b"first"
    was_read.set()
    assert sent.body() == b"last"
    runner.join(10)
    assert sent.path == "/invocation/one/response"
    assert sent.headers["Lambda-Runtime-Function-Response-Mode"] == "streaming"


def test_the_headers_of_a_stream_say_what_it_is_and_announce_its_trailers(
    fake: FakeRuntimeApi,
) -> None:
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html"""
    run(fake, lambda *_: answered("words"))
    headers = fake.next_sent().headers
    assert headers["Content-Type"] == "application/vnd.awslambda.http-integration-response"
    assert headers["Connection"] == "close"
    assert headers["Trailer"].split(", ") == [
        "Lambda-Runtime-Function-Error-Type",
        "Lambda-Runtime-Function-Error-Body",
    ]


def test_status_headers_and_cookies_are_the_beginning(fake: FakeRuntimeApi) -> None:
    run(fake, lambda *_: answered("words", cookies=["a=1"]))
    head, body = parts(fake.next_sent())
    assert head == {
        "statusCode": 200,
        "headers": {"Content-Type": "text/event-stream"},
        "cookies": ["a=1"],
    }
    assert body == b"words"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (answered(""), b"\n"),
        (answered(None), b"\n"),
        (answered(iter(())), b"\n"),
        (answered(iter(("", "", "a", "", "ü"))), "aü".encode()),
        (answered(base64.b64encode(b"\0\xff").decode(), isBase64Encoded=True), b"\0\xff"),
        ({"statusCode": 401, "body": "{}"}, b"{}"),
    ],
)
def test_a_body_of_any_kind_is_sent_and_is_never_empty(
    fake: FakeRuntimeApi, answer: dict[str, Any], body: bytes
) -> None:
    run(fake, lambda *_: answer)
    head, sent = parts(fake.next_sent())
    assert (head["statusCode"], sent) == (answer["statusCode"], body)


def test_an_error_in_the_middle_is_told_in_the_trailers_and_logged_once(
    fake: FakeRuntimeApi,
) -> None:
    def pieces() -> Iterator[str]:
        yield "first"
        raise ValueError("a prompt")

    logged = run(fake, lambda *_: answered(pieces()))
    sent = fake.next_sent()
    assert parts(sent)[1] == b"first"
    assert sent.trailers["Lambda-Runtime-Function-Error-Type"] == "ValueError"
    told = json.loads(base64.b64decode(sent.trailers["Lambda-Runtime-Function-Error-Body"]))
    assert told["errorType"] == "ValueError"
    assert "a prompt" not in f"{logged}{told}"
    (line,) = map(json.loads, logged.splitlines())
    assert (line["level"], line["kind"]) == ("ERROR", "ValueError")
    assert line["place"].startswith(f"{Path(__file__).name}:")
    assert line["function_request_id"] == "one"
    run(fake, lambda *_: answered("next"))
    assert parts(fake.next_sent())[1] == b"next"


def test_a_process_that_ends_in_the_middle_of_an_answer_does_not_wait_for_the_api(
    fake: FakeRuntimeApi,
) -> None:
    ended: list[object] = []

    def pieces() -> Iterator[str]:
        yield "first"
        raise SystemExit(3)

    def runs() -> None:
        try:
            run(fake, lambda *_: answered(pieces()))
        except SystemExit as error:
            ended.append(error.code)

    runner = threading.Thread(target=runs, daemon=True)
    runner.start()
    runner.join(10)
    assert ended == [3]
    assert fake.next_sent().trailers == {}


def test_an_error_before_the_first_piece_is_an_error_of_the_invocation(
    fake: FakeRuntimeApi,
) -> None:
    def pieces() -> Iterator[str]:
        raise ValueError("a prompt")
        yield ""

    def fails(*_: Any) -> dict[str, Any]:
        raise KeyError("a prompt")

    for handler in (lambda *_: answered(pieces()), fails):
        run(fake, handler)
        sent = fake.next_sent()
        assert sent.path == "/invocation/one/error"
        told = sent.json()
        assert "a prompt" not in json.dumps(told)
        assert sent.headers["Lambda-Runtime-Function-Error-Type"] == told["errorType"]
        assert told["errorType"] in {"ValueError", "KeyError"}
        assert sent.headers["Content-Type"] == "application/json"
        assert Path(__file__).name in told["stackTrace"][-1], "an operator reads where it was"


def test_an_answer_that_cannot_be_sent_is_made_to_its_end(fake: FakeRuntimeApi) -> None:
    made: list[str] = []

    def pieces() -> Iterator[str]:
        yield "first"
        for number in range(5):
            yield "x" * 1_000_000
            made.append(str(number))

    fake.cuts = True
    logged = run(fake, lambda *_: answered(pieces()))
    assert len(made) == 5
    assert json.loads(logged.splitlines()[0])["message"] == "the handler failed"


@pytest.mark.parametrize(
    "event", [{}, {"requestContext": {}}, {"source": "aws.events"}, [], "text"]
)
def test_an_event_that_is_no_request_is_answered_in_one_piece(
    fake: FakeRuntimeApi, event: Any
) -> None:
    seen: list[bool] = []

    def handler(_: Any, context: Any) -> Any:
        seen.append(context.streams)
        return {"done": "ü"}

    run(fake, handler, event)
    sent = fake.next_sent()
    assert "Lambda-Runtime-Function-Response-Mode" not in sent.headers
    assert (sent.json(), seen) == ({"done": "ü"}, [False])


def test_an_answer_that_is_too_large_is_an_error(fake: FakeRuntimeApi) -> None:
    fake.status = 413
    run(fake, lambda *_: {"large": "x" * 100}, {})
    assert fake.next_sent().path == "/invocation/one/response"
    sent = fake.next_sent()
    assert (sent.path, sent.json()["errorType"]) == (
        "/invocation/one/error",
        "Function.ResponseSizeTooLarge",
    )


def test_the_context_is_what_a_handler_expects(
    fake: FakeRuntimeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"FUNCTION_NAME": "chat", "FUNCTION_VERSION": "7", "FUNCTION_MEMORY_SIZE": "512"}
    names |= {"LOG_GROUP_NAME": "/chat", "LOG_STREAM_NAME": "a"}
    for name, value in names.items():
        monkeypatch.setenv(f"AWS_LAMBDA_{name}", value)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "")
    seen: list[Any] = []
    run(
        fake,
        lambda _, context: seen.append(context),
        {},
        Lambda_Runtime_Invoked_Function_Arn="arn:aws:lambda:eu-west-1:1:function:chat:live",
        Lambda_Runtime_Trace_Id="Root=1-2",
        Lambda_Runtime_Client_Context='{"client": {"app": "x"}}',
        Lambda_Runtime_Cognito_Identity='{"identity_id": "i"}',
        Lambda_Runtime_Aws_Tenant_Id="t",
    )
    (context,) = seen
    assert context.aws_request_id == "one"
    assert context.function_name == "chat"
    assert context.function_version == "7"
    assert context.memory_limit_in_mb == "512"
    assert (context.log_group_name, context.log_stream_name) == ("/chat", "a")
    assert context.invoked_function_arn.endswith(":chat:live")
    assert context.client_context.client.app == "x"
    assert context.identity.identity_id == "i"
    assert context.tenant_id == "t"
    assert context.get_remaining_time_in_millis() > 1_000_000
    assert os.environ["_X_AMZN_TRACE_ID"] == "Root=1-2"
    run(fake, lambda _, context: seen.append(context), {})
    assert os.environ["_X_AMZN_TRACE_ID"] == ""
    plain = seen[1]
    assert (plain.client_context, plain.identity, plain.tenant_id) == (None, None, None)
    assert plain.invoked_function_arn == ""


def test_the_time_that_is_left_is_at_most_that_until_the_deadline(fake: FakeRuntimeApi) -> None:
    seen: list[int] = []
    run(
        fake,
        lambda _, context: seen.append(context.get_remaining_time_in_millis()),
        {},
        Lambda_Runtime_Deadline_Ms=str(time.time_ns() // 1_000_000 + 300_000),
    )
    assert 0 <= seen[0] <= 300_000


def test_time_that_is_over_is_not_negative(fake: FakeRuntimeApi) -> None:
    seen: list[int] = []
    run(
        fake,
        lambda _, context: seen.append(context.get_remaining_time_in_millis()),
        {},
        Lambda_Runtime_Deadline_Ms="1",
    )
    assert seen == [0]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import missing_module", "ModuleNotFoundError"),
        ("raise ValueError('bad setting')", "ValueError"),
        ("a b", "SyntaxError"),
        ("other = 1", "AttributeError"),
    ],
)
def test_a_function_that_cannot_start_says_why(
    fake: FakeRuntimeApi, tmp_path: Path, source: str, kind: str
) -> None:
    (tmp_path / "handler.py").write_text(source)
    done = start(fake, tmp_path, sys.executable, "bootstrap.py")
    assert done.returncode == 1
    sent = fake.next_sent()
    assert sent.headers["Lambda-Runtime-Function-Error-Type"] == kind
    assert (sent.path, sent.json()["errorType"]) == ("/init/error", kind)


def test_the_wrapper_starts_the_client_with_the_function_before_the_layer(
    fake: FakeRuntimeApi, tmp_path: Path
) -> None:
    (tmp_path / "handler.py").write_text(
        "import imagegen.runtime, os\n"
        "def lambda_handler(event, context):\n"
        "    if event == 'end': os._exit(7)\n"
        "    return {'streams': context.streams}\n"
    )
    fake.put({})
    fake.put("end")
    assert start(fake, tmp_path, sys.executable, "bootstrap.py").returncode == 7
    assert fake.next_sent().json() == {"streams": False}


def test_a_line_is_written_at_once_because_an_instance_may_be_frozen_or_ended_behind_it(
    fake: FakeRuntimeApi, tmp_path: Path
) -> None:
    (tmp_path / "handler.py").write_text(
        "import os, sys\n"
        "def lambda_handler(event, context):\n"
        "    sys.stdout.write('a metric\\n')\n"
        "    os._exit(7)\n"
    )
    fake.put({})
    assert start(fake, tmp_path, sys.executable, "bootstrap.py").stdout == "a metric\n"


def test_where_one_process_takes_many_events_the_wrapper_starts_awss_client(
    fake: FakeRuntimeApi, tmp_path: Path
) -> None:
    environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}
    done = start(fake, tmp_path, "/bin/echo", "its own client", **environ)
    assert done.stdout == "its own client\n"


def test_the_wrapper_can_be_run() -> None:
    assert os.access(STARTER, os.X_OK)


def start(
    fake: FakeRuntimeApi, task: Path, *command: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the wrapper as Lambda does; the layer is a folder with the package."""
    layer = task / "layer"
    layer.mkdir()
    (layer / "python").symlink_to(ROOT / "layers" / "shared")
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": fake.address,
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": "handler.lambda_handler",
        "IMAGEGEN_LAYER": str(layer),
        **environ,
    }
    return subprocess.run(  # noqa: S603 our own script
        [STARTER, *command], env=variables, cwd=task, capture_output=True, text=True, check=False
    )


def test_main_reads_its_address_from_the_environment(fake: FakeRuntimeApi) -> None:
    with pytest.raises(SystemExit):
        main({"AWS_LAMBDA_RUNTIME_API": fake.address, "_HANDLER": "no_such_module.handler"})
    assert fake.next_sent().path == "/init/error"
