"""Maps each path to the part of the simulator that answers it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from urllib.parse import urlsplit

from imagegen.providers import MODERATORS, PROVIDERS, own_instances
from imagegen.providers.instances import Instance
from local.simulator.chat import BASE as LLM_BASE
from local.simulator.chat import NAME as LLM
from local.simulator.chat import SimulatedLlm
from local.simulator.compatible import CompatibleServer
from local.simulator.control import Breakable, Control
from local.simulator.cors import for_local_pages
from local.simulator.desk import Provider
from local.simulator.studio import Studio
from local.simulator.wire import Answer, Request, json_answer

MODULES = {name: import_module(f"local.simulator.{name}") for name in PROVIDERS}
"""The provider files by name; each has the name of its adapter and a function ``build``."""


def base_path(name: str, base_url: str) -> str:
    """Return the path of a provider here; the paths below it are the vendor's own."""
    return f"/{name}{urlsplit(base_url).path}".rstrip("/")


BASES = {name: base_path(name, about.base_url) for name, about in PROVIDERS.items()}
"""The base path of each built-in provider."""
ALIASES: dict[str, str] = {
    path: other
    for module in MODULES.values()
    for path, other in getattr(module, "ALIASES", {}).items()
}


CHECKS = {
    name: import_module(f"local.simulator.{module}").build for name, module in MODERATORS.items()
}
"""What builds the moderation of a provider, which answers under the same base. Its file, too, has
the name of its adapter."""
CHECK_NAMES = {name: build().name for name, build in CHECKS.items()}
"""The names of these moderations in the control API, by provider."""


def build_providers(added: Iterable[Instance] = ()) -> dict[str, Provider]:
    """Return the providers by name, the operator's instances, and each moderation as one more."""
    return {
        **{name: module.build() for name, module in MODULES.items()},
        **{one.name: CompatibleServer(one) for one in added},
        **{CHECK_NAMES[name]: build() for name, build in CHECKS.items()},
    }


@dataclass(frozen=True, slots=True)
class World:
    """All providers with the studio that they share."""

    studio: Studio = field(default_factory=Studio)
    instances: Sequence[Instance] = field(default_factory=lambda: tuple(own_instances().values()))
    providers: dict[str, Provider] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._renew()

    @property
    def bases(self) -> dict[str, str]:
        """The base path of each provider and instance."""
        return BASES | {one.name: base_path(one.name, one.url) for one in self.instances}

    def answer(self, request: Request) -> Answer:
        """Return the answer to any request."""
        request = replace(request, path=ALIASES.get(request.path, request.path))
        for name, base in self.bases.items():
            if request.path.startswith(f"{base}/"):
                inner = replace(request, path=request.path.removeprefix(base).rstrip("/"))
                return self.studio.answer(self._provider(name, inner), inner)
        if request.path.startswith(f"{LLM_BASE}/"):
            inner = replace(request, path=request.path.removeprefix(LLM_BASE).rstrip("/"))
            return SimulatedLlm(self.studio).answer(inner)
        if request.path.startswith("/control/"):
            inner = replace(request, path=request.path.removeprefix("/control"))
            breakable: dict[str, Breakable] = {**self.providers, LLM: SimulatedLlm(self.studio)}
            control = Control(self.studio, breakable, self._renew)
            return for_local_pages(request, lambda: control.answer(inner))
        if request.path.startswith("/files/"):
            return self.studio.shelf.get(request.path.removeprefix("/files/"))
        if request.path == "/":
            return json_answer({name: request.origin + base for name, base in self.bases.items()})
        return json_answer({"error": f"nothing at {request.path!r}"}, status=404)

    def _provider(self, name: str, request: Request) -> Provider:
        checks = self.providers.get(CHECK_NAMES.get(name, ""))
        return checks if checks and checks.is_order(request) else self.providers[name]

    def _renew(self) -> None:
        """Replace the providers, which clears what they keep between calls."""
        self.providers.update(build_providers(self.instances))
