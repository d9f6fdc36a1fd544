"""What a fit leaves in MLflow: a parent run, a child for each trial, and the model."""

from autoimb.tracking.tracker import Tracker, default_tracking_uri, open_tracker

__all__ = ["Tracker", "default_tracking_uri", "open_tracker"]
