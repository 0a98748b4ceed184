"""What codes of X12 and EDIFACT mean where a partner's profile does not say otherwise."""

from typing import Final, Literal

Purpose = Literal["original", "change", "replace", "cancel"]
LineStatus = Literal["accepted", "changed", "backordered", "rejected", "pending", "partial"]
StockKind = Literal["on_hand", "available", "held", "on_order", "none"]
Condition = Literal["good", "held", "damaged", "none"]
OrderChange = Literal["set", "cancel", "none"]

X12_PURPOSES: Final[dict[str, Purpose]] = {
    "00": "original", "01": "cancel", "02": "change", "03": "cancel", "04": "change", "05": "replace", "06": "original",
    "07": "original", "08": "original", "11": "original", "14": "original", "15": "original", "16": "original",
    "17": "cancel", "18": "original", "19": "change", "20": "replace", "22": "original", "26": "change",
    "49": "original", "54": "original",
}  # fmt: skip
"""Element 353. A duplicate, a copy and a re-issue are the original again: they have its event ids."""

EDIFACT_PURPOSES: Final[dict[str, Purpose]] = {
    "1": "cancel", "2": "change", "3": "cancel", "4": "change", "5": "replace", "6": "original", "7": "original",
    "8": "original", "9": "original", "11": "original", "17": "cancel", "18": "original", "19": "change",
    "21": "replace", "22": "original", "27": "original", "28": "original", "29": "original", "30": "original",
    "31": "original", "33": "change", "34": "original", "35": "original", "36": "change", "42": "original",
    "43": "original", "44": "original", "45": "original", "46": "original", "47": "original", "50": "cancel",
}  # fmt: skip
"""Element 1225."""

WAREHOUSE_ORDER_PURPOSES: Final[dict[str, Purpose]] = {
    "N": "original", "B": "original", "S": "original", "T": "original", "F": "cancel", "D": "cancel", "R": "replace",
    "L": "change",
}  # fmt: skip
"""Element 473, of W05."""

LINE_STATUSES: Final[dict[str, LineStatus]] = {
    "AA": "accepted", "AC": "accepted", "AR": "accepted", "IA": "accepted", "IE": "accepted", "IP": "accepted",
    "SP": "accepted", "DR": "changed", "IC": "changed", "IQ": "changed", "IS": "changed", "IB": "backordered",
    "BP": "partial", "ID": "rejected", "IR": "rejected", "IF": "pending", "IH": "pending", "IW": "pending",
    **{f"R{number}": "rejected" for number in range(1, 10)},
}  # fmt: skip
"""Element 668, of ACK. A partial one is accepted as far as it says, and backordered for the rest of the line."""

ORDER_STATUSES: Final[dict[str, LineStatus]] = {"RD": "rejected", "RF": "rejected", "RJ": "rejected", "AH": "pending"}
"""Element 587, of BAK, for lines that have no ACK of their own; every other one accepts them."""

LINE_ACTIONS: Final[dict[str, LineStatus]] = {
    "1": "accepted", "2": "rejected", "3": "changed", "4": "accepted", "5": "accepted", "6": "changed", "7": "rejected",
    "10": "rejected", "11": "accepted", "24": "changed",
}  # fmt: skip
"""Element 1229, of LIN in an ORDRSP."""

WHOLE_ANSWERS: Final[dict[str, LineStatus]] = {"27": "rejected", "RE": "rejected", "AJ": "pending"}
"""Elements 1225 and 4343, of BGM in an ORDRSP, for lines that have no action of their own."""

ORDER_CHANGES: Final[dict[str, OrderChange]] = {
    "DI": "cancel", "CF": "cancel", "2": "cancel", "7": "cancel", "NC": "none", "4": "none",
}  # fmt: skip
"""Elements 670 of POC and 1229 of LIN: what a customer changes; every other one sets the line's quantity."""

STOCK: Final[dict[str, StockKind]] = {
    "01": "on_hand", "1": "on_hand", "17": "on_hand", "26": "on_hand", "145": "on_hand", "QE": "on_hand",
    "33": "available", "34": "available", "QA": "available",
    "20": "held", "74": "held", "QH": "held",
    "63": "on_order", "QP": "on_order", "21": "on_order",
}  # fmt: skip
"""Elements 673 and 6063 in an 846 or INVRPT; every other quantity says nothing of the balance."""

CONDITIONS: Final[dict[str, Condition]] = {
    "01": "damaged", "10": "damaged", "02": "none", "11": "none", "12": "none", "16": "none", "03": "good",
    "07": "good", "04": "held", "05": "held", "06": "held", "08": "held", "09": "held", "13": "held", "14": "held",
}  # fmt: skip
"""Element 412, of RCD and W13: what of the goods in question has come, and in which condition."""

RECEIVED: Final[dict[str, Condition]] = {
    "48": "good", "194": "good", "195": "held", "196": "damaged", "124": "damaged", "119": "none",
}  # fmt: skip
"""Element 6063, of QTY in a RECADV."""

RETURNS: Final = frozenset({"BN", "RB", "RP", "RU"})
OTHER_TRANSFERS: Final[dict[str, str]] = {
    "DS": "a drop shipment", "IA": "an adjustment", "IB": "a transfer between branches", "RA": "an order applied anew",
    "RC": "a receipt", "RV": "a return to the vendor", "SA": "an adjustment", "SC": "scrap", "SU": "a summary",
    "TD": "a disposal",
}  # fmt: skip
"""Element 521, of PTD: what comes back, and what is told by other documents; all else is as QTY01 says."""

BUCKET_DAYS: Final[dict[str, int]] = {
    "": 1, "B": 1, "C": 1, "D": 1, "E": 1, "G": 10, "J": 1, "T": 28, "W": 7, "Y": 1,
}  # fmt: skip
BUCKET_MONTHS: Final[dict[str, int]] = {"M": 1, "Q": 3, "S": 6, "A": 12}
"""Elements 681, of FST, and 2013, of SCC: days, and calendar months; `F` says its end itself."""

UNITS: Final[dict[str, str | int]] = {"EA": 1, "PCE": 1, "PC": 1, "PCS": 1, "C62": 1, "H87": 1, "UN": 1, "": 1}
"""Codes of single pieces: a quantity in them, and one without a unit, is in the item's base unit."""

ITEMS_OF_BUYERS: Final = (
    "IN", "BP", "CB", "SK", "PI", "UP", "UK", "EN", "UA", "UI", "UX", "SRV", "SRS", "IB", "N4", "",
    "VP", "VN", "SA", "MG", "MF", "MP", "VC", "VA", "PN",
)  # fmt: skip
ITEMS_OF_SELLERS: Final = (
    "VP", "VN", "SA", "UP", "UK", "EN", "UA", "UI", "UX", "SRV", "SRS", "IB", "N4", "",
    "IN", "BP", "CB", "SK", "PI", "MG", "MF", "MP", "VC", "VA", "PN",
)  # fmt: skip
"""Qualifiers of item numbers, the best first: our own number, then a GTIN, then the other side's.

A style or catalogue number (VA, VC) comes last, as it names all sizes and colours alike.
"""

DUE_DATES: Final = ("067", "67", "068", "069", "69", "017", "17", "002", "2", "106", "076", "76")
ETA_DATES: Final = ("017", "17", "132", "371", "067", "67", "069", "69", "002", "2")
"""Qualifiers of dates, the best first, of what is promised and of when a shipment arrives."""
