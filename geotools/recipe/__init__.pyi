from .execution import run
from .model import Recipe

__all__ = ["Recipe", "run"]
