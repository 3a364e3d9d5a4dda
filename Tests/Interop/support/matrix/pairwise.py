"""Rows of a table in which every pair of values that may meet does meet."""
import itertools
import random


def rows(axes, possible, seed=5):
    """A short list of rows ({axis: value}) that has every pair of two axes' values that some possible row has."""
    everything = (dict(zip(axes, values)) for values in itertools.product(*axes.values()))
    everything = [row for row in everything if possible(row)]
    random.Random(seed).shuffle(everything)
    bits = {}
    masks = [sum(1 << bits.setdefault(pair, len(bits)) for pair in itertools.combinations(row.items(), 2))
             for row in everything]
    missing, chosen = (1 << len(bits)) - 1, []
    while missing:
        # Greedy: the row that has most of the pairs that are still missing.
        best = max(range(len(masks)), key=lambda index: (masks[index] & missing).bit_count())
        chosen.append(everything[best])
        missing &= ~masks[best]
    return chosen
