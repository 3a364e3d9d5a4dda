"""The examples of docs/rest.md, against the demo's library behind a gateway of their own."""
import os
import shutil

import pytest

from support.examples import Page
from support.gateway_process import GatewayProcess
from support.schema import DEMO_SET

PAGE = Page("docs/rest.md")


@pytest.fixture(scope="module")
def library(tmp_path_factory, request):
    """The folder with the page's files, and what its addresses are here."""
    folder = tmp_path_factory.mktemp("rest")
    demo = GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0")
    request.addfinalizer(demo.stop)
    upstream = demo.lines(r"\s+upstream\s+(127\.0\.0\.1:\d+)")[0][1]
    shutil.copy(DEMO_SET, os.path.join(folder, "demo.binpb"))
    PAGE.write_files(folder, {"127.0.0.1:8080": "127.0.0.1:0", "127.0.0.1:50051": upstream})
    gateway = GatewayProcess("run", "-c", os.path.join(folder, "gateway.yaml"), "--threads", "1")
    request.addfinalizer(gateway.stop)
    return folder, {"127.0.0.1:8080": f"127.0.0.1:{gateway.port}"}


def test_the_page_has_examples():
    assert len(PAGE.examples) >= 20 and list(PAGE.files) == ["gateway.yaml"]


@pytest.mark.parametrize("example", PAGE.examples, ids=str)
def test_an_example_of_the_page(library, example):
    folder, replace = library
    example.check(folder, replace)
