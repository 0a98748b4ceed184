"""Mutants of the pure layer: each small change of the code must break a rule of `tests/unit/rules`.

A library that rewrites files and starts a test process for each mutant takes hours here. This tool swaps the code of
the function in a forked process and checks only the rules that call it.
"""
