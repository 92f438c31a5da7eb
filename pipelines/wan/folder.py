"""A folder in diffusers' format: which parts it has, each read from disk alone or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from pipelines.wan.errors import BackboneError

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class CheckpointFolder:
    """model_index.json and the folders it names."""

    path: Path
    index: dict[str, Any]  # Any: JSON

    @classmethod
    def open(cls, path: Path) -> CheckpointFolder:
        """Reads the index; BackboneError if there is none."""
        if not (path / "model_index.json").is_file():
            raise BackboneError(
                f"'{path}' has no model_index.json: give a folder as diffusers' save_pretrained writes it."
            )
        try:
            index = json.loads((path / "model_index.json").read_text("utf-8"))
        except ValueError:
            raise BackboneError(f"'{path}/model_index.json' is not JSON; fetch it again.") from None
        missing = [part for part in ("transformer", "vae", "text_encoder", "scheduler") if part not in index]
        if missing:
            raise BackboneError(f"'{path}' has no {', '.join(missing)}, so it is no Wan checkpoint.")
        return cls(path, index)

    def kind(self, part: str) -> str | None:
        """The class of a part; None if the checkpoint does without it."""
        named = self.index.get(part)
        return named[1] if isinstance(named, list) else None

    def config(self, part: str, file: str) -> dict[str, Any]:
        """A part's JSON."""
        return self._read(part, lambda: json.loads((self.path / part / file).read_text("utf-8")))

    def model(self, kind: type[Model], part: str, dtype: torch.dtype) -> Model:
        """A model of diffusers, ready for inference."""
        load: Any = kind  # Any: from_pretrained is diffusers' and untyped
        return self._read(
            part,
            lambda: load.from_pretrained(
                self.path, subfolder=part, torch_dtype=dtype, local_files_only=True, use_safetensors=True
            ),
        ).eval()

    def text_encoder(self, dtype: torch.dtype) -> nn.Module:
        """The encoder half of UMT5."""
        from transformers import UMT5EncoderModel

        return self._transformers(UMT5EncoderModel, "text_encoder", dtype)

    def image_encoder(self, dtype: torch.dtype) -> nn.Module:
        """CLIP's vision half."""
        from transformers import CLIPVisionModel

        return self._transformers(CLIPVisionModel, "image_encoder", dtype)

    def tokenizer(self) -> Any:  # noqa: ANN401 - transformers chooses the class by the folder
        """Words to tokens."""
        from transformers import AutoTokenizer

        return self._read("tokenizer", lambda: AutoTokenizer.from_pretrained(self._local("tokenizer")))

    def image_processor(self) -> Any:  # noqa: ANN401 - as the tokenizer
        """Pictures to what CLIP sees."""
        from transformers import CLIPImageProcessor

        where = self._local("image_processor")
        return self._read("image_processor", lambda: CLIPImageProcessor.from_pretrained(where))

    def _transformers(self, kind: Any, part: str, dtype: torch.dtype) -> nn.Module:  # noqa: ANN401 - untyped class
        return self._read(
            part,
            lambda: kind.from_pretrained(
                self._local(part), dtype=dtype, local_files_only=True, use_safetensors=True
            ),
        ).eval()

    def _local(self, part: str) -> str:
        """A part's folder; a name that is not there would be looked up on the hub."""
        if not (self.path / part).is_dir():
            raise BackboneError(f"'{self.path}' has no folder '{part}'; fetch it again.")
        return str(self.path / part)

    def _read(self, part: str, read: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the part is
        try:
            return read()
        except BackboneError:
            raise
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            first = (str(error).strip().splitlines() or ["it is broken"])[0]
            raise BackboneError(f"'{self.path}/{part}' cannot be read: {first}") from error
