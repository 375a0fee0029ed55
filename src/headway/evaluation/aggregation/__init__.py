"""From the windows of a document to the document, one class a file."""

from headway.evaluation.aggregation.aggregation import Aggregation
from headway.evaluation.aggregation.majority_vote import MajorityVote
from headway.evaluation.aggregation.max_logits import MaxLogits
from headway.evaluation.aggregation.mean_logits import MeanLogits
from headway.evaluation.aggregation.mean_probabilities import MeanProbabilities
from headway.evaluation.aggregation.top_k_mean import TopKMean
from headway.evaluation.aggregation.word_farthest import WordFarthest

__all__ = [
    "Aggregation",
    "MajorityVote",
    "MaxLogits",
    "MeanLogits",
    "MeanProbabilities",
    "TopKMean",
    "WordFarthest",
]
