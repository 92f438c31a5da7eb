"""A published model as a local folder: read by transformers, safetensors only, nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_encoders.weights_file import WeightsError

# A model that was not measured here is not trusted until someone does.
UNMEASURED = 0.0


def config_of(folder: Path) -> Mapping[str, Any]:
    """What its config.json says; WeightsError if there is none."""
    path = folder / "config.json"
    if not path.is_file():
        raise WeightsError(f"There is no config.json in '{folder}'; give the folder of a downloaded model.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsError(f"'{path}' cannot be read: {error}.") from None


def words_of(folder: Path, labels: Sequence[str] | None) -> list[str]:
    """The words for its outputs in their order: `labels`, or else the `id2label` of its config."""
    named: Mapping[str, str] = config_of(folder).get("id2label", {})
    if labels is not None and len(labels) != len(named):
        raise WeightsError(f"'{folder}' has {len(named)} outputs; {len(labels)} labels were given for them.")
    return list(labels) if labels is not None else [named[key] for key in sorted(named, key=int)]


def load_folder(folder: Path, model: Any, processor: Any, kind: str) -> tuple[Any, Any]:  # noqa: ANN401 - as below
    """The model, frozen, and its processor, by two Auto classes of transformers, which choose by the folder.

    Raises WeightsError if a file is missing or pickled, or if the weights have no such head: transformers
    would fill it with chance. `kind` says in that sentence what was looked for.
    """
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        loaded, found = model.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **local)
        prepared = processor.from_pretrained(folder, **local)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise WeightsError(f"'{folder}' is not a whole model folder: {first}") from None
    if found["missing_keys"]:
        lacking = ", ".join(sorted(found["missing_keys"])[:3])
        raise WeightsError(f"'{folder}' has no weights for {lacking}; it is no {kind}.")
    return loaded.eval().requires_grad_(False), prepared
