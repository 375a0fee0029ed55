"""The parts of `experiments/benchmarks/speed.py`: each measures one thing and writes its lines."""
