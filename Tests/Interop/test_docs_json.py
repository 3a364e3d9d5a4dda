"""The examples of docs/json.md, by the codec alone."""
import os

import pytest

from support.examples import Page
from support.schema import ROOT

PAGE = Page("docs/json.md")
REPLACE = {"Protos/": os.path.join(ROOT, "Protos", "")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the commands run; their shell knows the page's shorthands."""
    folder = tmp_path_factory.mktemp("json")
    PAGE.write_files(folder, REPLACE)
    return folder


def test_the_page_has_examples():
    assert len(PAGE.examples) >= 30 and list(PAGE.files) == ["shorthands.sh"]


@pytest.mark.parametrize("example", PAGE.examples, ids=str)
def test_example(example, folder, monkeypatch):
    monkeypatch.setenv("BASH_ENV", str(folder / "shorthands.sh"))
    example.check(folder, {})
