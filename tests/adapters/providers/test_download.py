"""The downloader against URLs that want to lead inside; no test here leaves this machine."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

import pytest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.providers.addresses import Target, is_public, split_url
from imagegen.providers.download import Downloader, connect_pinned
from tests.adapters.providers.loopback import (
    PNG,
    Loopback,
    Reply,
    ToolUse,
    Wire,
    image_reply,
)
from tests.fakes.pictures import picture

quick = partial(Downloader, sleep=lambda _seconds: None)
"""A downloader that does not sleep between its requests for a late file."""

BASE_URL = "https://api.replicate.com/v1"
PUBLIC = "93.184.216.34"
GOOD_URL = "https://replicate.delivery/out.png?sig=CANARY"

# Written as addresses, in every notation that some parser takes; a list would be 55 lines.
LITERALS = """
https://127.0.0.1/  https://127.0.0.1:443/x.png  https://0.0.0.0/  https://10.0.0.1/
https://172.16.0.1/  https://172.31.255.255/  https://192.168.1.1/  https://169.254.169.254/latest/
https://169.254.170.2/v2/credentials  https://100.64.0.1/  https://100.127.255.254/
https://192.0.0.1/  https://192.0.2.1/  https://198.18.0.1/  https://198.51.100.1/
https://203.0.113.1/  https://192.88.99.1/  https://224.0.0.1/  https://239.255.255.250/
https://240.0.0.1/  https://255.255.255.255/
https://2130706433/  https://0x7f000001/  https://017700000001/  https://0x7f.0.0.1/
https://0177.0.0.1/  https://127.1/  https://127.0.1/  https://0/  https://127.0.0.0x1/
https://2852039166/  https://0xa9fea9fe/  https://0251.0376.0251.0376/  https://169.254.43518/
https://[::1]/  https://[::]/  https://[::ffff:127.0.0.1]/  https://[::ffff:7f00:1]/
https://[::ffff:169.254.169.254]/  https://[::127.0.0.1]/  https://[64:ff9b::7f00:1]/
https://[64:ff9b:1::a9fe:a9fe]/  https://[2002:7f00:1::]/  https://[2002:a9fe:a9fe::1]/
https://[2001::1]/  https://[2001:db8::1]/  https://[3fff::1]/  https://[fc00::1]/
https://[fd00:ec2::254]/  https://[fe80::1]/  https://[fe80::1%25eth0]/  https://[fec0::1]/
https://[ff02::1]/  https://[100::1]/  https://[5f00::1]/
""".split()  # noqa: SIM905

# Written to be read differently by two parsers, or for another protocol or port.
TRICKS = [
    "http://replicate.delivery/out.png",
    "HTTPS://replicate.delivery/out.png",
    "https://replicate.delivery:80/out.png",
    "https://replicate.delivery:8443/out.png",
    "https://replicate.delivery:22/",
    "https://replicate.delivery:0443443/",
    "https://replicate.delivery@127.0.0.1/",
    "https://127.0.0.1@replicate.delivery/",
    "https://user:pass@replicate.delivery/",
    "https://replicate.delivery\\@127.0.0.1/",
    "https://replicate.delivery#@127.0.0.1/",
    "https://replicate.delivery?@127.0.0.1/",
    "https://replicate.delivery%2f@127.0.0.1/",
    "https://127.0.0.1%00.replicate.delivery/",
    "https://127.0.0.1 .replicate.delivery/",
    "https://replicate.delivery./out.png",
    "https://127.0.0.1./",
    "https://localhost./",
    "https://replicate..delivery/",
    "https://.replicate.delivery/",
    "https:///out.png",
    "https://",
    "https:replicate.delivery/out.png",
    "https:/replicate.delivery/out.png",
    "//replicate.delivery/out.png",
    "/out.png",
    "",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://rèplicate.delivery/",
    "https://ⓛocalhost/",
    "https://replicate.delivery/\r\nHost: 127.0.0.1",
    "https://replicate.delivery/out.png HTTP/1.1\r\nX: y",
    "https://replicate.delivery\t/out.png",
    " https://replicate.delivery/out.png",
    "https://replicate.delivery/out.png\n",
    "https://[::1/",
    "https://[replicate.delivery]/",
    "https://[v1.fe80]/",
    "file:///etc/passwd",
    "ftp://replicate.delivery/out.png",
    "gopher://127.0.0.1:6379/_INFO",
    "data:image/png;base64,AAAA",
    "unix:///var/run/docker.sock",
    "jar:https://replicate.delivery!/",
]

# Names that resolve to what they must not; one bad address among good ones is enough.
NAMES: Mapping[str, list[str]] = {
    "localhost": ["127.0.0.1"],
    "localtest.me": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data.ec2.internal": ["169.254.169.254"],
    "private.example": ["10.1.2.3"],
    "cgnat.example": ["100.64.1.1"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "nat64.example": ["64:ff9b::a00:1"],
    "sixtofour.example": ["2002:a00:1::"],
    "local.example": ["fd00::1"],
    "scoped.example": ["fe80::1%eth0"],
    "first-good.example": [PUBLIC, "127.0.0.1"],
    "last-good.example": ["10.0.0.1", PUBLIC],
    "mixed.example": [PUBLIC, "::ffff:127.0.0.1"],
    "multicast.example": ["224.0.0.251"],
    "xn--lcalhost-54a.example": ["127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "garbage.example": ["not an address"],
    "nowhere.example": [],
}
HOSTILE = [*LITERALS, *TRICKS, *(f"https://{name}/out.png" for name in NAMES)]


# What a Location header can carry, and that is no place on the same host.
LOCATIONS = [
    url for url in HOSTILE if url.isprintable() and url.isascii() and url and url[:2] != "/o"
]


type Pack = Callable[[bytes], bytes]


def raw_deflate(content: bytes) -> bytes:
    """Return the content deflated without zlib's frame, as some servers do."""
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(content) + engine.flush()


@dataclass
class World:
    """A name server and a network in which every connection ends at the loopback server."""

    server: Loopback
    names: dict[str, list[str]] = field(default_factory=dict)
    asked_names: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)

    def resolve(self, host: str, _port: int) -> list[str]:
        self.asked_names.append(host)
        return self.names.get(host) or list(NAMES.get(host, [PUBLIC]))

    def connect(self, target: Target) -> HTTPConnectionPool:
        self.reached.append(target.address)
        return HTTPConnectionPool("127.0.0.1", self.server.port)

    def downloader(self, *, base_url: str = BASE_URL) -> Downloader:
        return quick("replicate", base_url, self.resolve, self.connect)


@pytest.fixture
def world(server: Loopback) -> World:
    server.replies(image_reply())
    return World(server)


def failure(downloader: Downloader, url: str, *, timeout_seconds: float = 10) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        downloader.fetch(url, timeout_seconds=timeout_seconds)
    assert "CANARY" not in repr(vars(caught.value)) + str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value


def test_there_are_at_least_sixty_hostile_urls() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_reaches_nothing(url: str, world: World) -> None:
    assert failure(world.downloader(), url).outcome is Outcome.UNAVAILABLE
    assert world.reached == []


@pytest.mark.parametrize("url", LOCATIONS)
def test_a_redirect_to_a_hostile_url_stays_outside(url: str, world: World) -> None:
    world.server.replies(Reply(302, {"Location": url}), Reply(404))
    assert failure(world.downloader(), GOOD_URL).outcome is Outcome.UNAVAILABLE
    assert all(is_public(address) for address in world.reached)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_reaches_nothing_on_a_local_stack_either(url: str, world: World) -> None:
    """Only the very origin of the base URL is excepted, and none of these is that."""
    downloader = world.downloader(base_url=f"http://127.0.0.1:{world.server.port}/v1")
    assert failure(downloader, url).outcome is Outcome.UNAVAILABLE
    assert world.reached == []


def test_an_image_is_fetched_from_the_address_that_was_checked(world: World) -> None:
    assert world.downloader().fetch(GOOD_URL, timeout_seconds=10) == PNG
    assert world.reached == [PUBLIC]
    (asked,) = world.server.asked
    assert asked.headers["host"] == "replicate.delivery"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.path == "/out.png?sig=CANARY"
    assert "authorization" not in asked.headers


def test_a_name_server_that_changes_its_mind_is_asked_once(world: World) -> None:
    answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
    downloader = quick("replicate", BASE_URL, lambda _host, _port: answers.pop(0), world.connect)
    assert downloader.fetch(GOOD_URL, timeout_seconds=10) == PNG
    assert world.reached == [PUBLIC]
    assert len(answers) == 2


def test_a_name_that_moves_inside_between_redirects_is_stopped(world: World) -> None:
    world.server.replies(Reply(302, {"Location": GOOD_URL}), image_reply())
    answers = [[PUBLIC], ["169.254.169.254"]]
    downloader = quick("replicate", BASE_URL, lambda _host, _port: answers.pop(0), world.connect)
    assert failure(downloader, GOOD_URL).outcome is Outcome.UNAVAILABLE
    assert world.reached == [PUBLIC]


LISTED = ("https://replicate.delivery/a.png", "https://eu.cdn.REPLICATE.delivery/a.png")
UNLISTED = (
    "https://evilreplicate.delivery/a.png",
    "https://replicate.delivery.example/a.png",
    "https://delivery/a.png",
    "https://93.184.216.34/a.png",
)


@pytest.mark.parametrize("url", LISTED)
def test_with_a_list_of_hosts_these_and_those_below_them_are_fetched_from(
    url: str, world: World
) -> None:
    downloader = replace(world.downloader(), hosts=("replicate.delivery",))
    assert downloader.fetch(url, timeout_seconds=10) == PNG


@pytest.mark.parametrize("url", UNLISTED)
def test_with_a_list_of_hosts_no_other_is_reached_also_not_by_a_redirect(
    url: str, world: World
) -> None:
    downloader = replace(world.downloader(), hosts=("replicate.delivery",))
    assert failure(downloader, url).outcome is Outcome.UNAVAILABLE
    assert world.reached == []
    world.server.replies(Reply(302, {"Location": url}), image_reply())
    assert failure(downloader, GOOD_URL).outcome is Outcome.UNAVAILABLE
    assert world.reached == [PUBLIC]


def test_with_an_empty_list_of_hosts_nothing_is_reached(world: World) -> None:
    assert failure(replace(world.downloader(), hosts=()), GOOD_URL).outcome is Outcome.UNAVAILABLE
    assert world.reached == []


def test_two_redirects_are_followed_and_a_third_is_not(world: World) -> None:
    hop = Reply(302, {"Location": "/next.png"})
    world.server.replies(hop, hop, image_reply())
    assert world.downloader().fetch(GOOD_URL, timeout_seconds=10) == PNG
    world.server.replies(hop)
    assert failure(world.downloader(), GOOD_URL).outcome is Outcome.UNAVAILABLE
    assert len(world.server.asked) == 6


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {"Content-Type": "image/png"}, PNG),
        Reply(500, {}, b""),
        Reply(204, {"Content-Type": "image/png"}, b""),
        Reply(206, {"Content-Type": "image/png"}, PNG[:99]),
        Reply(302, {}, b""),
        Reply(200, {"Content-Type": "image/svg+xml"}, b"<svg/>"),
        Reply(200, {"Content-Type": "image/gif"}, b"GIF89a"),
        Reply(200, {"Content-Type": "image/png"}, b"<html>"),
        Reply(200, {"Content-Type": "image/png"}, b""),
        Reply(200, {"Content-Type": "image/png"}, PNG[:-1]),
        Reply(200, {"Content-Type": "image/webp"}, b"RIFF\0\0\0\0WAVE"),
        Reply(200, {"Content-Type": "image/png", "Content-Encoding": "br"}, b"\x0b\x02\x80"),
    ],
    ids=lambda reply: f"{reply.status}-{'-'.join(reply.headers.values())}-{len(reply.body)}"[:60],
)
def test_what_is_no_image_is_not_taken(reply: Reply, world: World) -> None:
    world.server.replies(reply)
    assert failure(world.downloader(), GOOD_URL).outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize("length", ["26214401", "9" * 19])
def test_an_image_above_25_mib_is_one_requests_doing(length: str, world: World) -> None:
    headers = {"Content-Type": "image/png", "Content-Length": length}
    world.server.replies(Reply(200, headers, PNG))
    assert failure(world.downloader(), GOOD_URL).outcome is Outcome.NO_IMAGE


KINDS = {kind: picture(kind, size=(64, 64)) for kind in ("PNG", "JPEG", "WEBP")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "media_type",
    ["image/png", "image/jpeg; charset=binary", "IMAGE/WEBP", "application/octet-stream", "",
     "binary/octet-stream", "text/html; charset=utf-8", "image/svg+xml", "nonsense"],
)  # fmt: skip
def test_the_bytes_decide_what_a_file_is(kind: str, media_type: str, world: World) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    world.server.replies(Reply(200, headers, KINDS[kind]))
    assert world.downloader().fetch(GOOD_URL, timeout_seconds=10) == KINDS[kind]


@pytest.mark.parametrize("tail", [b"\n", b"\0" * 5_000, b"--boundary--\r\n", b"<html>", PNG])
@pytest.mark.parametrize("kind", KINDS)
def test_bytes_behind_the_end_of_an_image_are_taken_as_they_are(
    kind: str, tail: bytes, world: World
) -> None:
    world.server.replies(Reply(200, {}, KINDS[kind] + tail))
    assert world.downloader().fetch(GOOD_URL, timeout_seconds=10) == KINDS[kind] + tail


@pytest.mark.parametrize(
    ("label", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip, gzip", lambda content: gzip.compress(gzip.compress(content))),
        ("", gzip.compress),
        ("gzip", bytes),
        ("br", bytes),
        ("identity", bytes),
    ],
)
def test_a_packed_file_is_unpacked(label: str, pack: Pack, world: World) -> None:
    headers = {"Content-Encoding": label} if label else {}
    world.server.replies(Reply(200, headers, pack(PNG)))
    assert world.downloader().fetch(GOOD_URL, timeout_seconds=10) == PNG


@pytest.mark.parametrize(
    "first",
    [
        Reply(404),
        Reply(
            403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>"
        ),
        Reply(425),
        Reply(408),
        Reply(429, {"Retry-After": "1"}),
        Reply(500),
        Reply(502, {}, b"<html>"),
        Reply(503, {"Retry-After": "2"}),
        Reply(504),
        Reply(202),
        Reply(204),
        Reply(200, {"Content-Type": "image/png"}, b""),
        Reply(200, {"Content-Type": "text/html"}, b"<html>The image is being prepared"),
        Reply(200, {"Content-Type": "image/png"}, PNG[: len(PNG) // 2]),
        Reply(200, {"Content-Type": "image/png", "Content-Length": "5000"}, PNG),
    ],
    ids=lambda reply: f"{reply.status}-{len(reply.body)}",
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_late_file_is_requested_again(first: Reply, times: int, world: World) -> None:
    world.server.replies(*[first] * times, image_reply())
    assert world.downloader().fetch(GOOD_URL, timeout_seconds=25) == PNG
    assert len(world.server.asked) == times + 1


def test_a_reset_connection_is_tried_again(world: World) -> None:
    tries = count()

    def script(_asked: ToolUse, wire: Wire) -> Reply | None:
        if next(tries) > 1:
            return image_reply()
        wire.reset()
        return None

    world.server.script = script
    assert world.downloader().fetch(GOOD_URL, timeout_seconds=10) == PNG


@pytest.mark.parametrize("status", [400, 401, 410, 451])
def test_what_will_not_change_is_not_requested_again(status: int, world: World) -> None:
    world.server.replies(Reply(status))
    assert failure(world.downloader(), GOOD_URL).outcome is Outcome.UNAVAILABLE
    assert len(world.server.asked) == 1


def test_a_late_file_gets_twelve_seconds_and_no_more_than_the_deadline(world: World) -> None:
    for timeout_seconds, most_seconds in ((25, 12), (3, 3), (0.5, 0.5)):
        slept: list[float] = []
        world.server.replies(Reply(404))
        downloader = replace(world.downloader(), clock=partial(sum, slept), sleep=slept.append)
        failure(downloader, GOOD_URL, timeout_seconds=timeout_seconds)
        assert sum(slept) <= most_seconds


def test_a_wait_that_is_longer_than_the_time_is_not_begun(world: World) -> None:
    world.server.replies(Reply(503, {"Retry-After": "60"}))
    failure(world.downloader(), GOOD_URL, timeout_seconds=25)
    assert len(world.server.asked) == 1


def test_each_request_for_a_late_file_passes_the_same_check(world: World) -> None:
    world.server.replies(Reply(404))
    answers = [[PUBLIC], ["169.254.169.254"]]
    downloader = quick("replicate", BASE_URL, lambda _host, _port: answers.pop(0), world.connect)
    assert failure(downloader, GOOD_URL).outcome is Outcome.UNAVAILABLE
    assert world.reached == [PUBLIC]


def test_an_endless_body_is_left_at_the_cap(world: World) -> None:
    sent_bytes = 0

    def script(_asked: ToolUse, wire: Wire) -> None:
        nonlocal sent_bytes
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + PNG)
        while not wire.is_over.is_set():
            wire.send(bytes(65536))
            sent_bytes += 65536

    world.server.script = script
    downloader = quick("replicate", BASE_URL, world.resolve, world.connect, max_bytes=1_000_000)
    assert failure(downloader, GOOD_URL).outcome is Outcome.NO_IMAGE
    # What the socket buffers on both sides hold was sent and never read.
    assert sent_bytes < 16_000_000


@pytest.mark.parametrize("label", ["gzip", "gzip, gzip", ""])
def test_a_bomb_is_left_at_the_cap(label: str, world: World) -> None:
    bomb = gzip.compress(bytes(300_000_000), 9)
    headers = {"Content-Encoding": label} if label else {}
    world.server.replies(Reply(200, headers, gzip.compress(bomb) if "," in label else bomb))
    tracemalloc.start()
    assert failure(world.downloader(), GOOD_URL).outcome is Outcome.NO_IMAGE
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 60_000_000
    assert len(world.server.asked) == 1


def test_a_body_that_drips_is_left_at_the_deadline(world: World) -> None:
    def script(_asked: ToolUse, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
        wire.drip(PNG * 1000)

    world.server.script = script
    error = failure(world.downloader(), GOOD_URL, timeout_seconds=0.3)
    assert error.outcome is Outcome.UNKNOWN


def test_no_download_takes_more_than_thirty_seconds_of_the_clock(world: World) -> None:
    ticks = count(0, 31)
    downloader = quick(
        "replicate", BASE_URL, world.resolve, world.connect, clock=lambda: float(next(ticks))
    )
    error = failure(downloader, GOOD_URL, timeout_seconds=600)
    assert error.outcome is Outcome.UNKNOWN


def test_an_image_cut_on_its_way_is_lost(world: World) -> None:
    headers = {"Content-Type": "image/png", "Content-Length": "5000"}
    world.server.replies(Reply(200, headers, PNG))
    assert failure(world.downloader(), GOOD_URL).outcome is Outcome.UNKNOWN


def test_a_name_without_an_answer_is_lost(world: World) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise OSError("CANARY")

    downloader = quick("replicate", BASE_URL, resolve, world.connect)
    assert failure(downloader, GOOD_URL).outcome is Outcome.UNKNOWN


# The exception for local stacks, and its limits.


def test_a_local_stacks_own_origin_may_be_fetched_from(server: Loopback) -> None:
    server.replies(image_reply())
    downloader = quick("replicate", f"{server.origin}/v1")
    assert downloader.fetch(f"{server.origin}/files/a.png", timeout_seconds=10) == PNG


def test_a_local_stack_may_be_named_localhost(server: Loopback) -> None:
    server.replies(image_reply())
    origin = f"http://localhost:{server.port}"
    downloader = quick("replicate", f"{origin}/v1", lambda _host, _port: ["127.0.0.1"])
    assert downloader.fetch(f"{origin}/files/a.png", timeout_seconds=10) == PNG


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{other}/a.png",
        "http://127.0.0.1/a.png",
        "https://127.0.0.1:{port}/a.png",
        "http://localhost:{port}/a.png",
        "http://127.0.0.2:{port}/a.png",
        "http://[::1]:{port}/a.png",
        "http://[::ffff:127.0.0.1]:{port}/a.png",
        "http://127.1:{port}/a.png",
        "http://2130706433:{port}/a.png",
        "http://user@127.0.0.1:{port}/a.png",
        "http://replicate.delivery:{port}/a.png",
    ],
)
def test_the_exception_is_that_origin_and_no_other(url: str, server: Loopback) -> None:
    world = World(server)
    downloader = world.downloader(base_url=f"{server.origin}/v1")
    hostile = url.format(port=server.port, other=server.port ^ 1)
    assert failure(downloader, hostile).outcome is Outcome.UNAVAILABLE
    assert world.reached == []


def test_a_local_name_that_points_outside_is_not_the_local_stack(world: World) -> None:
    world.names["localhost"] = [PUBLIC]
    origin = f"http://localhost:{world.server.port}"
    error = failure(world.downloader(base_url=f"{origin}/v1"), f"{origin}/a.png")
    assert error.outcome is Outcome.UNAVAILABLE
    assert world.reached == []


@pytest.mark.parametrize("base_url", ["http://10.0.0.5:8080/v1", "http://host.internal:80/v1"])
def test_there_is_no_exception_for_other_private_bases(base_url: str, world: World) -> None:
    downloader = world.downloader(base_url=base_url)
    url = base_url.replace("/v1", "/a.png")
    assert failure(downloader, url).outcome is Outcome.UNAVAILABLE
    assert world.reached == []


def test_from_a_local_stack_a_redirect_leads_to_no_other_local_port(server: Loopback) -> None:
    server.replies(Reply(302, {"Location": f"http://127.0.0.1:{server.port ^ 1}/a.png"}))
    downloader = quick("replicate", f"{server.origin}/v1")
    error = failure(downloader, f"{server.origin}/a.png")
    assert error.outcome is Outcome.UNAVAILABLE
    assert len(server.asked) == 1


def test_the_connection_is_pinned_and_checks_the_name() -> None:
    origin, path = split_url(GOOD_URL)
    with connect_pinned(Target(origin, PUBLIC, path)) as pool:
        assert (pool.host, pool.port) == (PUBLIC, 443)
        assert pool.conn_kw["server_hostname"] == "replicate.delivery"
        assert isinstance(pool, HTTPSConnectionPool)
        assert pool.assert_hostname == "replicate.delivery"
        assert pool.conn_kw["ssl_context"].verify_mode.name == "CERT_REQUIRED"
        assert pool.conn_kw["ssl_context"].check_hostname


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", PUBLIC, "2606:4700::1111", "2a00::1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)
