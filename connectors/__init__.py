"""Connectors: the outside world, translated into the contract's CloudEvents and back.

They speak to the engine over HTTP only (`connectors.client`); from the engine they import nothing but its errors.
"""
