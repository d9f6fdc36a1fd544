"""What can be built: search spaces, configurations, encodings and pipelines."""
