"""Protocol × codec × HTTP version × kind of call × coding × TLS × outcome, by every client there is: every pair of two
axes' values for each client. All of them: `make matrix`."""
import pytest

from support.matrix import axes
from support.matrix.run import check_cell


def is_served(cell):
    """Whether the gateway has what the cell needs by now."""
    return cell.coding == "identity" or (
        cell.coding == "gzip" and cell.protocol == "grpc" and cell.codec == "proto")


CELLS = [pytest.param(cell, id=str(cell), marks=[] if is_served(cell) else pytest.mark.xfail(run=False, reason="to come"))
         for cell in axes.pairwise_cells()]


@pytest.mark.parametrize("cell", CELLS)
def test_cell(served, cell):
    check_cell(served, cell)
