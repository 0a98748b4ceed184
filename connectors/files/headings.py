"""What the headings of an export say: which column holds the article, the quantity and so on, in several languages."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from connectors.files.look import Column

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "sku": (
        "sku", "article", "artikel", "material", "item", "stockcode", "itemcode", "product", "part", "ean", "gtin",
        "référence", "artículo", "articolo", "name",
    ),
    "qty": (
        "qty", "quantity", "menge", "anzahl", "quantité", "cantidad", "quantità", "aantal", "unrestricted",
        "frei verwendbar", "physical inventory", "on hand", "bestand", "in stock", "stock", "available", "pieces",
        "count",
    ),
    "unit": (
        "unit", "uom", "einheit", "mengeneinheit", "me", "eun", "bun", "erfassungsmengeneinh", "unité", "eenheid",
        "unit of measure",
    ),
    "location": (
        "storage location", "lagerort", "location", "warehouse", "lager", "sloc", "lgort", "site", "depot", "store",
        "filiale", "entrepôt", "magasin", "almacén", "magazzino", "magazijn", "plant", "werk", "plnt",
    ),
    "document": (
        "entry no.", "lfd. nr.", "document", "doc", "beleg", "invoice", "voucher", "lieferschein", "reference", "order",
        "auftrag", "number", "id",
    ),
    "position": ("position", "pos", "line", "zeile", "row", "item"),
    "kind": (
        "entry type", "postenart", "bewegungsart", "movement type", "mvt", "transaction type", "kind", "type",
        "movement", "art", "code", "transaction",
    ),
}  # fmt: skip
"""Words of each kind of column, the best first."""

_MONEY: Final = ("price", "preis", "prix", "cost", "kosten", "value", "wert", "amount", "betrag", "currency")
_OTHERWISE: Final[dict[str, tuple[str, ...]]] = {
    "sku": (
        "descr", "beschreib", "bezeich", "text", "name", "title", "group", "gruppe", "categor", "type", "qty",
        "quantity", "menge", "count", "beleg", "doc", "order", *_MONEY,
    ),
    "qty": (
        "transit", "reserved", "allocated", "committed", "order", "remaining", "restmenge", "invoiced", "fakturiert",
        "unsellable", "quality", "blocked", "gesperrt", *_MONEY,
    ),
    "unit": _MONEY,
    "location": ("descr", "bezeich", "name", "type"),
    "document": (
        "type", "typ", "belegart", "dat", "total", "serial", "lot", "charge", "status", "descr", "qty", "quantity",
        "menge", "ordered", "customer", "kunde", "vendor", "supplier", "lieferant", *_MONEY,
    ),
    "position": ("descr", "text", *_MONEY),
    "kind": ("document type", "belegart", "dat", "product", "item", "location", *_MONEY),
}  # fmt: skip
"""Parts of a heading that say it is something else; such a column is taken where there is no better one."""
_ONLY_SURE: Final = ("document", "position", "kind")
"""Of these no column is better than a wrong one."""

Fits = Callable[[Column], bool]


def named(columns: Sequence[Column], what: str, fits: Fits) -> Column | None:
    """The column whose heading says `what` best: as a whole, as a word of its own, then as a part of one."""
    sure = [each for each in columns if fits(each) and not says_otherwise(each, what)]
    return _best(sure, what) or (None if what in _ONLY_SURE else _best([each for each in columns if fits(each)], what))


def says_otherwise(column: Column, what: str) -> bool:
    """Whether a heading says that a column is something else."""
    return any(part in column.name.lower() for part in _OTHERWISE[what])


def _best(columns: Sequence[Column], what: str) -> Column | None:
    for test in (_is_whole, _is_word, _is_part):
        for word in WORDS[what]:
            if (found := next((each for each in columns if test(word, each.name.lower())), None)) is not None:
                return found
    return None


def _is_whole(word: str, name: str) -> bool:
    return word == name.strip()


def _is_word(word: str, name: str) -> bool:
    return word in re.split(r"[^\w]|_", name)


def _is_part(word: str, name: str) -> bool:
    return len(word) > 3 and word in name
