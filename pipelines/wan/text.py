"""Prompts as Wan reads them: cleaned, checked for length, encoded, filled up with zeros."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pipelines.wan.backbone import Backbone
from pipelines.wan.errors import PromptError


def cleaned(prompt: str) -> str:
    """As in training: no HTML entities, one space between words."""
    return re.sub(r"\s+", " ", html.unescape(html.unescape(prompt))).strip()


def check_prompts(backbone: Backbone, prompts: Sequence[str]) -> None:
    """Raises PromptError for a prompt of more tokens than the model reads; nothing is cut off unsaid."""
    limit = backbone.text_tokens
    for prompt in prompts:
        count = len(backbone.tokenizer(cleaned(prompt)).input_ids)
        if count > limit:
            start = cleaned(prompt)[:40]
            raise PromptError(f"The prompt '{start}...' has {count} tokens; {limit} are read: shorten it.")


def encode_prompts(backbone: Backbone, prompts: Sequence[str]) -> Tensor:
    """(B, text_tokens, width), zeros after the end of each prompt, in the transformer's type."""
    check_prompts(backbone, prompts)
    limit = backbone.text_tokens
    read: Any = backbone.tokenizer(  # Any: transformers' untyped batch
        [cleaned(prompt) for prompt in prompts], padding="max_length", max_length=limit, return_tensors="pt"
    )
    with backbone.working(backbone.text_encoder):
        ids, mask = read.input_ids.to(backbone.device), read.attention_mask.to(backbone.device)
        rows = [
            # One at a time: a batch's rounding would tell a clip who is beside it.
            backbone.text_encoder(ids[i : i + 1], mask[i : i + 1]).last_hidden_state
            for i in range(len(prompts))
        ]
    return (torch.cat(rows) * mask[:, :, None]).to(backbone.dtype)
