"""Signatures of webhooks: what they cover, as the document says."""

import pytest

from connectors.webhook.signing import Message, NotSigned, Verifier


def test_a_signature_is_that_of_the_document() -> None:
    verifier = Verifier({"k1": "secret"}, 300)
    message = Message({"id": "1"}, b"{}")
    header = message.signature(1767225600, "k1", "secret")
    # Made by hand: HMAC-SHA256 of `1767225600.k1.ce-id:1`, a line feed, an empty line, and the body.
    assert header == "t=1767225600,key=k1,v1=c1efc23841b7fef9dcab8c31b3eb6a4258d8bf5d0a9c746d9e927d684f6b4a18"
    verifier.check(header, message, 1767225700)
    for other in (Message({"id": "2"}, b"{}"), Message({}, b"{}"), Message({"id": "1"}, b"{} ")):
        with pytest.raises(NotSigned):
            verifier.check(header, other, 1767225700)
