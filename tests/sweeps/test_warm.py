"""The template process: what it has done before it forks, and that it may fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from headway.sweeps.processes import TEMPLATE

SAYS = """
import gc, json, os, sys
import headway.sweeps.warm
from headway.tracking.record import commit, cpu_flags, freeze
tasks = "/proc/self/task"
print(json.dumps({
    "threads": len(os.listdir(tasks)) if os.path.isdir(tasks) else 1,
    "frozen": gc.get_freeze_count(),
    "left": len(gc.get_objects()),
    "read": [each.cache_info().currsize for each in (commit, cpu_flags, freeze)],
    "imported": "headway.run" in sys.modules,
}))
"""


@pytest.mark.slow
def test_it_starts_no_thread_and_leaves_nothing_for_trials_to_collect():
    environment = {**os.environ, **TEMPLATE}
    command = [sys.executable, "-P", "-c", SAYS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["threads"] == 1
    assert found["read"] == [1, 1, 1]
    assert found["imported"]
    assert found["frozen"] > 100 * found["left"]
