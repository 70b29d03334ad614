"""Everything that can be benchmarked, behind one protocol."""
