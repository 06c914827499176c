"""A sparse matrix times columns: compiled, plain, and dense."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.kernels.graph_product import graph_product
from shortlist.measures.similarity import multiplied_plain


@pytest.mark.parametrize(("n", "m", "c"), [(0, 3, 2), (1, 1, 1), (20, 7, 3), (5, 9, 0)])
def test_compiled_and_plain_are_the_dense_product(n: int, m: int, c: int) -> None:
    rng = np.random.default_rng(n)
    dense = np.where(rng.random((n, m)) < 0.4, rng.normal(size=(n, m)), 0).astype(np.float32)
    rows, columns = np.nonzero(dense)
    indptr = np.r_[0, np.cumsum(np.bincount(rows, minlength=n))].astype(np.int64)
    x, out = rng.normal(size=(m, c)), np.zeros((n, c))
    indices, data = columns.astype(np.int32), dense[rows, columns]
    graph_product(indptr, indices, data, x, out)
    assert out == pytest.approx(dense.astype(float) @ x)
    assert multiplied_plain(indptr, indices, data, x).tobytes() == out.tobytes()
