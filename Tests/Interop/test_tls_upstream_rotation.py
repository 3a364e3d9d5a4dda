"""Certificates towards an upstream change while the gateway runs."""
import os
import shutil

import pytest

from support import http1
from support.configuration import configuration, run_gateway
from support.echo_server import EchoServer
from support.waiting import eventually
from test_tls_upstream import credentials


class Files:
    """The PEM files that the gateway knows, under names that stay."""

    def __init__(self, folder, **contents):
        self.folder = str(folder)
        for name, source in contents.items():
            self.write(name, source)

    def path(self, name):
        return os.path.join(self.folder, f"{name}.pem")

    def write(self, name, source):
        """Writes over the file: as `cp` does."""
        shutil.copyfile(source, self.path(name))

    def rename(self, name, source):
        """Puts another file in its place: as `mv` does."""
        shutil.copyfile(source, self.path(name) + ".new")
        os.rename(self.path(name) + ".new", self.path(name))


class Rotation:
    """A gateway, and the upstream with TLS before which it stands, which may start again as another one."""

    def __init__(self, folder, files, server, client_authority=None, **keys):
        self.server = EchoServer(credentials=credentials(server, client_authority))
        tls = {"ca": files.path("ca"), "server_name": "localhost", "reread": "1s", **keys}
        upstream = {"target": self.server.target, "tls": tls}
        self.gateway = run_gateway(folder, configuration("", upstreams={"echo": upstream}))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.gateway.stop()
        self.server.stop()

    def restart(self, server, client_authority=None):
        port = self.server.port
        self.server.stop()
        self.server = EchoServer(port, credentials=credentials(server, client_authority))

    def call(self):
        return http1.request(self.gateway.port, "GET", "/v1/echo/a")

    def serves(self):
        return eventually(lambda: self.call().status == 200, 30)


@pytest.fixture
def other_server(certificates):
    """One that the other authority has signed."""
    known = getattr(certificates, "other_server", None)
    if known is None:
        known = certificates.other_server = certificates.other_authority.issue("other-server")
    return known


@pytest.mark.parametrize("replace", [Files.write, Files.rename], ids=["written over", "renamed into place"])
def test_another_authority(tmp_path, certificates, other_server, replace):
    files = Files(tmp_path, ca=certificates.authority.file)
    with Rotation(tmp_path, files, certificates.server) as rotation:
        assert rotation.serves()
        rotation.restart(other_server)
        assert eventually(lambda: "certificate is not accepted" in rotation.call().json.get("message", ""))
        replace(files, "ca", certificates.other_authority.file)
        assert rotation.gateway.lines(".*upstream echo: its certificate files changed; new connections use them", 10)
        assert rotation.serves()


def test_links_that_are_swapped(tmp_path, certificates, other_server):
    """As Kubernetes mounts secrets: ca.pem → ..data/ca.pem, ..data → a folder."""
    for name, authority in (("first", certificates.authority), ("second", certificates.other_authority)):
        (tmp_path / name).mkdir()
        shutil.copyfile(authority.file, tmp_path / name / "ca.pem")
    (tmp_path / "..data").symlink_to("first")
    (tmp_path / "ca.pem").symlink_to("..data/ca.pem")
    with Rotation(tmp_path, Files(tmp_path), certificates.server) as rotation:
        assert rotation.serves()
        (tmp_path / "..new").symlink_to("second")
        os.rename(tmp_path / "..new", tmp_path / "..data")
        rotation.restart(other_server)
        assert rotation.serves()


def test_another_certificate_of_our_own(tmp_path, certificates):
    """The upstream wants one of the other authority from now on. Certificate and key are written one after the other."""
    files = Files(tmp_path, ca=certificates.authority.file, own=certificates.client.chain, key=certificates.client.key_file)
    with Rotation(tmp_path, files, certificates.server, certificates.authority,
                  certificate=files.path("own"), key=files.path("key")) as rotation:
        assert rotation.serves()
        rotation.restart(certificates.server, certificates.other_authority)
        assert eventually(lambda: rotation.call().status == 503)
        files.rename("own", certificates.wrong_client.chain)
        files.rename("key", certificates.wrong_client.key_file)
        assert rotation.serves()


def test_what_cannot_be_used_is_not(tmp_path, certificates):
    files = Files(tmp_path, ca=certificates.authority.file, own=certificates.client.chain, key=certificates.client.key_file)
    with Rotation(tmp_path, files, certificates.server, certificates.authority,
                  certificate=files.path("own"), key=files.path("key")) as rotation:
        assert rotation.serves()
        files.write("key", certificates.server.key_file)
        rotation.gateway.lines(".*upstream echo: its certificate files changed to what cannot be used.*does not match", 10)
        os.remove(files.path("ca"))
        rotation.gateway.lines(".*upstream echo: its certificate files changed to what cannot be used.*No such file", 10)
        rotation.restart(certificates.server, certificates.authority)
        assert rotation.serves(), "by the last ones that could be used"
        warnings = [line for line in rotation.gateway.errors if "cannot be used" in line]
        assert len(warnings) == 2, "once a change, not once a look"


def test_connections_that_are_there_stay(tmp_path, certificates):
    """Nothing of a connection changes with the files."""
    files = Files(tmp_path, ca=certificates.authority.file)
    with Rotation(tmp_path, files, certificates.server) as rotation:
        assert rotation.serves()
        files.write("ca", certificates.other_authority.file)
        rotation.gateway.lines(".*its certificate files changed; new connections use them", 10)
        assert [rotation.call().status for _ in range(10)] == [200] * 10
