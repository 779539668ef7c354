"""Which part of the simulator answers which path."""

from dataclasses import dataclass, field, replace

from local.simulator.chat import BASE as LLM_BASE
from local.simulator.chat import NAME as LLM
from local.simulator.chat import SimulatedLlm
from local.simulator.control import Breakable, Control
from local.simulator.cors import for_local_pages
from local.simulator.desk import Provider
from local.simulator.gemini import Gemini
from local.simulator.moderation import Moderation
from local.simulator.openai import OpenAi
from local.simulator.replicate import Replicate
from local.simulator.studio import Studio
from local.simulator.together import Together
from local.simulator.wire import Answer, Request, json_answer

BASES = {
    "openai": "/openai/v1",
    "together": "/together/v1",
    "replicate": "/replicate/v1",
    "gemini": "/gemini/v1beta",
}
# Together's newest client asks for its key's owner in another version of the API.
ALIASES = {"/together/v3/whoami": "/together/v1/whoami"}


@dataclass(frozen=True, slots=True)
class World:
    """All providers over one studio."""

    studio: Studio = field(default_factory=Studio)
    replicate: Replicate = field(default_factory=Replicate)

    def answer(self, request: Request) -> Answer:
        """Return the answer to any request."""
        request = replace(request, path=ALIASES.get(request.path, request.path))
        for name, base in BASES.items():
            if request.path.startswith(f"{base}/"):
                inner = replace(request, path=request.path.removeprefix(base).rstrip("/"))
                return self.studio.answer(self._provider(name, inner), inner)
        if request.path.startswith(f"{LLM_BASE}/"):
            inner = replace(request, path=request.path.removeprefix(LLM_BASE).rstrip("/"))
            return SimulatedLlm(self.studio).answer(inner)
        if request.path.startswith("/control/"):
            inner = replace(request, path=request.path.removeprefix("/control"))
            breakable: dict[str, Breakable] = {**self._providers(), LLM: SimulatedLlm(self.studio)}
            control = Control(self.studio, breakable, self.replicate.book)
            return for_local_pages(request, lambda: control.answer(inner))
        if request.path.startswith("/files/"):
            return self.studio.shelf.get(request.path.removeprefix("/files/"))
        if request.path == "/":
            return json_answer({name: request.origin + base for name, base in BASES.items()})
        return json_answer({"error": f"nothing at {request.path!r}"}, status=404)

    def _provider(self, name: str, request: Request) -> Provider:
        providers = self._providers()
        if name == "openai" and providers["moderation"].is_order(request):
            return providers["moderation"]
        return providers[name]

    def _providers(self) -> dict[str, Provider]:
        return {
            "openai": OpenAi(),
            "together": Together(),
            "replicate": self.replicate,
            "gemini": Gemini(),
            "moderation": Moderation(),
        }
