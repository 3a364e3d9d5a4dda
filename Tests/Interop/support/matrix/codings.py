"""The compression codings by libraries that are not the gateway's: Python's zlib, `brotli`, `zstandard`."""
import gzip
import zlib

import brotli
import zstandard

CODINGS = ["identity", "gzip", "br", "zstd"]


def compress(coding, data):
    if coding == "gzip":
        return gzip.compress(data, mtime=0)
    if coding == "deflate":
        return zlib.compress(data)
    if coding == "br":
        return brotli.compress(data)
    if coding == "zstd":
        return zstandard.ZstdCompressor().compress(data)
    assert coding == "identity", coding
    return data


def decompress(coding, data):
    """Raises whatever the library raises for bad data, and for bytes after the end."""
    if coding == "gzip":
        return gzip.decompress(data)
    if coding == "deflate":
        return zlib.decompress(data)
    if coding == "br":
        return brotli.decompress(data)
    if coding == "zstd":
        # Frames without a content size, and several of them, are as good.
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            return reader.read()
    assert coding == "identity", coding
    return data
