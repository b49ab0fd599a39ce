"""Files to texts, texts to token ids, ids to batches."""

from rnncli.data.batching import Batch, Items, Streams, Windows
from rnncli.data.readers import Corpus, lines, read_corpus
from rnncli.data.splitting import Splits, split_items, split_text
from rnncli.data.tokenizers import TOKENIZERS, Decoder, Tokenizer, TokenizerSpec
from rnncli.data.vocabulary import Ids, Vocabulary

__all__ = [
    "TOKENIZERS",
    "Batch",
    "Corpus",
    "Decoder",
    "Ids",
    "Items",
    "Splits",
    "Streams",
    "Tokenizer",
    "TokenizerSpec",
    "Vocabulary",
    "Windows",
    "lines",
    "read_corpus",
    "split_items",
    "split_text",
]
