"""What a difference between scores is worth: resampling of documents and seeds, and tests on it."""
