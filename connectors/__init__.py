"""Connectors translate the records of other systems into the contract's CloudEvents and deliver them to the engine.

`base` says what a source and a sink must do. Files are posted over HTTP (`client`), topics of other teams are written
to the Kafka log (`kafka_source`). Of the engine a connector imports only `engine.core` and `engine.kafka`.
"""
