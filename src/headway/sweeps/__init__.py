"""Many runs of one command: grids and searches, resumed where they stopped, each trial in its own process."""
