"""Says how many laws ran on how many methods, and how many checks the battery ran on each.

The numbers come from the reports, not from the lists.
"""

from __future__ import annotations

import re
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line for the laws, and one for the battery, under the results."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, ())]
    ran = [m.groups() for r in reports if (m := re.search(r"::test_law\[(\w+)-(\w+)\]$", r.nodeid))]
    if ran:
        terminalreporter.write_line(
            f"laws: {len({law for law, _ in ran})} ran on {len({method for _, method in ran})} methods, "
            f"{len(ran)} pairs, {sum(r.failed for r in reports if '::test_law[' in r.nodeid)} broken"
        )
    checks = sorted(value for r in reports for name, value in r.user_properties if name == "battery")
    if checks:
        total = sum(int(c.rpartition(" ")[2]) for c in checks)
        terminalreporter.write_line(
            f"battery: {total:,} checks on {len(checks)} methods ({', '.join(checks)})"
        )
