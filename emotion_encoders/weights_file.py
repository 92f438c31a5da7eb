"""A bundled weights file: what it says of itself and its tensors, checked before any network is filled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

F = TypeVar("F")


class WeightsError(ValueError):
    """A weights file that cannot be used, said in one sentence."""


def read_weights(path: Path, facts_of: Callable[[Mapping[str, str], Path], F]) -> tuple[F, dict[str, Tensor]]:
    """The facts in a safetensors file's metadata, and its tensors; WeightsError if it is not whole."""
    if not path.is_file():
        raise WeightsError(f"There is no weights file at {path}; restore it or make it with its recipe.")
    try:
        with safe_open(path, framework="pt") as file:
            facts = facts_of(file.metadata() or {}, path)
            return facts, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a complete safetensors file ({error}); restore it.") from error


def stated(kind: type[DataclassInstance], metadata: Mapping[str, str], path: Path) -> dict[str, Any]:
    """The values of a dataclass's fields, each a JSON text in the metadata; lists become tuples."""
    names = [field.name for field in fields(kind)]
    missing = [name for name in names if name not in metadata]
    if missing:
        raise WeightsError(
            f"{path} does not say its {', '.join(missing)}; make it again with its recipe in gen/recipes."
        )
    values = {name: json.loads(metadata[name]) for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def check_architecture(path: Path, found: str, needed: str) -> None:
    """Refuses weights for another network."""
    if found != needed:
        raise WeightsError(f"{path} holds weights for {found!r}; {needed!r} is needed here.")


def check_labels(path: Path, found: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """Refuses weights whose outputs mean something else."""
    if found != needed:
        raise WeightsError(f"{path} knows {', '.join(found)}; {', '.join(needed)} are needed, in that order.")


def check_fit(
    path: Path, architecture: str, wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> None:
    """Refuses tensors that are not exactly the network's own, by name and shape, or are not finite."""
    wrong = sorted(wanted.keys() ^ tensors.keys())
    wrong += sorted(key for key in wanted.keys() & tensors.keys() if wanted[key].shape != tensors[key].shape)
    if wrong:
        raise WeightsError(
            f"{path} does not fit {architecture!r}: {', '.join(wrong[:4])}; make it with its recipe."
        )
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise WeightsError(
            f"{path} holds numbers that are not finite; restore it or make it with its recipe."
        )
