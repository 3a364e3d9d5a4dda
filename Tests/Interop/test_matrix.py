"""Protocol × codec × HTTP version × kind of call × coding × TLS × outcome, by every client there is: every pair of two
axes' values for each client. All of them: `make matrix`."""
import pytest

from support.matrix import axes
from support.matrix.run import check_cell


@pytest.mark.parametrize("cell", axes.pairwise_cells(), ids=str)
def test_cell(served, cell):
    check_cell(served, cell)
