"""A request for a control map -> its plan."""

from darkroom.catalog import Catalog
from darkroom.contract.preprocess import PreprocessAsked, PreprocessPlan
from darkroom.contract.safety import PlannedSafety, SafetyPolicy
from darkroom.contract.start import PictureRef

# Of device time, for lines and fairness; measured ones take from 0.01 (edges) to about 1 (a network on a CPU).
SECONDS_WITHOUT_WEIGHTS, SECONDS_WITH_WEIGHTS = 0.05, 1.0


def plan_preprocess(
    asked: PreprocessAsked, image: PictureRef, map_name: str, catalog: Catalog, demanded: SafetyPolicy
) -> PreprocessPlan:
    """Settle what makes the map. `demanded` is the policy for its tenant. Raises: PreprocessorUnavailable."""
    spec = catalog.preprocessors.spec(asked.type, "type")
    return PreprocessPlan(
        type=asked.type,
        preprocessor=spec.digest,
        image=image,
        resolution=asked.detect_resolution,
        map_name=map_name,
        priority="interactive",
        deadline_at=None,
        predicted_seconds=SECONDS_WITH_WEIGHTS if spec.files else SECONDS_WITHOUT_WEIGHTS,
        safety=PlannedSafety(**demanded.model_dump()),
    )
