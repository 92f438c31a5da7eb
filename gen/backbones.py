"""What a backbone of the video engine is, read from its small files alone: where, what kind, how large."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gen import models
from gen.job import file_sha256
from gen.lock import Model, WeightsError, read_lock
from pipelines.shapes import Compression

Kind = Literal["text", "image", "driven"]  # what a video begins from: a prompt, a first frame, a driving clip
NANO = "nano"
PARTS = ("transformer", "transformer_2", "vae", "text_encoder", "image_encoder")
DRIVEN = ("WanVACETransformer3DModel", "WanAnimateTransformer3DModel")


@dataclass(frozen=True)
class BackboneFacts:
    """A checkpoint in a folder; nothing of it is loaded."""

    name: str
    folder: Path
    kind: Kind
    experts: int
    expands_time: bool
    compression: Compression
    width: int  # of the transformer
    ffn: int
    parameters: dict[str, int]  # of each part
    licence: str
    research_only: bool
    model: Model | None = None  # its entry in weights.lock

    @property
    def takes_image(self) -> bool:
        """Whether a first frame can be given: always for Wan 2.2 TI2V, which also does without."""
        return self.kind == "image" or self.expands_time

    @property
    def sha256(self) -> str:
        """One digest for all its files: those of weights.lock, else of what lies in the folder."""
        if self.model is not None and self.model.is_pinned:
            digests = {file.path: file.sha256 for file in self.model.files}
        else:
            digests = {str(path.relative_to(self.folder)): file_sha256(path) for path in _files(self.folder)}
        return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def find_backbone(name: str) -> BackboneFacts:
    """The backbone of that name or in that folder; WeightsError says what is missing and what fetches it."""
    if name == NANO:
        raise WeightsError(
            "'nano', a small Wan of this project's own, is not trained yet: name a published checkpoint "
            f"({', '.join(_published())}) or give the folder of one."
        )
    if name in _published():
        return _facts(name, models.folder(name), read_lock().model(name))
    folder = Path(name)
    if not folder.is_dir():
        known = ", ".join((NANO, *_published()))
        raise WeightsError(f"'{name}' is neither a backbone ({known}) nor a folder.")
    return _facts(folder.resolve().name, folder, None)


def _published() -> tuple[str, ...]:
    return tuple(model.name for model in read_lock().models if model.sense == "video")


def _facts(name: str, folder: Path, model: Model | None) -> BackboneFacts:
    index, transformer, vae = (
        _json(folder / path) for path in ("model_index.json", "transformer/config.json", "vae/config.json")
    )
    named = index.get("transformer")
    which = named[1] if isinstance(named, list) else "no transformer"
    if which not in (*DRIVEN, "WanTransformer3DModel"):
        raise WeightsError(f"'{folder}' has {which}, so it is no Wan checkpoint.")
    takes, channels = transformer.get("in_channels", 16), vae.get("z_dim", 16)
    kind: Kind = "driven" if which in DRIVEN else "text" if takes == channels else "image"
    return BackboneFacts(
        name=name,
        folder=folder,
        kind=kind,
        experts=1 + (folder / "transformer_2").is_dir(),
        expands_time=bool(index.get("expand_timesteps")),
        compression=Compression(
            vae.get("scale_factor_temporal", 4),
            vae.get("scale_factor_spatial", 8),
            transformer.get("patch_size", (1, 2, 2))[1],
        ),
        width=transformer["num_attention_heads"] * transformer["attention_head_dim"],
        ffn=transformer["ffn_dim"],
        parameters={part: _count(folder / part) for part in PARTS if (folder / part).is_dir()},
        licence="unknown" if model is None else model.licence,
        research_only=model is not None and model.research_only,
        model=model,
    )


def _json(path: Path) -> dict[str, Any]:  # Any: JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise WeightsError(
            f"'{path}' is missing or no JSON: give a folder as diffusers' save_pretrained writes it."
        ) from None


def _count(folder: Path) -> int:
    """How many numbers the safetensors of a folder hold, by their headers."""
    shapes = [entry["shape"] for path in sorted(folder.glob("*.safetensors")) for entry in _header(path)]
    if not shapes:
        raise WeightsError(f"'{folder}' has no safetensors; pickled weights are not loaded. Fetch it again.")
    return sum(math.prod(shape) for shape in shapes)


def _header(path: Path) -> Iterator[dict[str, Any]]:  # Any: JSON
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            table = json.loads(file.read(length)) if length < 100_000_000 else None
    except (OSError, ValueError):
        table = None
    if not isinstance(table, dict):
        raise WeightsError(f"'{path}' is no whole safetensors file; fetch it again.")
    return (entry for key, entry in table.items() if key != "__metadata__")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
