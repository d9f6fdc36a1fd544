"""Display objects as scikit-learn has them: figures as attributes, drawn by `plot`."""

from autoimb.displays.calibration import CalibrationDisplay
from autoimb.displays.precision_recall import PrecisionRecallDisplay
from autoimb.displays.strategies import StrategiesDisplay
from autoimb.displays.threshold import ThresholdDisplay

__all__ = ["CalibrationDisplay", "PrecisionRecallDisplay", "StrategiesDisplay", "ThresholdDisplay"]
