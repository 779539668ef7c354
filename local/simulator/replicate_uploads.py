"""Replicate's uploaded files (https://replicate.com/docs/reference/http#files.create)."""

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from secrets import token_hex
from threading import Lock

from local.simulator.clock import now_seconds
from local.simulator.faults import FaultError
from local.simulator.forms import Part, is_form, parts_of
from local.simulator.given import Given, from_data_url, opened
from local.simulator.jobs import time_text
from local.simulator.replicate_faults import FAULTS
from local.simulator.wire import Answer, Body, Request, json_answer

KEPT_FILES = 200
LIFE_SECONDS = 24 * 3600
MOST_BYTES = 100_000_000
ONE_FILE = re.compile(r"/files/([a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file."""

    view: Body
    content: bytes


@dataclass(slots=True)
class Uploads:
    """The newest uploads. Thread-safe."""

    _files: OrderedDict[str, Upload] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request below ``/files``.

        Raises:
            FaultError: the file is unknown, or the form is not one.
        """
        if request.path == "/files":
            if request.method == "POST":
                return json_answer(self._add(request), status=201)
            views = [one.view for one in self._files.values()]
            return json_answer({"next": None, "previous": None, "results": views})
        file = self._found(request.path)
        if request.method == "DELETE":
            with self._lock:
                self._files.pop(file.view["id"], None)
            return Answer(204, b"", "")
        return json_answer(file.view)

    def opened(self, value: object) -> Given:
        """Return the picture that an input names: an upload's URL, or a data URI.

        Raises:
            ValueError: it is neither, or not a picture.
        """
        url = value if isinstance(value, str) else ""
        if url.startswith("data:"):
            return from_data_url(url)
        found = ONE_FILE.search(url)
        file = self._files.get(found[1]) if found else None
        if file is None:
            raise ValueError("no such file")
        return opened(file.content)

    def _found(self, path: str) -> Upload:
        name = ONE_FILE.fullmatch(path)
        file = self._files.get(name[1]) if name else None
        if file is None:
            raise FaultError(FAULTS["model_gone"])
        return file

    def _add(self, request: Request) -> Body:
        part = content_of(request)
        name = token_hex(13)
        now = now_seconds()
        view: Body = {
            "id": name,
            "name": part.file_name,
            "content_type": part.media_type or "application/octet-stream",
            "size": len(part.content),
            "etag": hashlib.md5(part.content, usedforsecurity=False).hexdigest(),
            "checksums": {"sha256": hashlib.sha256(part.content).hexdigest()},
            "metadata": {},
            "created_at": time_text(now),
            "expires_at": time_text(now + LIFE_SECONDS),
            "urls": {"get": f"{request.origin}/replicate/v1/files/{name}"},
        }
        with self._lock:
            self._files[name] = Upload(view, part.content)
            if len(self._files) > KEPT_FILES:
                self._files.popitem(last=False)
        return view


def content_of(request: Request) -> Part:
    """Return the file of an upload.

    Raises:
        FaultError: ``bad_parameter``: there is none, or it is too large.
    """
    try:
        parts = parts_of(request) if is_form(request) else ()
    except ValueError:
        parts = ()
    found = [part for part in parts if part.name == "content" and part.file_name is not None]
    if not found or len(found[0].content) > MOST_BYTES:
        row = FAULTS["bad_parameter"]
        text = "- content: a file of at most 100 MB is required\n"
        raise FaultError(replace(row, message=text, details={}))
    return found[0]
