"""Text classifiers of real classes, small and random, as downloads would lie on a disk."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from emotion_encoders.text_large import PIECES

EKMAN = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")  # another order than FACE8's
WORDS = ("good", "bad", "rain", "dog", "sing", "cry")
TINY: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": PIECES + 2,
}
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
PAD, START, END, UNKNOWN = SPECIAL


def tokenizer(folder: Path) -> None:
    """A tokenizer of ten words."""
    pieces = {piece: number for number, piece in enumerate((*SPECIAL, *WORDS))}
    made = Tokenizer(models.WordLevel(pieces, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 1), ("</s>", 2)])
    PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, bos_token=START, eos_token=END, unk_token=UNKNOWN
    ).save_pretrained(folder)


def classifier(folder: Path, words: tuple[str, ...], *, several: bool = False, head: bool = True) -> Path:
    """A random model on disk, as a download would lie there."""
    torch.manual_seed(0)
    kind = "multi_label_classification" if several else "single_label_classification"
    config = BertConfig(
        **TINY,
        vocab_size=len(SPECIAL) + len(WORDS),
        pad_token_id=0,
        id2label=dict(enumerate(words)),
        problem_type=kind,
        initializer_range=1.0,
    )
    (BertForSequenceClassification(config) if head else BertModel(config)).save_pretrained(folder)
    tokenizer(folder)
    return folder
