"""Request -> plan: everything decided once, by rules without clock, dice or disk of their own."""

from darkroom.planner.planning import plan, random_seed
from darkroom.planner.sizes import pixel_budget

__all__ = ["pixel_budget", "plan", "random_seed"]
