"""The examples of docs/cors.md, against the demo."""
import pytest

from support.examples import Page
from support.gateway_process import GatewayProcess

PAGE = Page("docs/cors.md")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    process = GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0")
    yield tmp_path_factory.mktemp("cors"), {"127.0.0.1:8080": process.target}
    process.stop()


@pytest.mark.parametrize("example", PAGE.examples, ids=str)
def test_an_example(demo, example):
    folder, replace = demo
    example.check(folder, replace)
