"""Examples of properties that are the same whatever else is loaded."""

import pytest
from hypothesis.internal.constants_ast import Constants


def forget_loaded_modules(patch: pytest.MonkeyPatch) -> None:
    """Let Hypothesis draw nothing from the constants that it finds in the modules which are loaded.

    Else fixed examples are not: which tests ran before in the same process decides what is loaded, and a constant that
    is added anywhere in the engine shifts all of them. Where Hypothesis names the function in another way this fails.
    """
    patch.setattr("hypothesis.internal.conjecture.providers._get_local_constants", Constants)
