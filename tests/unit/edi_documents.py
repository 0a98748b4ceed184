"""What the tests of EDI share: profiles, the public samples where a machine has them, and events as plain rows."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

from connectors.edi import PartnerProfile, read
from connectors.edi.profile import Role
from connectors.files.readers import Item

ROOT = Path(__file__).parents[2]
SAMPLES = next(
    (found for above in ROOT.parents[:2] if (found := above / "shared" / "data" / "edi").is_dir()),
    ROOT.parent / "shared" / "data" / "edi",
)
"""Beside the project; a worktree of it lies one folder deeper."""
OWN = Path(__file__).parents[1] / "data" / "edi"


def profile(we_are: Role = "buyer", **keys: Any) -> PartnerProfile:
    """A profile of a partner who uses our names."""
    return PartnerProfile(**{"source": "edi/acme", "partner": "acme", "we_are": we_are, "location": "HERE", **keys})


def samples() -> list[str]:
    """The names of the public samples; none where they are not beside the project."""
    return sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*")) if SAMPLES.is_dir() else []


def content(name: str) -> bytes:
    """The bytes of a public sample."""
    data = (SAMPLES / name).read_bytes()
    return lzma.decompress(data) if name.endswith(".xz") else data


def events(items: list[Item]) -> list[dict[str, Any]]:
    """The events of items, decoded."""
    return [json.loads(event) for item in items for event in item.events]


def problems(items: list[Item]) -> list[str]:
    """What the items say is wrong."""
    return [item.problem for item in items if item.problem is not None]


def row(event: dict[str, Any]) -> list[str]:
    """An event as type, document, line, item, quantity, unit and date, in words."""
    data = event["data"]
    document = next(
        (data[name] for name in ("shipment", "receipt", "reservation", "order", "version") if name in data), ""
    )
    if event["type"] == "goods.received":
        document = data["receipt"]
    return [
        event["type"], str(document), str(data.get("line", "")), data["sku"], _quantity(data), data.get("uom", ""),
        str(data.get("eta") or event["time"][:10]),
    ]  # fmt: skip


def _quantity(data: dict[str, Any]) -> str:
    """The quantity of an event; of a schedule or a forecast each part with its date."""
    if "schedule" in data:
        return " ".join(f"{part['status']}:{part['qty']}@{part.get('due', '')}" for part in data["schedule"])
    if "buckets" in data:
        return " ".join(f"{bucket['qty']}@{bucket['start']}+{bucket['days']}" for bucket in data["buckets"])
    if "on_hand" in data:
        return "/".join(str(data[name]) for name in ("on_hand", "held", "on_order") if name in data)
    parts = [str(data.get("qty", "all"))] + [f"{name}:{data[name]}" for name in ("held", "damaged") if name in data]
    return " ".join(parts)


def rows(name: str, we_are: Role) -> list[list[str]]:
    """The events of a public sample as rows."""
    return [row(event) for event in events(read(content(name), profile(we_are)))]
