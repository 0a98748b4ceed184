"""Reads the remarks that the wholesaler's staff wrote in place of a product's name: the reasons of adjustments."""

_REASONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "damaged",
        ("damage", "dagamed", "wet", "smash", "crush", "crack", "broken", "breakage", "rust", "mould", "faulty"),
    ),
    ("scrapped", ("thrown", "throw", "destroy", "unsaleable", "can't sell", "incorrectly made")),
    ("sold_under_other_code", ("sold", "dotcom", "amazon", "ebay", "fba", "website", "online", "john lewis")),
    ("wrong_code", ("wrong", "barcode", "code", "mix", "marked", "label")),
    ("found", ("found", "put aside", "rcvd", "cargo")),
    ("lost", ("missing", "lost", "can't find", "mia", "mystery")),
    ("given_away", ("given away", "sample", "showroom", "display", "mailout", "show")),
    ("returned", ("returned", "credit")),
    ("counted", ("check", "counted", "difference")),
    ("correction", ("adjust", "reverse", "incorrect", "oops", "error", "manual", "test", "fix", "allocate")),
)
"""The reasons, each with the words that tell it; the first reason with a word in the remark applies."""

_WORDS = tuple(word for _, words in _REASONS for word in words)
_NOT_IN_NAMES = frozenset({"CHECK", "AMAZON", "MIA", "DAMAGED", "FOUND", "FBA", "WET/MOULDY", "DOTCOM POSTAGE"})


def is_remark(description: str) -> bool:
    """Whether a description is a remark: product names are written in capitals, remarks are not."""
    text = description.strip()
    letters = [letter for letter in text if letter.isalpha()]
    if not letters or text in _NOT_IN_NAMES:
        return True
    capitals = sum(letter.isupper() for letter in letters)
    return capitals < len(letters) / 2


def reason_of(description: str, qty: int) -> str:
    """The reason of an adjustment by `qty` units, as one word; `found` or `unexplained` if no word tells it."""
    text = description.strip().lower()
    for reason, words in _REASONS:
        if any(word in text for word in words):
            return reason
    return "found" if qty > 0 else "unexplained"
