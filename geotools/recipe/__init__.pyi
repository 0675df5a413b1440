from .execution import export, run
from .model import Recipe

__all__ = ["Recipe", "export", "run"]
