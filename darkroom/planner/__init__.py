"""Request -> plan: everything decided once, by rules without clock, dice or disk of their own."""

from darkroom.planner.again import plan_again
from darkroom.planner.labels import Labels
from darkroom.planner.planning import plan, random_seed
from darkroom.planner.preprocessing import plan_preprocess
from darkroom.planner.safety import guarded
from darkroom.planner.sizes import pixel_budget

__all__ = ["Labels", "guarded", "pixel_budget", "plan", "plan_again", "plan_preprocess", "random_seed"]
