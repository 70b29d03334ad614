"""Raw video to Parquet shards of face crops and landmarks, and the store that reads them back."""
