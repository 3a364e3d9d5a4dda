"""Sets the matrix up and makes one call of it."""
import contextlib

from ..gateway_process import GatewayProcess
from . import axes, buf_client, connectrpc_client, grpcio_client, raw_client
from .scenario import LIMIT, Scenario
from .schema import MATRIX_SET
from .server import MatrixServer

CALLS = {"raw": raw_client.call, "connectrpc": connectrpc_client.call, "grpcio": grpcio_client.call, "buf": buf_client.call}


class Served:
    """The gateway as clients find it, and the server behind it."""

    def __init__(self, server, process, authority):
        self.server, self.process, self.authority = server, process, authority
        self.plain_port, self.tls_port = (int(address.rpartition(":")[2]) for address in process.listeners)


@contextlib.contextmanager
def matrix_gateway(certificates):
    server = MatrixServer()
    identity = certificates.server
    process = GatewayProcess(
        "proxy", server.target, "--descriptors", MATRIX_SET, "--listen", "http://127.0.0.1:0", "--listen", "127.0.0.1:0",
        "--tls-certificate", identity.chain, "--tls-key", identity.key_file, "--admin", "off", "--threads", "2",
        "--max-message-bytes", str(LIMIT))
    try:
        yield Served(server, process, certificates.authority)
        assert process.alive(), "\n".join(process.errors)
    finally:
        process.stop()
        server.stop()


def check_cell(served, cell):
    """Makes the call and checks all that the rules fix of it."""
    scenario = Scenario(cell, served.server.journal)
    expected = axes.refusal(cell)
    if expected is None:
        scenario.check(CALLS[cell.client](served, cell, scenario))
        return
    status, fields, body = raw_client.refused(served, cell, scenario)
    assert status == expected, (status, fields, body)
    assert "gateway-error" in fields, fields
    if status == 405:
        assert fields["allow"] == "POST", fields
    assert not served.server.journal.events.get(scenario.key), "a refused call came to the server"
