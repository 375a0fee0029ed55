"""From each mark on, the time is the named stage's; a device's events are never waited for."""

from __future__ import annotations

from headway.tracking.stage_marks import DeviceMarks, HostMarks


def test_the_host_s_time_goes_to_the_stage_that_was_marked_last():
    clock = iter([0.0, 1.0, 3.0, 3.5, 10.0, 14.0])
    marks = HostMarks(lambda: next(clock))
    marks.mark("head")
    marks.mark("encoder")
    marks.mark("head")
    marks.mark(None)  # until the next mark nobody's
    marks.mark("encoder")
    marks.mark(None)
    assert marks.seconds() == {"head": 1.5, "encoder": 6.0}


class Device:
    """Stands for a GPU: its events have times, and those up to `reached` are past."""

    def __init__(self, *times):
        self.times = iter(times)
        self.reached = float("inf")

    def event(self):
        return DeviceEvent(self, next(self.times))


class DeviceEvent:
    def __init__(self, device, milliseconds):
        self.device = device
        self.milliseconds = milliseconds
        self.recorded = False

    def record(self):
        self.recorded = True

    def query(self):
        assert self.recorded
        return self.milliseconds <= self.device.reached

    def elapsed_time(self, other):
        # As CUDA does: an error where the device hasn't passed both.
        assert self.query()
        assert other.query()
        return other.milliseconds - self.milliseconds


def test_a_device_s_time_is_read_once_the_device_has_passed():
    device = Device(0, 1000, 3000, 5000, 5500)
    device.reached = 1500
    marks = DeviceMarks(device.event)
    marks.mark("head")
    marks.mark("encoder")
    marks.mark(None)
    assert marks.seconds() == {"head": 1.0}
    device.reached = 10_000
    marks.mark("head")
    marks.mark(None)
    assert marks.seconds() == {"head": 1.5, "encoder": 2.0}
    assert len(marks._marks) == 1  # what was read is not kept
