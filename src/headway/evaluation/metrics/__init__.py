"""What a prediction is worth, one kind of task a file."""

from headway.evaluation.metrics.classification import Classification
from headway.evaluation.metrics.entities import Entities
from headway.evaluation.metrics.metrics import Direction, Metrics
from headway.evaluation.metrics.multilabel import Multilabel
from headway.evaluation.metrics.regression import Regression
from headway.evaluation.metrics.words import Words

__all__ = ["Classification", "Direction", "Entities", "Metrics", "Multilabel", "Regression", "Words"]
