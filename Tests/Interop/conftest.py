"""Fixtures: a Python gRPC server of interop.proto and the real gateway binary before it."""
import os
import socket
import sys

import grpc
import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import browser, http1, schema  # noqa: E402
from support.body_server import BODIES_SET, BodyServer  # noqa: E402
from support.certificates import Certificates  # noqa: E402
from support.configuration import configuration, run_gateway  # noqa: E402
from support.echo_server import EchoServer  # noqa: E402
from support.gateway_process import BINARY, GatewayProcess  # noqa: E402
from support.matrix.run import matrix_gateway  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--direct", action="store_true",
                     help="call the Python server without the gateway: checks the gRPC tests themselves")
    parser.addoption("--json-messages", type=int, default=700,
                     help="random messages of each differential JSON test (default %(default)s)")
    parser.addoption("--full", action="store_true", help="the long forms of tests that have a short one")
    parser.addoption("--json-many", type=int, default=105_000,
                     help="random messages of test_json_many.py (default %(default)s)")
    parser.addoption("--seed", type=int, default=20261122, help="seed of all that is random")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--direct"):
        keep = [item for item in items if item.get_closest_marker("native")]
        config.hook.pytest_deselected(items=[item for item in items if item not in keep])
        items[:] = keep
    elif not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is not there: make build", returncode=1)


def pytest_configure(config):
    config.addinivalue_line("markers", "native: holds for any gRPC server, with or without a gateway before it")


@pytest.fixture(scope="session")
def echo():
    """The upstream."""
    server = EchoServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def proxy_arguments(target, *more):
    return ["proxy", target, "--descriptors", schema.INTEROP_SET, "--listen", "127.0.0.1:0", "--admin", "off",
            "--threads", "2", *more]


class Shared:
    """The gateway that most tests share; started anew after a test that ended it, so that only that test fails."""

    def __init__(self, target):
        self.target, self.process = target, None

    def get(self):
        if self.process is None or not self.process.alive():
            self.process = GatewayProcess(*proxy_arguments(self.target))
        return self.process


@pytest.fixture(scope="session")
def shared_gateway(echo):
    shared = Shared(echo.target)
    yield shared
    if shared.process is not None:
        shared.process.stop()


@pytest.fixture
def gateway(shared_gateway):
    """The shared gateway. Whatever a test sends, it stays up and serves the next request."""
    process = shared_gateway.get()
    yield process
    assert process.alive(), f"ended with {process.process.returncode}:\n" + "\n".join(process.errors)
    answer = http1.request(process.port, "GET", "/v1/echo/still-here")
    assert answer.status == 200 and answer.json == {"text": "still-here"}, answer


@pytest.fixture(scope="session")
def served(certificates):
    """The gateway of the protocol matrix, with TLS and without, and its server."""
    with matrix_gateway(certificates) as served:
        yield served


@pytest.fixture
def port(served):
    """Its port without TLS. Whatever a test sends, it stays up."""
    yield served.plain_port
    assert served.process.alive(), "\n".join(served.process.errors)


class Web:
    """A browser, its page from another origin, and the gateway that it calls, by HTTP/1.1 and by HTTP/2 over TLS."""

    def __init__(self, context, pages, process):
        self.context, self.origin, self.process = context, pages.origin, process
        self.plain, self.tls = (url.rstrip("/") for url in process.listeners)

    def page(self):
        page = self.context.new_page()
        page.goto(self.origin)
        return page


# Playwright runs an event loop in this thread, so it ends with the file whose tests use it.
@pytest.fixture(scope="module")
def web(echo, certificates, tmp_path_factory):
    pages, files, identity = browser.PageServer(), BodyServer(), certificates.server
    process = run_gateway(tmp_path_factory.mktemp("web"), configuration(
        echo.target,
        listeners=[{"address": "127.0.0.1:0"},
                   {"address": "127.0.0.1:0", "tls": {"certificate": identity.chain, "key": identity.key_file}}],
        upstreams={"echo": {"target": echo.target}, "files": {"target": files.target}},
        services=[{"upstream": "echo", "descriptors": {"file": schema.INTEROP_SET},
                   "sse": {"id_field": "index", "last_event_id_field": "after", "retry": "50ms", "heartbeat": "200ms"}},
                  {"upstream": "files", "descriptors": {"file": BODIES_SET}}],
        cors={"origins": [pages.origin], "credentials": True, "max_age": "1s"}))
    with browser.chromium() as context:
        yield Web(context, pages, process)
    process.stop()
    files.stop()
    pages.stop()


@pytest.fixture
def page(web):
    page = web.page()
    yield page
    page.close()


@pytest.fixture(params=["plain", "tls"])
def base(web, request):
    """The gateway's address, plain and by TLS."""
    return getattr(web, request.param)


@pytest.fixture
def start_gateway():
    """Starts a gateway of its own: start_gateway(target, flags…). Stopped and checked at the end."""
    processes = []

    def start(target, *more):
        processes.append(GatewayProcess(*proxy_arguments(target, *more)))
        return processes[-1]

    yield start
    for process in processes:
        if process.process.returncode is None:
            process.stop()


@pytest.fixture
def free_port():
    """A port of the loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def rest(gateway):
    """rest(method, path, body=None, headers=None) → Answer, over HTTP/1.1."""

    def call(method, path, body=None, headers=None):
        return http1.request(gateway.port, method, path, body, headers)

    return call


@pytest.fixture
def native_target(request, echo):
    """Where native gRPC calls go: the gateway, or with --direct the server itself."""
    if request.config.getoption("--direct"):
        return echo.target
    return request.getfixturevalue("gateway").target


@pytest.fixture
def stub(native_target):
    """The EchoService as a grpcio client sees it."""
    with grpc.insecure_channel(native_target, options=CHANNEL_OPTIONS) as channel:
        yield Stub(channel)


CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 16 << 20), ("grpc.use_local_subchannel_pool", 1)]


class Stub:
    """One attribute for each method: stub.Echo(request, timeout=…) as grpcio has it."""

    def __init__(self, channel):
        self.channel = channel
        for method in schema.interop.service(schema.ECHO).methods:
            kind = ("stream" if method.client_streaming else "unary") + "_" + (
                "stream" if method.server_streaming else "unary")
            response = schema.interop.message(method.output_type.full_name)
            setattr(self, method.name, getattr(channel, kind)(
                f"/{schema.ECHO}/{method.name}", request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=response.FromString))


@pytest.fixture(scope="module")
def report(request):
    """Lines that are printed whatever came of the tests."""
    lines = []
    yield lines.append
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("", *lines, sep="\n")
