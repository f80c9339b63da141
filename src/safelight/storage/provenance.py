"""A file's own papers: which job made it, with which model, prompt, seed and parameters, and whether by AI.

They travel inside the file as one XMP packet, which PNG, WebP, JPEG and MP4 all carry, so a file that was copied
anywhere still leads back to its job. The packet also states the IPTC digital source type, which other programs
read: trained (AI) or plainly algorithmic. Pixels are never touched; `containers.py` and `film_papers.py` know the
file formats.
A packet that a provider put there is replaced: a file has one.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any

from safelight.storage.containers import JPEG_LIMIT_BYTES, TooLong, read_xmp, write_xmp
from safelight.storage.film_papers import append_xmp, read_film_xmp
from safelight.storage.sniffing import FILMS, HEAD_BYTES, sniffed

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype"
_NAMESPACE = "urn:safelight:provenance:1"
_MOST_DESCRIPTION_CHARS = 500
MOST_PICTURE_BYTES = 512 * 1024 * 1024
_PAPERS = re.compile(r"<safelight:provenance>([^<]*)</safelight:provenance>")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a file says about itself."""

    job_id: str
    model: str
    prompt: str
    ai_generated: bool
    seed: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    provider: str | None = None
    shortened: bool = False
    """The prompt or the parameters did not fit into a JPEG and were cut; the job has them in full."""

    @property
    def software(self) -> str:
        return "Safelight" if self.ai_generated else f"Safelight ({self.model}, not AI)"


def embed(data: bytes, mime: str, provenance: Provenance) -> bytes:
    """The same picture, pixel for pixel, with its papers. Raises UnreadableContainer if it is no such file.

    `mime` is one of `containers.FORMATS`; a JPEG has room for about 64 KB, so a longer prompt is cut there.
    """
    for candidate in (provenance, _shorter(provenance), _shortest(provenance)):
        try:
            return write_xmp(data, mime, _packet(candidate), software=provenance.software)
        except TooLong:
            continue
    raise TooLong(f"the papers of job {provenance.job_id} do not fit into {JPEG_LIMIT_BYTES} bytes")


def embed_in_film(file: IO[bytes], provenance: Provenance) -> None:
    """The same for an MP4 or QuickTime file, which is changed. Raises UnreadableFilm if it is no whole film."""
    append_xmp(file, _packet(provenance))


def read(data: bytes) -> Provenance | None:
    """The papers of a PNG, WebP or JPEG; None if it has none of ours, or is no such file."""
    return _in_packet(read_xmp(data))


def read_file(file: IO[bytes]) -> Provenance | None:
    """The same of an open file, which may also be a film of any size. A larger picture than any is not read."""
    file.seek(0)
    mime = sniffed(file.read(HEAD_BYTES))
    if mime in FILMS:
        return _in_packet(read_film_xmp(file))
    file.seek(0)
    return read(file.read(MOST_PICTURE_BYTES)) if mime else None


def _in_packet(packet: bytes | None) -> Provenance | None:
    found = _PAPERS.search(packet.decode("utf-8", "replace")) if packet else None
    if found is None:
        return None
    try:
        return _from_json(json.loads(html.unescape(found[1])))
    except (ValueError, TypeError, KeyError):  # damaged, or written by someone else
        return None


def _packet(provenance: Provenance) -> bytes:
    """XMP with our JSON as one plain property, and for other programs what they look for."""
    source = "trainedAlgorithmicMedia" if provenance.ai_generated else "algorithmicMedia"
    papers = json.dumps(_as_json(provenance), ensure_ascii=False, separators=(",", ":"))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' xmlns:safelight="{_NAMESPACE}">'
        f"<xmp:CreatorTool>{_xml(provenance.software)}</xmp:CreatorTool>"
        f"<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPES}/{source}</Iptc4xmpExt:DigitalSourceType>"
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
        f"{_xml(provenance.prompt[:_MOST_DESCRIPTION_CHARS])}</rdf:li></rdf:Alt></dc:description>"
        f"<safelight:provenance>{_xml(_only_xml_characters(papers))}</safelight:provenance>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _as_json(provenance: Provenance) -> dict[str, Any]:
    members = {name: getattr(provenance, name) for name in Provenance.__dataclass_fields__}
    members["params"] = dict(provenance.params)
    return {key: value for key, value in members.items() if key != "shortened" or value}


def _from_json(papers: Any) -> Provenance:
    known = {name: papers[name] for name in Provenance.__dataclass_fields__ if name in papers}
    provenance = Provenance(**known)
    if not isinstance(provenance.job_id, str) or not isinstance(provenance.params, dict):
        raise ValueError("not our papers")
    return provenance


def _only_xml_characters(text: str) -> str:
    """JSON may hold any character and XML may not: those become JSON escapes, which mean the same."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


_NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")


def _xml(text: str) -> str:
    """Escaped for an XML text node; characters that XML has no way to write become `?`."""
    return html.escape(_NOT_XML.sub("?", text), quote=False)


def _shorter(provenance: Provenance) -> Provenance:
    """A prompt that fits even if every character needs six bytes."""
    return replace(provenance, prompt=provenance.prompt[:8_000], shortened=True)


def _shortest(provenance: Provenance) -> Provenance:
    return replace(provenance, prompt=provenance.prompt[:500], params={}, shortened=True)
