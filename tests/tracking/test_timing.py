"""The parts of a run's time make its total, and each step's time goes where it belongs."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from headway.tracking.timing import Timing, TrainingTimes, process_age

TIMES = TrainingTimes(
    tokens=9000, computed_tokens=10_000, training=4.5, data=0.5, encoder=3.0, head=0.25, optimizer=0.5,
    evaluation=1.0,
)  # fmt: skip


def test_the_parts_make_the_total():
    timing = Timing.of(TIMES, startup=6.0, evaluation=2.0, run=10.0)
    assert timing.tokens_per_second == 2000
    assert timing.real_ratio == 0.9
    assert timing.seconds == {
        "import": 6.0, "data": 0.5, "encoder": 3.0, "head": 0.25, "optimizer": 0.5, "evaluation": 3.0,
        "other": 2.75, "total": 16.0,
    }  # fmt: skip
    assert timing.line() == (
        "timing: 2,000 real tokens/s in training, 0.900 of computed tokens real; seconds: import 6.0, "
        "data 0.5, encoder 3.0, head 0.2, optimizer 0.5, evaluation 3.0, other 2.8, total 16.0"
    )


def test_what_is_not_known_is_left_out():
    timing = Timing.of(TrainingTimes(), startup=None, evaluation=0.0, run=1.0)
    assert timing.seconds["import"] is None
    assert timing.seconds["total"] == 1.0
    assert timing.line().startswith("timing: none real tokens/s in training, none of computed tokens real; ")
    assert "import" not in timing.line()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_a_process_knows_its_age():
    code = (
        "import time; time.sleep(0.3); from headway.tracking.timing import process_age; print(process_age())"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    elapsed = time.monotonic() - start
    assert 0.28 <= float(done.stdout) <= elapsed + 0.02  # the system counts in hundredths


def test_a_start_is_found_behind_any_name(tmp_path):
    (tmp_path / "self").mkdir()
    hz = os.sysconf("SC_CLK_TCK")
    started = int((time.clock_gettime(time.CLOCK_BOOTTIME) - 5) * hz)
    fields = " ".join(["S", *["0"] * 18, str(started), "0"])
    (tmp_path / "self" / "stat").write_text(f"12 (a ) b) {fields}\n")
    assert process_age(tmp_path) == pytest.approx(5, abs=0.5)
    (tmp_path / "self" / "stat").write_text("12 (a)\n")
    assert process_age(tmp_path) is None
    assert process_age(tmp_path / "none") is None
