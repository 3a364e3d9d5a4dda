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


class Deflater:
    """One body in pieces, each of which can be inflated when it is there."""

    def __init__(self, coding):
        self.coding = coding
        if coding == "gzip":
            self.stream = zlib.compressobj(wbits=31)
        elif coding == "br":
            self.stream = brotli.Compressor()
        elif coding == "zstd":
            self.stream = zstandard.ZstdCompressor().compressobj()

    def piece(self, data):
        if self.coding == "gzip":
            return self.stream.compress(data) + self.stream.flush(zlib.Z_SYNC_FLUSH)
        if self.coding == "br":
            return self.stream.process(data) + self.stream.flush()
        if self.coding == "zstd":
            return self.stream.compress(data) + self.stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return data

    def end(self):
        if self.coding == "br":
            return self.stream.finish()
        return b"" if self.coding == "identity" else self.stream.flush()


class Inflater:
    """The reverse. `check_end`: the body is whole."""

    def __init__(self, coding):
        self.coding = coding
        if coding == "gzip":
            self.stream = zlib.decompressobj(wbits=31)
        elif coding == "br":
            self.stream = brotli.Decompressor()
        elif coding == "zstd":
            self.stream = zstandard.ZstdDecompressor().decompressobj()

    def piece(self, data):
        if self.coding == "identity":
            return data
        return self.stream.process(data) if self.coding == "br" else self.stream.decompress(data)

    def check_end(self):
        if self.coding == "br":
            assert self.stream.is_finished()
        elif self.coding != "identity":
            assert self.stream.eof and not self.stream.unused_data
