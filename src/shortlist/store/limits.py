"""Ceilings on what a file may make us hold. Hostile input is refused before memory is taken."""

from __future__ import annotations

import os

from shortlist.core.errors import MemoryRefused

MIB = 1 << 20

#: Longest line of text, in bytes.
MAX_LINE = 32 * MIB
#: Bytes read and parsed at a time.
BLOCK = 4 * MIB
#: Most columns taken from one file.
MAX_COLUMNS = 2_000
#: Cells of the full table for each byte of JSON lines, past MAX_FREE_CELLS: absent keys cost memory too.
MAX_CELLS_PER_BYTE = 4
MAX_FREE_CELLS = 4_000_000
#: Bad rows kept for the record; a file with more is not what its format says.
MAX_REJECTED = 100_000
#: A compressed text may grow this many times, once it is past MAX_FREE_GROWTH.
MAX_GROWTH = 100
MAX_FREE_GROWTH = 64 * MIB
#: Longest header of an .npy file; NumPy writes about 128 bytes.
MAX_NPY_HEADER = 4096
#: Rows a table may declare for each byte of its file, past a million rows.
MAX_ROWS_PER_BYTE = 64
#: Characters of a bad row that are quoted back.
EXCERPT = 200


def default_memory() -> int:
    """Bytes that reading may take when the user does not say: 3/4 of the machine's."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4


def need(what: str, wanted: int, limit: int) -> None:
    """Refuse work that would hold more than `limit` bytes."""
    if wanted > limit:
        raise MemoryRefused(
            f"{what} needs about {wanted / MIB:,.0f} MiB, the limit is {limit / MIB:,.0f} MiB; "
            "read fewer rows or columns, or raise the limit"
        )
