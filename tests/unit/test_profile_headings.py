"""The columns that a drafted profile picks of exports as ERP systems name them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from connectors.files.draft import draft_profile
from connectors.files.dry_run import preview_files
from connectors.files.sender import plan_files

EXPORTS = {
    "a list of material documents": (
        "Material\tPlnt\tSLoc\tMvT\tMat. Doc.\tItem\tPstng Date\tQty in Un. of Entry\tEUn\tAmount in LC\n"
        "M-1\t10\tA1\t101\t49001\t1\t02.03.2026\t7\tPC\t70,00\n"
        "M-1\t10\tA1\t261\t49001\t2\t13.03.2026\t3-\tPC\t30,00-\n",
        ("{Mat. Doc.}-{Item}", "Material", "SLoc", "Qty in Un. of Entry", "EUn", "stock.adjusted"),
    ),
    "a list of stock in German": (
        "Material;Werk;Lagerort;Materialkurztext;Basismengeneinheit;Wert Frei verwendbar;Transit;"
        "Frei verwendbar;Gesperrt\n"
        "1001;10;A1;Rohr;ST;90,00;5;12;0\n1002;10;A2;Band;ST;80,00;0;40;1\n",
        ("{Material}-{Lagerort}-{time}", "Material", "Lagerort", "Frei verwendbar", "Basismengeneinheit",
         "stock.counted"),
    ),
    "a ledger of items": (
        "Posting Date,Entry Type,Document Type,Document No.,Item No.,Location Code,Remaining Quantity,"
        "Quantity,Entry No.\n"
        "2026-03-02,Purchase,Purchase Receipt,R1,I-1,EAST,4,9,71\n2026-03-03,Negative Adjmt.,,T1,I-1,EAST,0,-5,72\n",
        ("{Entry No.}", "Item No.", "Location Code", "Quantity", None, "stock.adjusted"),
    ),
    "stock on hand by site": (
        "Item number,Product name,Site,Warehouse,Physical inventory,Ordered in total\n"
        "I-1,Pipe,1,W1,30,2\nI-2,Tape,1,W2,4,0\n",
        ("{Item number}-{Warehouse}-{time}", "Item number", "Warehouse", "Physical inventory", None, "stock.counted"),
    ),
    "moves of lots": (
        "Date,Reference,Product,Lot/Serial Number,Quantity,Unit of Measure\n"
        "2026-03-02 10:15:22,WH/OUT/1,P-1,,2.00,Units\n2026-03-02 11:15:22,WH/OUT/1,P-2,L-1,1.00,Units\n",
        ("{Reference}-{row}", "Product", "MAIN", "Quantity", "Unit of Measure", "stock.adjusted"),
    ),
    "quantities by technical names": (
        "id,product_id/default_code,product_id/name,location_id/complete_name,quantity,reserved_quantity\n"
        "q1,P-1,Chair,WH/Stock,18.0,2.0\nq2,P-2,Lamp,WH/Stock,9.0,0.0\n",
        ("{product_id/default_code}-{location_id/complete_name}-{time}", "product_id/default_code",
         "location_id/complete_name", "quantity", None, "stock.counted"),
    ),
    "a list without a heading that is known": (
        "Ref;Einkaufspreis;Zahl\nA;1,50;7\nB;2,50;9\n", ("{Ref}-{time}", "Ref", "MAIN", "Zahl", None, "stock.counted")
    ),
}  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS)
def test_the_columns_are_those_that_the_headings_say(export: str, tmp_path: Path) -> None:
    content, expected = EXPORTS[export]
    path = tmp_path / "export.csv"
    path.write_text(content)
    drafted = tomllib.loads(draft_profile(str(path), "erp"))
    [rule] = drafted["rules"]
    place, qty = rule["data"]["location"], rule["data"]["qty"]
    found = (
        drafted["id"],
        rule["data"]["sku"]["column"],
        place if isinstance(place, str) else place["column"],
        qty["column"],
        qty.get("unit_column"),
        rule["type"],
    )
    assert found == expected


PRINTED = (
    "Dynamic List Display\n-----------------------------------------\n"
    "|Material|SLoc|Mat. Doc.|Pstng Date|   Quantity|\n|--------|----|---------|----------|-----------|\n"
    "|M-1     |A1  |49001    |02.03.2026|      1.000|\n|M-1     |A1  |49002    |13.03.2026|       250-|\n"
    "-----------------------------------------\n"
)


def test_a_printed_list_with_drawn_lines_and_points_between_thousands(tmp_path: Path) -> None:
    path, profile = tmp_path / "list.txt", tmp_path / "list.toml"
    path.write_text(PRINTED)
    profile.write_text(draft_profile(str(path), "erp"))
    (preview,) = preview_files(plan_files([str(path)], profile)).files
    assert (preview.events, preview.broken, preview.skipped.total()) == (2, 0, 2), preview.problems
    assert [(event["data"]["sku"], event["data"]["qty"]) for event in preview.first] == [("M-1", 1000), ("M-1", -250)]
