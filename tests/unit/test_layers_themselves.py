"""The rules of the layers against code that breaks each of them, and code that only looks so."""

from __future__ import annotations

import ast

import pytest

from tests.unit.test_layers import (
    RULES,
    Module,
    Rule,
    imports_go_downwards,
    libraries_have_one_door,
    pure_layers_import_no_io,
    pure_layers_iterate_in_a_fixed_order,
    pure_layers_neither_wait_nor_look_outside,
    quantities_are_whole,
)

FORBIDDEN: list[tuple[Rule, str, str]] = [
    (imports_go_downwards, "engine.core.events", "from tables import stock"),
    (imports_go_downwards, "engine.core.events", "import agents.stock"),
    (imports_go_downwards, "engine.core", "from engine.runtime import loop"),
    (imports_go_downwards, "engine", "from engine.core import events"),
    (imports_go_downwards, "tables.stock", "from agents.stock import apply"),
    (imports_go_downwards, "tables.stock", "from tables import stores"),
    (imports_go_downwards, "tables.stock", "from tables.stores.memory import MemoryStore"),
    (imports_go_downwards, "tables.stock", "from .stores import memory"),
    (imports_go_downwards, "agents.stock", "def late():\n    from engine import bus"),
    (imports_go_downwards, "agents.stock", "from engine.telemetry import counted"),
    (imports_go_downwards, "agents.stock", "import importlib\nimportlib.import_module('engine.runtime.loop')"),
    (imports_go_downwards, "tables.stores.rocksdb", "from engine.bus.single import Bus"),
    (imports_go_downwards, "engine.bus.disk.bus", "from engine.runtime.fold import Fold"),
    (imports_go_downwards, "engine.runtime.fold", "from engine.web import server"),
    (imports_go_downwards, "engine.runtime.fold", "from engine.processes.single import build"),
    (imports_go_downwards, "engine.web.server", "from engine.processes.single import build"),
    (imports_go_downwards, "engine.web.server", "from connectors.files import csv"),
    (imports_go_downwards, "engine.runtime.fold", "from connectors.retail import invoices"),
    (imports_go_downwards, "connectors.files.csv", "from engine.runtime.fold import Fold"),
    (imports_go_downwards, "connectors.files.csv", "from engine.web.server import serve"),
    (imports_go_downwards, "connectors.files.csv", "from engine.bus.single import Bus"),
    (imports_go_downwards, "connectors.files.csv", "import tables.stock"),
    (imports_go_downwards, "connectors.files.csv", "import agents"),
    (libraries_have_one_door, "engine.runtime.fold", "import faust"),
    (libraries_have_one_door, "engine.bus.disk.bus", "from aiokafka import AIOKafkaProducer"),
    (libraries_have_one_door, "engine.bus.kafka_faust", "import rocksdict"),
    (libraries_have_one_door, "tables.stores.memory", "from rocksdict import Rdict"),
    (libraries_have_one_door, "engine.web.metrics", "import prometheus_client"),
    (libraries_have_one_door, "engine.runtime.fold", "from aiohttp import web"),
    (libraries_have_one_door, "engine.core.statistics", "import hypothesis"),
    (libraries_have_one_door, "engine.cli.demo", "from tests.auditor import model"),
    (pure_layers_import_no_io, "agents.stock", "import os"),
    (pure_layers_import_no_io, "agents.stock", "from pathlib import Path"),
    (pure_layers_import_no_io, "agents.stock", "import time"),
    (pure_layers_import_no_io, "agents.stock", "from random import random"),
    (pure_layers_import_no_io, "agents.stock", "import uuid"),
    (pure_layers_import_no_io, "tables.stock", "import asyncio, threading"),
    (pure_layers_import_no_io, "tables.stock", "import logging"),
    (pure_layers_import_no_io, "tables.stock", "import sqlite3"),
    (pure_layers_import_no_io, "engine.core.values", "import socket"),
    (pure_layers_import_no_io, "engine.core.values", "import pydantic_settings"),
    (pure_layers_import_no_io, "engine.core.values", "__import__('io')"),
    (pure_layers_neither_wait_nor_look_outside, "agents.stock", "async def apply(): ..."),
    (pure_layers_neither_wait_nor_look_outside, "agents.stock", "at = datetime.now(UTC)"),
    (pure_layers_neither_wait_nor_look_outside, "agents.stock", "day = datetime.date.today()"),
    (pure_layers_neither_wait_nor_look_outside, "agents.stock", "at = datetime.utcnow()"),
    (pure_layers_neither_wait_nor_look_outside, "tables.stock", "rows = open('rows').read()"),
    (pure_layers_neither_wait_nor_look_outside, "tables.stock", "key = hash('sku')"),
    (pure_layers_neither_wait_nor_look_outside, "tables.stock", "def f():\n    global rows\n    rows = 1"),
    (pure_layers_iterate_in_a_fixed_order, "agents.stock", "for sku in set(skus):\n    apply(sku)"),
    (pure_layers_iterate_in_a_fixed_order, "agents.stock", "ids = [x for x in {a for a in b}]"),
    (quantities_are_whole, "agents.stock", "qty = 1.5"),
    (quantities_are_whole, "agents.stock", "share = qty / 2"),
    (quantities_are_whole, "agents.stock", "qty /= 2"),
    (quantities_are_whole, "agents.stock", "qty = float(text)"),
    (quantities_are_whole, "agents.stock", "import math\nqty = math.sqrt(qty)"),
    (quantities_are_whole, "agents.stock", "from math import floor"),
    (quantities_are_whole, "agents.stock", "from statistics import mean"),
]


LAWFUL: list[tuple[str, str]] = [
    ("engine.core.events", "import msgspec\nfrom engine.core.values import moment\nfrom engine import __version__"),
    ("engine.core.statistics", "import math\nz = math.sqrt(2.0) / 3"),
    ("tables.stock", "from engine.core import values\nfrom tables import keys"),
    (
        "agents.stock",
        "from tables.stock import StockRow\nhalf = qty // 2\nfor sku in sorted(set(skus)):\n    apply(sku)",
    ),
    ("agents.stock", "import math\nfrom math import isqrt\nqty = math.gcd(2, 4)\nrow = rows.open_lines()"),
    ("tables.stores.rocksdb", "import os\nfrom rocksdict import Rdict\nfrom tables.stock import StockRow\nrate = 0.5"),
    ("engine.bus.disk.log", "import rocksdict\nfrom tables.stores import rocksdb"),
    (
        "engine.bus.kafka.worker.transport",
        "import faust\nfrom aiokafka import AIOKafkaProducer\nfrom engine import telemetry",
    ),
    (
        "engine.runtime.fold",
        "import time\nfrom engine.bus.single import Bus\nfrom agents import order\nat = time.time()",
    ),
    ("engine.web.server", "from aiohttp import web\nfrom engine.runtime import task\nasync def serve(): ..."),
    ("engine.telemetry.catalogue", "import prometheus_client"),
    (
        "engine.cli.main",
        "from connectors.retail import demo\nfrom engine.processes.single import build\nimport engine.web",
    ),
    (
        "connectors.files.csv",
        "import aiohttp\nfrom engine.core.events import encode\nimport connectors.files",
    ),
    (
        "connectors.kafka_source.foreign_partition",
        "from aiokafka import AIOKafkaConsumer\nfrom engine.kafka.connection import Connection",
    ),
]


@pytest.mark.parametrize(("rule", "name", "source"), FORBIDDEN)
def test_each_rule_reports_an_offence(rule: Rule, name: str, source: str) -> None:
    assert list(rule(Module(name, ast.parse(source))))


@pytest.mark.parametrize(("name", "source"), LAWFUL)
def test_no_rule_reports_what_is_lawful(name: str, source: str) -> None:
    module = Module(name, ast.parse(source))
    assert not [offence for rule in RULES for offence in rule(module)]
