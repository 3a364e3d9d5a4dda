"""`gateway convert --stream`: many messages through one process."""
import struct

from support.gateway_process import run

REFUSED = 0xFFFFFFFF


def convert(path, name, source, target, messages, *flags, seconds=120):
    """The answers, one for each message: b"" for JSON that was refused, None for wire bytes."""
    if source == "json":
        data = b"".join(message + b"\n" for message in messages)
    else:
        data = b"".join(struct.pack("<I", len(message)) + message for message in messages)
    result = run("convert", "--descriptors", path, "--type", name, "--from", source, "--to", target, "--stream", *flags,
                 data=data, seconds=seconds)
    assert result.returncode in (0, 1), result.stderr[-2000:]
    answers = result.stdout.split(b"\n")[:-1] if target == "json" else split_binary(result.stdout)
    assert len(answers) == len(messages), result.stderr[-2000:]
    return answers


def split_binary(data):
    messages, at = [], 0
    while at < len(data):
        length, = struct.unpack_from("<I", data, at)
        at += 4
        messages.append(None if length == REFUSED else data[at:at + length])
        at += 0 if length == REFUSED else length
    return messages
