"""The examples of docs/json.md give what stands below them."""
import os
import re
import subprocess

import pytest

from support.gateway_process import BINARY
from support.schema import ROOT

with open(os.path.join(ROOT, "docs", "json.md"), encoding="utf-8") as page:
    TEXT = page.read()
SHORTHANDS = re.search(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)[1]


def examples():
    """(command, what it prints) of each line that begins with `$ `."""
    for block in re.findall(r"^```console\n(.*?)^```$", TEXT, re.M | re.S):
        for example in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = example.partition("\n")
            yield command, output


@pytest.mark.parametrize("command, output", examples(), ids=lambda text: text[:60])
def test_example(command, output, tmp_path):
    os.symlink(BINARY, tmp_path / "gateway")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    result = subprocess.run(["bash", "-c", SHORTHANDS + command], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=30)
    assert result.stdout + result.stderr == output


def test_the_page_has_examples():
    assert len(list(examples())) > 30
