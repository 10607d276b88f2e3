"""A tokenizer as plain data for a page, whose scripts encode and decode as it does."""

from typing import Any

from seqgen.errors import InputError
from seqgen.symbols import SYMBOLS
from seqgen.text.backward import BackwardTokenizer
from seqgen.text.subwords import SPACE, SubwordTokenizer
from seqgen.text.tokenizer import KINDS, Tokenizer, tokenizer_data

BYTES = range(len(SYMBOLS), len(SYMBOLS) + 256)
PROBE = " a  \ufb01 b"  # which other rules of normalization change


def web_tokenizer(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return a tokenizer as plain data: subwords as pieces with their scores, instead of sentencepiece's own format.

    Raises:
        InputError: it is of another kind than seqgen's, or backward, or its subwords were learned with other settings.
    """
    if tokenizer.kind not in KINDS:
        raise InputError(f"a page's tokenizer must be one of {', '.join(KINDS)}, not {tokenizer.kind!r}")
    if isinstance(tokenizer, BackwardTokenizer):
        raise InputError("a page's model must read texts forward, but this one reads them from their end")
    return _subwords(tokenizer) if isinstance(tokenizer, SubwordTokenizer) else tokenizer_data(tokenizer)


def _subwords(tokenizer: SubwordTokenizer) -> dict[str, Any]:
    processor, numbers = tokenizer.processor, range(BYTES.stop, tokenizer.vocab_size)
    usual = all(map(processor.is_byte, BYTES)) and not any(
        processor.is_byte(number) or processor.is_control(number) or processor.is_unused(number) for number in numbers
    )
    if not usual or processor.normalize(PROBE) != PROBE.replace(" ", SPACE):
        raise InputError(
            "a page's subwords must be learned with the settings of SubwordTokenizer.fit: no normalization, and a "
            "token for each byte, which these are not"
        )
    scores = list(map(processor.get_score, numbers))
    return {"kind": tokenizer.kind, "pieces": list(map(processor.id_to_piece, numbers)), "scores": scores}
