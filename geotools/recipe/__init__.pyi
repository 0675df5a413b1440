from .execution import export, run
from .ground_runs import run_checkpointed
from .model import Recipe

__all__ = ["Recipe", "export", "run", "run_checkpointed"]
