"""FERPlus without duplicates, shared between two recognisers by hash, and measured by the paper's rule."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from emotion_encoders.emotion import FACE8
from gen.recipes import ferplus
from gen.recipes.ferplus import DataError, Faces


def pictures(n: int, seed: int = 0) -> np.ndarray:
    """Smooth random pictures, no two alike."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (n, 8, 8)).astype(np.uint8)
    return np.stack([cv2.resize(one, (48, 48), interpolation=cv2.INTER_CUBIC) for one in coarse])


def ballots(**votes: int) -> np.ndarray:
    row = np.zeros(len(ferplus.VOTES), np.float32)
    for name, count in votes.items():
        row[ferplus.VOTES.index(name)] = count
    return row


def faces_of(*rows: np.ndarray) -> Faces:
    n = len(rows)
    return Faces(pictures(n), np.stack(rows), np.arange(n, dtype=np.uint64))


def is_part(n: int, *validation: int) -> np.ndarray:
    return np.isin(np.arange(n), validation)


def test_equal_images_are_kept_once() -> None:
    images = pictures(6)[[0, 1, 2, 1, 4, 2]]
    split = ferplus.without_duplicates(images, np.ones((6, 10), np.float32), is_part(6))
    assert len(split.training) == 4
    assert split.notes[0].startswith("2 images")


def test_an_image_in_both_parts_stays_in_validation_only() -> None:
    images = pictures(5)
    images[4] = images[0]
    split = ferplus.without_duplicates(images, np.ones((5, 10), np.float32), is_part(5, 4))
    assert len(split.training) == 3
    np.testing.assert_array_equal(split.validation.images, images[[4]])


@pytest.mark.parametrize("change", ["brighter", "jpeg", "marked"])
def test_training_images_nearly_equal_to_a_validation_image_are_removed(change: str) -> None:
    images = pictures(5)
    copy = images[0]
    match change:
        case "brighter":
            copy = cv2.convertScaleAbs(copy, alpha=0.8, beta=20)
        case "jpeg":
            _, coded = cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, 30])
            copy = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
        case "marked":
            copy = copy.copy()
            copy[40:44, 4:20] = 255
    images[4] = copy
    split = ferplus.without_duplicates(images, np.ones((5, 10), np.float32), is_part(5, 4))
    assert len(split.training) == 3
    assert split.notes[1].startswith("1 training images")


def test_near_duplicates_share_a_key_and_so_a_side() -> None:
    images = pictures(40)
    images = np.concatenate([images, cv2.convertScaleAbs(images, alpha=0.9, beta=9)])
    split = ferplus.without_duplicates(images, np.ones((80, 10), np.float32), is_part(80))
    judge, face = ferplus.share(split.training, "judge"), ferplus.share(split.training, "face")
    assert len(split.training) == len(judge) + len(face) == 80
    assert not set(judge.keys.tolist()) & set(face.keys.tolist())
    assert len(np.unique(split.training.keys)) == 40


def test_chains_of_pairs_make_one_group() -> None:
    roots = ferplus.group(6, np.array([[4, 5], [1, 4], [0, 2], [2, 5]]))
    assert roots.tolist() == [0, 0, 0, 3, 0, 0]


def test_the_judges_share_is_a_third_whatever_the_order() -> None:
    images = pictures(600)
    votes = np.ones((600, 10), np.float32)
    forward = ferplus.without_duplicates(images, votes, is_part(600))
    backward = ferplus.without_duplicates(images[::-1], votes, is_part(600))
    first, second = (ferplus.share(split.training, "judge") for split in (forward, backward))
    assert 150 < len(first) < 250
    assert set(first.keys.tolist()) == set(second.keys.tolist())


def test_the_temperature_slice_is_not_learned_from() -> None:
    split = ferplus.without_duplicates(pictures(600), np.ones((600, 10), np.float32), is_part(600))
    learning, held = ferplus.hold_back(split.training)
    assert len(learning) + len(held) == 600
    assert 15 < len(held) < 70
    assert not set(learning.keys.tolist()) & set(held.keys.tolist())


def test_nobody_else_has_a_share() -> None:
    with pytest.raises(ValueError, match="'scene' has no share"):
        ferplus.share(faces_of(ballots(fear=10)), "scene")


def test_the_papers_rule_drops_single_votes_and_asks_for_more_than_half() -> None:
    faces = faces_of(
        ballots(happiness=5, neutral=2, fear=1, anger=1, disgust=1),  # 5 of 7 once single votes are gone
        ballots(happiness=5, neutral=5),  # exactly half is not more
        ballots(unknown=6, sadness=4),  # the majority is no emotion
        ballots(sadness=4, NF=3),
        ballots(sadness=1, fear=1),  # nothing remains
    )
    kept, truth = ferplus.majority(faces)
    assert kept.keys.tolist() == [0, 3]
    assert [FACE8.labels[label] for label in truth] == ["happiness", "sadness"]


def test_plain_argmax_asks_only_for_more_votes_than_anything_else() -> None:
    faces = faces_of(
        ballots(happiness=4, neutral=3, unknown=3),
        ballots(unknown=6, sadness=4),
        ballots(fear=1, NF=0),
    )
    kept, truth = ferplus.plurality(faces)
    assert kept.keys.tolist() == [0, 2]
    assert [FACE8.labels[label] for label in truth] == ["happiness", "fear"]


def test_soft_labels_are_the_votes_for_emotions() -> None:
    faces = faces_of(
        ballots(happiness=6, surprise=2, unknown=2), ballots(NF=8, fear=2), ballots(fear=1, anger=1)
    )
    kept, targets = ferplus.soft_labels(faces)
    assert kept.keys.tolist() == [0]
    assert dict(zip(FACE8.labels, targets[0], strict=True))["happiness"] == pytest.approx(0.75)
    assert targets.sum() == pytest.approx(1.0)


def test_votes_are_read_by_their_names_not_their_places(tmp_path: Path) -> None:
    images = pictures(3)
    names = sorted(ferplus.VOTES)
    votes = np.zeros((3, 10), np.uint8)
    votes[:, names.index("contempt")] = 9
    blobs = []
    for image in images:
        buffer = BytesIO()
        Image.fromarray(image).save(buffer, "webp", lossless=True)
        blobs.append(buffer.getvalue())
    path = tmp_path / ferplus.FILE
    path.parent.mkdir()
    np.savez(
        path,
        webp=np.frombuffer(b"".join(blobs), np.uint8),
        offsets=np.cumsum([0, *map(len, blobs)]),
        votes=votes,
        split=np.array([0, 0, 1], np.uint8),
        vote_names=np.array(names),
    )
    split = ferplus.read(tmp_path)
    assert (len(split.training), len(split.validation)) == (2, 1)
    np.testing.assert_array_equal(split.validation.images[0], images[2])
    assert FACE8.labels[ferplus.majority(split.validation)[1][0]] == "contempt"


def test_a_folder_without_ferplus_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the folder that holds it with --data"):
        ferplus.read(tmp_path)
