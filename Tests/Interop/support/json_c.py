"""json-c by ctypes: a second judge of JSON syntax, in its strict mode."""
import ctypes
import ctypes.util

DEPTH = 128
STRICT, VALIDATE_UTF8 = 0x01, 0x10
SUCCESS = 0

library = ctypes.CDLL(ctypes.util.find_library("json-c") or "libjson-c.so.5")
library.json_tokener_new_ex.restype = ctypes.c_void_p
library.json_tokener_new_ex.argtypes = [ctypes.c_int]
library.json_tokener_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_int]
library.json_tokener_parse_ex.restype = ctypes.c_void_p
library.json_tokener_parse_ex.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
library.json_tokener_get_error.argtypes = [ctypes.c_void_p]
library.json_tokener_get_parse_end.argtypes = [ctypes.c_void_p]
library.json_tokener_get_parse_end.restype = ctypes.c_size_t
library.json_tokener_free.argtypes = [ctypes.c_void_p]
library.json_object_put.argtypes = [ctypes.c_void_p]


def accepts(data):
    """Whether json-c reads the bytes as one JSON text."""
    tokener = library.json_tokener_new_ex(DEPTH)
    try:
        library.json_tokener_set_flags(tokener, STRICT | VALIDATE_UTF8)
        # The terminating NUL is part of what it reads: it ends a number.
        value = library.json_tokener_parse_ex(tokener, data, len(data) + 1)
        accepted = library.json_tokener_get_error(tokener) == SUCCESS and not data[
            library.json_tokener_get_parse_end(tokener):].strip(b" \t\r\n")
        library.json_object_put(value)
        return accepted
    finally:
        library.json_tokener_free(tokener)
