"""From a file or a frame to numbers a search can share between processes."""
