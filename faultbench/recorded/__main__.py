"""Judge the recorded trainings by the present default plan, and print the table: python -m faultbench.recorded."""

from __future__ import annotations

from faultbench.recorded.judge import judge_all, table

if __name__ == "__main__":
    print("\n".join(table(list(judge_all()))))  # noqa: T201
