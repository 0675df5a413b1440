from .model import Recipe
from .execution import run

__all__ = ["Recipe", "run"]
