"""JSON values compared as protobuf means them."""
import struct


def same(ours, theirs):
    """Whether two JSON values are the same: numbers by value, the rest exactly."""
    if ours is None and theirs == 0:
        return True  # NullValue is null in JSON; json_format prints 0 for it where enums are numbers.
    if isinstance(ours, bool) or isinstance(theirs, bool) or not isinstance(ours, (int, float)):
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
        if isinstance(ours, list) and isinstance(theirs, list):
            return len(ours) == len(theirs) and all(map(same, ours, theirs))
        return type(ours) is type(theirs) and ours == theirs
    return isinstance(theirs, (int, float)) and (float(ours) == float(theirs) or same_float(ours, theirs))


def same_float(ours, theirs):
    """Whether two texts are of one 32-bit float: Python prints more digits of it than are needed."""
    try:
        return struct.pack("<f", ours) == struct.pack("<f", theirs)
    except OverflowError:
        return False


def difference(ours, theirs, path=""):
    """The first place where two JSON values are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        parts = [(f"{path}.{key}", ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        parts = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(ours, theirs))]
    else:
        return path, ours, theirs
    return next((difference(a, b, at) for at, a, b in parts if not same(a, b)), None)
