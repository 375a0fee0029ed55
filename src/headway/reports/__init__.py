"""What finished runs come to together: the leaderboard, the page, and what changed between two runs."""
