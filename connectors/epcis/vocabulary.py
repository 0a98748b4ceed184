"""The words of the Core Business Vocabulary, in each of the forms in which they are written.

    shipping
    cbv:BizStep-shipping
    urn:epcglobal:cbv:bizstep:shipping
    https://ref.gs1.org/cbv/BizStep-shipping

are one business step. What is no word of the standard, such as `http://epcis.example.org/bizstep/x`, stays as it is.
"""

import re
from dataclasses import dataclass
from typing import Final

CBV: Final = "https://ref.gs1.org/cbv/"


@dataclass(frozen=True)
class Vocabulary:
    """One list of words: its name in web URIs and in URNs."""

    web: str
    urn: str

    def short(self, word: str) -> str:
        """The bare word of any form; what has no form of the standard is returned as it is."""
        for prefix in self._prefixes():
            if word.startswith(prefix):
                return word[len(prefix) :]
        return word

    def full(self, word: str) -> str:
        """The web URI of a word in any form; what is no word of the standard is returned as it is."""
        bare = self.short(word)
        return bare if ":" in bare else f"{CBV}{self.web}-{bare}"

    def _prefixes(self) -> tuple[str, ...]:
        return (
            f"{CBV}{self.web}-",
            f"cbv:{self.web}-",
            f"urn:epcglobal:cbv:{self.urn}:",
            f"https://ns.gs1.org/voc/{self.web}-",
            f"https://ns.gs1.org/cbv/{self.web}-",
        )


BIZ_STEP: Final = Vocabulary("BizStep", "bizstep")
DISPOSITION: Final = Vocabulary("Disp", "disp")
BIZ_TRANSACTION: Final = Vocabulary("BTT", "btt")
SOURCE_DEST: Final = Vocabulary("SDT", "sdt")
ERROR_REASON: Final = Vocabulary("ER", "er")

_CBV_DOCUMENT = re.compile(r"urn:epcglobal:cbv:bt:[0-9]+:(.+)\Z", re.DOTALL)
_GDTI = re.compile(r"urn:epc:id:gdti:[0-9]+\.[0-9]*\.(.+)\Z", re.DOTALL)
_GDTI_LINK = re.compile(r"https?://.*/253/[0-9]{13}([^/?#]+)\Z", re.DOTALL)
_LAST_PART = re.compile(r".*[/:]([^/:]+)/?\Z", re.DOTALL)


def document_number(identifier: str) -> str:
    """The number of a business transaction as our own systems write it.

    It is the part after the GLN in a CBV URN, the serial of a GDTI, and the last part of any other URI.
    """
    for form in (_CBV_DOCUMENT, _GDTI, _GDTI_LINK, _LAST_PART):
        if found := form.match(identifier):
            return found[1]
    return identifier
