"""The harness: tasks, systems, metrics, statistics, results."""
