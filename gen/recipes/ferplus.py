"""FERPlus as both recipes read it: no duplicates, votes as soft labels, shares by the pixels' own hash.

Barsoum et al. 2016, "Training deep networks for facial expression recognition with crowd-sourced label
distribution".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from emotion_encoders.emotion import FACE8

FILE = Path("ferplus48") / "ferplus48_webp.npz"
VOTES = (*FACE8.labels, "unknown", "NF")  # the order of columns here; NF is "not a face"
NEAR = 0.97  # correlation of 12x12 thumbnails; above it pairs are the same photograph, cropped or marked anew
THUMBNAIL = 12
SLICE = 16  # one training image in so many is held back to fit the temperature


class DataError(ValueError):
    """Training data that are missing or not what the recipe expects, said in one sentence."""


@dataclass(frozen=True)
class Faces:
    """Grey faces and how ten people voted on each."""

    images: np.ndarray  # (N, 48, 48) uint8
    votes: np.ndarray  # (N, 10) float32, columns as in VOTES
    keys: np.ndarray  # (N,) uint64: hash of the pixels, shared by near-duplicates

    def __len__(self) -> int:
        return len(self.images)

    def where(self, kept: np.ndarray) -> Faces:
        return Faces(self.images[kept], self.votes[kept], self.keys[kept])


@dataclass(frozen=True)
class Split:
    """Training and validation faces that share no photograph, and what was taken out to get there."""

    training: Faces
    validation: Faces
    notes: tuple[str, ...]


def read(data: Path) -> Split:
    """Reads FERPlus from the data folder and removes duplicates inside and across its two parts."""
    path = data / FILE
    if not path.is_file():
        raise DataError(f"There is no {FILE} in {data}; give the folder that holds it with --data.")
    with np.load(path, allow_pickle=False) as file:
        names = [str(name) for name in file["vote_names"]]
        if sorted(names) != sorted(VOTES):
            raise DataError(f"{path} has votes for {', '.join(names)}; {', '.join(VOTES)} are needed.")
        columns = [names.index(name) for name in VOTES]
        votes = file["votes"][:, columns].astype(np.float32)
        is_validation = file["split"] == 1
        images = decode(file["webp"].tobytes(), file["offsets"])
    return without_duplicates(images, votes, is_validation)


def decode(blob: bytes, offsets: np.ndarray) -> np.ndarray:
    pictures = [
        np.asarray(Image.open(BytesIO(blob[start:end])).convert("L")) for start, end in pairwise(offsets)
    ]
    return np.stack(pictures)


def without_duplicates(images: np.ndarray, votes: np.ndarray, is_validation: np.ndarray) -> Split:
    """One copy of each image; no training image that validation holds too, exactly or nearly."""
    hashes = np.array([pixel_hash(image) for image in images], dtype=np.uint64)
    # Validation first: of equal images its copy is the one that stays.
    order = np.lexsort((np.arange(len(images)), ~is_validation))
    _, first = np.unique(hashes[order], return_index=True)
    kept = np.zeros(len(images), dtype=bool)
    kept[order[first]] = True
    exact = len(images) - int(kept.sum())

    images, votes, hashes, is_validation = images[kept], votes[kept], hashes[kept], is_validation[kept]
    pairs = near_duplicates(images)
    groups = group(len(images), pairs)
    in_both = np.isin(groups, groups[is_validation]) & ~is_validation
    keys = np.full(len(images), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(keys, groups, hashes)
    faces = Faces(images, votes, keys[groups])
    notes = (
        f"{exact:,} images whose pixels equal another's removed",
        f"{int(in_both.sum()):,} training images nearly equal to a validation image removed",
        f"{len(pairs):,} pairs are nearly equal; near-duplicates share a side of every split",
    )
    return Split(faces.where(~is_validation & ~in_both), faces.where(is_validation), notes)


def pixel_hash(image: np.ndarray) -> int:
    return int.from_bytes(hashlib.sha256(image.tobytes()).digest()[:8], "big")


def near_duplicates(images: np.ndarray, *, rows: int = 1000) -> np.ndarray:
    """Pairs (M, 2) of images whose standardised thumbnails correlate above NEAR."""
    n, cell = len(images), images.shape[1] // THUMBNAIL
    cells = images.reshape(n, THUMBNAIL, cell, THUMBNAIL, cell).astype(np.float32)
    thumbnails = cells.mean(axis=(2, 4)).reshape(n, -1)
    thumbnails -= thumbnails.mean(axis=1, keepdims=True)
    thumbnails /= np.linalg.norm(thumbnails, axis=1, keepdims=True).clip(1e-6)
    pairs = []
    for start in range(0, n, rows):
        first, second = np.nonzero(thumbnails[start : start + rows] @ thumbnails.T > NEAR)
        first += start
        pairs.append(np.stack([first, second], axis=1)[first < second])
    return np.concatenate(pairs)


def group(n: int, pairs: np.ndarray) -> np.ndarray:
    """The smallest index each image is connected to by pairs: one number for each group."""
    root = np.arange(n)
    for first, second in pairs:
        a, b = first, second
        while root[a] != a:
            a = root[a]
        while root[b] != b:
            b = root[b]
        root[max(a, b)] = min(a, b)
    while (root != root[root]).any():
        root = root[root]
    return root


def share(training: Faces, owner: str) -> Faces:
    """The faces one recogniser may learn from: a fixed third for the judge, the rest for face."""
    is_judges = training.keys % 3 == 0
    match owner:
        case "judge":
            return training.where(is_judges)
        case "face":
            return training.where(~is_judges)
    raise ValueError(f"{owner!r} has no share of FERPlus; 'face' and 'judge' have.")


def hold_back(faces: Faces) -> tuple[Faces, Faces]:
    """(faces to learn from, faces to fit the temperature on), by the pixels' hash."""
    is_held = (faces.keys // 3) % SLICE == 0
    return faces.where(~is_held), faces.where(is_held)


def without_single_votes(votes: np.ndarray) -> np.ndarray:
    return np.where(votes > 1, votes, 0).astype(np.float32)


def soft_labels(faces: Faces) -> tuple[Faces, np.ndarray]:
    """The faces that show an emotion, and their votes as a distribution over FACE8."""
    votes = without_single_votes(faces.votes)
    emotions = votes[:, : len(FACE8.labels)]
    kept = emotions.sum(axis=1) > votes[:, len(FACE8.labels) :].sum(axis=1)
    return faces.where(kept), emotions[kept] / emotions[kept].sum(axis=1, keepdims=True)


def plurality(faces: Faces) -> tuple[Faces, np.ndarray]:
    """Plain argmax: images where an emotion has the most votes, and which (the first of equals)."""
    winners = faces.votes.argmax(axis=1)
    kept = winners < len(FACE8.labels)
    return faces.where(kept), winners[kept]


def majority(faces: Faces) -> tuple[Faces, np.ndarray]:
    """The paper's rule: single votes dropped, images kept where one emotion has over half of what remains."""
    votes = without_single_votes(faces.votes)
    kept = votes[:, : len(FACE8.labels)].max(axis=1) > votes.sum(axis=1) / 2
    return faces.where(kept), votes[kept].argmax(axis=1)
