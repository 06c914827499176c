"""The guide's Python is run as it stands, on a small pool."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pool/*.parquet` as the guide speaks of it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    n = 700
    table = pa.table(
        {
            "id": [f"row-{i}" for i in range(n)],
            "prompt": [f"question {i} about {' '.join(map(str, rng.integers(0, 900, 9)))}" for i in range(n)],
            "vec": pa.FixedSizeListArray.from_arrays(rng.normal(size=n * 16).astype(np.float32), 16),
            "reward": rng.normal(size=n),
            "source": rng.choice(["web", "code", "books"], n),
            "tokens": rng.integers(5, 60, n),
        }
    )
    (tmp_path / "pool").mkdir()
    pq.write_table(table, tmp_path / "pool" / "one.parquet")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("name", ["06-python.md"])
def test_python_in_the_guide_runs(name: str) -> None:
    blocks = BLOCK.findall((GUIDE / name).read_text("utf-8"))
    assert blocks
    names: dict[str, Any] = {}
    for i, block in enumerate(blocks):
        exec(compile(block, f"{name}, block {i + 1}", "exec"), names)
    assert len(names["choice"].rows) == 20
    assert len(set(names["kept"].ids)) == len(names["kept"].ids) <= 500
