"""Says how many laws ran on how many methods; the numbers come from the reports, not from the lists."""

from __future__ import annotations

import re
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line under the results."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, ())]
    ran = [m.groups() for r in reports if (m := re.search(r"::test_law\[(\w+)-(\w+)\]$", r.nodeid))]
    if ran:
        terminalreporter.write_line(
            f"laws: {len({law for law, _ in ran})} ran on {len({method for _, method in ran})} methods, "
            f"{len(ran)} pairs, {sum(r.failed for r in reports if '::test_law[' in r.nodeid)} broken"
        )
