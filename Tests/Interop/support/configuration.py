"""Configuration files for tests. JSON is YAML, so a dict is enough."""
import json

from .gateway_process import GatewayProcess
from .schema import INTEROP_SET


def configuration(target, **sections):
    """One listener, one upstream `echo`, all of interop.proto; `sections` replace or add top-level keys."""
    return {
        "listeners": [{"address": "127.0.0.1:0"}],
        "upstreams": {"echo": {"target": target}},
        "services": [{"upstream": "echo", "descriptors": {"file": INTEROP_SET}}],
        **sections,
    }


def write(folder, content):
    """Writes a dict or a text into a file of the folder, and returns its path."""
    path = folder / "gateway.yaml"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return str(path)


def run_gateway(folder, content, *more):
    """`gateway run` with this configuration, once it is ready."""
    return GatewayProcess("run", "-c", write(folder, content), "--threads", "2", *more)
