"""The worker: claims jobs, runs one attempt at each, beats, drains. It alone decides about time."""
