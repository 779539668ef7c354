"""Replicate's predictions (https://replicate.com/docs/reference/http)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any

from local.simulator.clock import now_seconds
from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError
from local.simulator.jobs import FINISHED, Job, JobBook, job_view, never_billed
from local.simulator.keys import check_credit, check_key
from local.simulator.replicate_faults import FAULTS
from local.simulator.replicate_headers import cancel_after_seconds, wait_seconds
from local.simulator.replicate_inputs import order_of
from local.simulator.replicate_models import model_view, models, version_of
from local.simulator.replicate_uploads import Uploads
from local.simulator.spoil import base64_of, data_uri
from local.simulator.wire import Answer, Body, Request, json_answer

BY_MODEL = re.compile(r"/models/([^/]+/[^/]+)/predictions")
ONE_MODEL = re.compile(r"/models/([^/]+/[^/]+)")
ONE_JOB = re.compile(r"/predictions/([^/]+)(/cancel)?")
LIST_MODELS = {"black-forest-labs/flux-schnell", "black-forest-labs/flux-dev"}
ACCOUNT = {
    "type": "organization",
    "username": "simulated",
    "name": "Simulated",
    "github_url": "https://github.com/simulated",
}


@dataclass(frozen=True, slots=True)
class Replicate:
    """Replicate, with its predictions."""

    name: str = "replicate"
    book: JobBook = field(default_factory=JobBook)
    uploads: Uploads = field(default_factory=Uploads)

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return Replicate's error table."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the token."""
        return request.bearer()

    def is_order(self, request: Request) -> bool:
        """Return whether the request creates a prediction."""
        create = request.path == "/predictions" or BY_MODEL.fullmatch(request.path)
        return request.method == "POST" and bool(create)

    def order_from(self, request: Request) -> Order:
        """Return the order; the input is checked against the model's schema."""
        check_key(request.bearer(), FAULTS)
        body = body_of(request)
        model = model_of(request.path, body)
        if model not in models():
            raise FaultError(FAULTS["model_gone"])
        order = order_of(model, body.get("input") or {}, self.uploads.opened)
        check_credit(request.bearer(), FAULTS["out_of_credit"])
        return order

    def free(self, request: Request) -> Answer:
        """Return the account, the models, a file, or the present state of a prediction."""
        check_key(request.bearer(), FAULTS)
        if f"{request.path}/".startswith("/files/"):
            return self.uploads.answer(request)
        if job := ONE_JOB.fullmatch(request.path):
            return self._job(job[1], cancels=bool(job[2]))
        lists = {
            "/account": ACCOUNT,
            "/models": page_of([model_view(name) for name in models()]),
            "/predictions": page_of([job_view(job, now_seconds()) for job in self.book.latest()]),
        }
        if request.path in lists:
            return json_answer(lists[request.path])
        model = ONE_MODEL.fullmatch(request.path)
        if not model or model[1] not in models():
            raise FaultError(FAULTS["model_gone"])
        return json_answer(model_view(model[1]))

    def error(self, fault: Fault) -> Answer:
        """Return ``{"title", "detail", "status"}`` (RFC 7807)."""
        problem: Body = {
            "title": fault.kind or "Internal server error",
            "detail": fault.message,
            "status": fault.status,
            **fault.details,
        }
        after = fault.retry_after_seconds
        headers = {} if after is None else {"retry-after": str(after)}
        return json_answer(problem, status=fault.status, headers=headers)

    def success(self, desk: Desk) -> Answer:
        """Return a prediction that ends with the pictures: as a URL or a list, by model."""
        return self._created(replace(job_of(desk), output=output_of(desk)), desk)

    def empty(self, desk: Desk) -> Answer:
        """Return a prediction that ends without output, as the fault defines."""
        details = desk.details
        job = replace(
            job_of(desk),
            end=details.get("status", "succeeded"),
            output=details.get("output"),
            error=details.get("error"),
            logs=details.get("logs", ""),
            data_removed=details.get("data_removed", False),
        )
        return self._created(job, desk)

    def _created(self, job: Job, desk: Desk) -> Answer:
        wait = wait_seconds(desk.request)
        if wait and desk.delay_seconds <= wait and job.end != "processing":
            job = replace(job, looks=FINISHED)
        self.book.add(unbilled_if_late(job))
        # The answer is held no longer than its delay, even for a prediction that never ends.
        held_seconds = min(wait, desk.delay_seconds)
        status = 202 if wait and not job.looks else 201
        view = job_view(job, job.created_seconds + held_seconds)
        return json_answer(view, status=status, delay_seconds=held_seconds)

    def _job(self, job_id: str, *, cancels: bool) -> Answer:
        now = now_seconds()
        job = self.book.cancel(job_id, now) if cancels else self.book.look(job_id)
        if job is None:
            raise FaultError(FAULTS["model_gone"])
        return json_answer(job_view(job, now))


def build() -> Replicate:
    """Return the simulated provider in its initial state."""
    return Replicate()


def unbilled_if_late(job: Job) -> Job:
    """Return the job; if its deadline is before its end, its bill is taken back."""
    if job.deadline_seconds is None:
        return job
    if job.deadline_seconds >= job.created_seconds + job.duration_seconds:
        return job
    job.cancel_bill()
    return replace(job, cancel_bill=never_billed)


def body_of(request: Request) -> Body:
    """Return the JSON body.

    Raises:
        FaultError: ``bad_parameter``: the body is not a JSON object.
    """
    try:
        return request.json()
    except ValueError as error:
        row = FAULTS["bad_parameter"]
        raise FaultError(replace(row, message="The request body is not JSON.")) from error


def model_of(path: str, body: Body) -> str:
    """Return the model of a prediction.

    Raises:
        FaultError: ``version_required``: the version is missing or unknown.
    """
    if by_model := BY_MODEL.fullmatch(path):
        return by_model[1]
    version = str(body.get("version", ""))
    if "/" in version:
        return version.partition(":")[0]
    for model in models():
        if version == version_of(model):
            return model
    raise FaultError(FAULTS["version_required"])


def words_of(order: Order) -> Body:
    """Return the prompt as a field of the input, nothing for a model without one."""
    return {"prompt": order.prompt} if order.prompt else {}


def job_of(desk: Desk) -> Job:
    """Return the prediction of a call, without its output or error."""
    after = cancel_after_seconds(desk.request)
    return Job(
        id=token_hex(13),
        model=desk.order.model,
        version="hidden",
        params={**words_of(desk.order), **desk.order.params},
        origin=desk.request.origin,
        created_seconds=desk.now_seconds,
        duration_seconds=desk.delay_seconds,
        deadline_seconds=None if after is None else desk.now_seconds + after,
        cancel_bill=desk.cancel_bill,
    )


def output_of(desk: Desk) -> Any:
    """Return the pictures in the shape that the fault asks for, else in the model's own."""
    shape = desk.details.get("output")
    if shape == "data_uri":
        return data_uri(base64_of(desk.pictures[0], desk.spoil))
    urls = [desk.publish(picture) for picture in desk.pictures]
    shapes = {
        "list": urls,
        "string": urls[0],
        "object": {"url": urls[0]},
        "objects": [{"url": url} for url in urls],
        "nulls": [None, *urls],
        "nested": {"images": [{"image": {"url": urls[0]}}]},
    }
    return shapes[shape or ("list" if desk.order.model in LIST_MODELS else "string")]


def page_of(results: list[Body]) -> Body:
    """Return the only page of a list."""
    return {"next": None, "previous": None, "results": results}
