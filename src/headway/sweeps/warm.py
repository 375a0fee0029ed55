"""What the template process imports before it forks trials. It starts no thread: those don't survive a fork."""

from __future__ import annotations

import headway.data.datamodule
import headway.data.text_data
import headway.models.backbone
import headway.models.module
import headway.run
import headway.sweeps.child
import headway.tracking.checkpoints  # noqa: F401
