"""Owns how bytes become records and records become bytes: -D, -K, -k, -H, -Z, -J, -f and the encodings, as a codec.

For example `-K :` makes a LineDecoder that reads "k:v" as key "k" and value "v". Contradictions are refused here.
"""

from __future__ import annotations

from kdg.errors import UsageError
from kdg.formats import Decoder, Encoder
from kdg.settings.options.reading import OutputFraming
from kdg.settings.options.sending import InputFraming


def decoder_of(framing: InputFraming, *, keep_partition: bool) -> Decoder:
    """What reads the input of `produce`. Raises UsageError."""
    from kdg.formats.template import parse_delimiter

    delimiter = parse_delimiter(framing.delimiter, "-D")
    headers = [_header(text) for text in framing.header or []] or None
    key = None if framing.key is None else framing.key.encode("utf-8", "surrogateescape")
    encodings = {"key_encoding": framing.key_encoding, "value_encoding": framing.value_encoding}
    if keep_partition and not framing.json:
        raise UsageError("--keep-partition needs -J: lines name no partition.", "Add -J, or use -p.")
    if framing.json:
        from kdg.formats.json import JsonDecoder

        if framing.key_delimiter is not None:
            raise UsageError("-K means nothing with -J: the key is a field of its own.", "Drop -K.")
        return JsonDecoder(delimiter, key=key, headers=headers, keep_partition=keep_partition, **encodings)
    from kdg.formats.lines import LineDecoder

    if key is not None and framing.key_delimiter is not None:
        raise UsageError("-k gives every record one key, and -K reads it from each line.", "Drop one of them.")
    key_delimiter = _key_delimiter(framing.key_delimiter)
    return LineDecoder(delimiter, key_delimiter, key=key, headers=headers, empty_is_null=framing.null, **encodings)


def encoder_of(framing: OutputFraming) -> Encoder:
    """What prints the records of `consume`. Raises UsageError."""
    from kdg.formats.template import parse_delimiter

    delimiter = parse_delimiter(framing.delimiter, "-D")
    null = b"NULL" if framing.null else b""
    encodings = {"key_encoding": framing.key_encoding, "value_encoding": framing.value_encoding}
    if framing.json and framing.format_ is not None:
        raise UsageError("-J and -f both say how a record is printed.", "Drop one of them.")
    if framing.json:
        from kdg.formats.json import JsonEncoder

        return JsonEncoder(delimiter, **encodings)
    if framing.format_ is not None:
        from kdg.formats.template import TemplateEncoder

        return TemplateEncoder(framing.format_, null=null, **encodings)
    from kdg.formats.lines import LineEncoder

    return LineEncoder(delimiter, _key_delimiter(framing.key_delimiter), null=null, **encodings)


def _key_delimiter(text: str | None) -> bytes | None:
    from kdg.formats.template import parse_delimiter

    return None if text is None else parse_delimiter(text, "-K")


def _header(text: str) -> tuple[str, bytes | None]:
    """`-H NAME=VALUE`, or `-H NAME` for a header without a value."""
    name, equals, value = text.partition("=")
    if not name:
        raise UsageError(f"-H {text!r} has no name.", "Write -H NAME=VALUE.")
    if not name.isascii() and name != name.encode(errors="replace").decode():
        raise UsageError(f"-H {text!r}: the name is not UTF-8, and the Kafka client cannot send it.", "Use UTF-8.")
    return name, value.encode("utf-8", "surrogateescape") if equals else None
