"""Dense covers: what the rows of a table have above what is covered already."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def over_rows(
    table: npt.NDArray[np.float32],
    cover: npt.NDArray[np.float32],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over columns j of max(table[at[i], j] - cover[j], 0).

    table f32[n, m]; cover f32[m]; at i64[b]; out f64[b]. Eight sums, one for each j modulo 8 in order of j,
    are added up as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)), then what is left over: always in this order.
    """
    m = len(cover)
    whole = m - m % 8
    for i in range(len(at)):
        row = table[at[i]]
        a = b = c = d = e = f = g = h = 0.0
        for j in range(0, whole, 8):
            a += max(np.float64(row[j]) - np.float64(cover[j]), 0.0)
            b += max(np.float64(row[j + 1]) - np.float64(cover[j + 1]), 0.0)
            c += max(np.float64(row[j + 2]) - np.float64(cover[j + 2]), 0.0)
            d += max(np.float64(row[j + 3]) - np.float64(cover[j + 3]), 0.0)
            e += max(np.float64(row[j + 4]) - np.float64(cover[j + 4]), 0.0)
            f += max(np.float64(row[j + 5]) - np.float64(cover[j + 5]), 0.0)
            g += max(np.float64(row[j + 6]) - np.float64(cover[j + 6]), 0.0)
            h += max(np.float64(row[j + 7]) - np.float64(cover[j + 7]), 0.0)
        total = ((a + e) + (c + g)) + ((b + f) + (d + h))
        for j in range(whole, m):
            total += max(np.float64(row[j]) - np.float64(cover[j]), 0.0)
        out[i] = total
