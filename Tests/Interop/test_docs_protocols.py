"""The examples of docs/protocols, against the demo: curl, `buf curl`, a gRPC stub, and browser code by Node's fetch."""
import os
import shutil

import pytest

from support.examples import Page
from support.gateway_process import GatewayProcess
from support.schema import DEMO_SET

PAGES = [Page(f"docs/protocols/{name}.md") for name in ("connect", "grpc-web", "grpc")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder with the pages' files, and what their address is here."""
    folder = tmp_path_factory.mktemp("protocols")
    process = GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0")
    replace = {"127.0.0.1:8080": process.target}
    shutil.copy(DEMO_SET, os.path.join(folder, "demo.binpb"))
    for page in PAGES:
        page.write_files(folder, replace)
    yield folder, replace
    process.stop()


@pytest.mark.parametrize("example", [example for page in PAGES for example in page.examples], ids=str)
def test_an_example(demo, example):
    folder, replace = demo
    example.check(folder, replace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_file_of_a_page_is_run(page):
    assert page.files
    for name in page.files:
        assert any(name in example.command for example in page.examples), name
