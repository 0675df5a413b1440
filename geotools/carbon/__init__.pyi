from .ledger import Ledger
from .published import published_terms
from .term import COLUMNS, Term

__all__ = ["COLUMNS", "Ledger", "Term", "published_terms"]
