"""The auditor's own checks explain themselves as tests' do."""

import pytest

pytest.register_assert_rewrite("tests.simulation.world", "tests.auditor.adapter")
