"""Files to texts, texts to token ids, ids to batches; a corpus may be larger than the memory."""

from rnncli.data.batching import Batch, Items, Streams, Windows
from rnncli.data.encoded_file import Encoded, read_encoded, write_encoded
from rnncli.data.example_batches import Bucketed, ExampleBatch, batch_of, for_answers, padded
from rnncli.data.files import PIECE, Source, find_sources
from rnncli.data.labelled import Examples
from rnncli.data.numbering import Numbering
from rnncli.data.paired import BucketedPairs, PairBatch, Pairs, Side, pair_batch
from rnncli.data.readers import Text, lines, read_text
from rnncli.data.sequences import NOTHING, Flat, Sequences
from rnncli.data.splitting import Splits, split_items, split_stratified, split_text
from rnncli.data.texts import GrowingTexts, Texts
from rnncli.data.tokenizers import TOKENIZERS, Decoder, Tokenizer, TokenizerSpec, recut, units
from rnncli.data.vocabulary import Ids, Vocabulary

__all__ = [
    "NOTHING",
    "PIECE",
    "TOKENIZERS",
    "Batch",
    "Bucketed",
    "BucketedPairs",
    "Decoder",
    "Encoded",
    "ExampleBatch",
    "Examples",
    "Flat",
    "GrowingTexts",
    "Ids",
    "Items",
    "Numbering",
    "PairBatch",
    "Pairs",
    "Sequences",
    "Side",
    "Source",
    "Splits",
    "Streams",
    "Text",
    "Texts",
    "Tokenizer",
    "TokenizerSpec",
    "Vocabulary",
    "Windows",
    "batch_of",
    "find_sources",
    "for_answers",
    "lines",
    "padded",
    "pair_batch",
    "read_encoded",
    "read_text",
    "recut",
    "split_items",
    "split_stratified",
    "split_text",
    "units",
    "write_encoded",
]
