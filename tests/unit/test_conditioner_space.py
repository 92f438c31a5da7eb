"""The shared space before it learned anything, and its files."""

from pathlib import Path

import pytest
import torch

from emotion_encoders.emotion import FACE8, GOEMOTIONS28, Affect, Emotion
from emotion_encoders.evidence import Evidence, Modality
from emotion_encoders.shared_space import LABELS, SENSES, SharedSpace, features, likeness, retrieve
from emotion_encoders.track import EmotionTrack
from emotion_encoders.weights_file import WeightsError


@pytest.fixture(scope="module")
def space() -> SharedSpace:
    return SharedSpace().eval().requires_grad_(False)


@pytest.fixture
def taught(space: SharedSpace) -> SharedSpace:
    """Corrections that do something, as after training."""
    other = SharedSpace().requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    for sense in SENSES:
        for parameter in other.senses[sense].parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return other.eval()


def test_features_are_shares_of_all_labels_and_the_affect() -> None:
    row = features([Emotion.mixture({"happiness": 0.5, "fear": 0.5}, intensity=0.5)])[0]
    found = {label: float(share) for label, share in zip(LABELS, row, strict=False) if share > 0}
    assert found == {"neutral": 0.5, "happiness": 0.25, "fear": 0.25}
    assert row[-2:].tolist() == pytest.approx([0.5 * (0.81 - 0.64) / 2, 0.5 * (0.51 + 0.60) / 2])


def test_labels_find_themselves_and_fine_ones_lie_near_their_face(space: SharedSpace) -> None:
    faces = torch.stack([space.label(Emotion.of(label)) for label in FACE8.labels])
    assert retrieve(faces, faces)[:, 0].tolist() == list(range(8))
    for fine, face in (("gratitude", "happiness"), ("grief", "sadness"), ("annoyance", "anger")):
        place = space.label(Emotion.of(fine, GOEMOTIONS28))[None]
        assert FACE8.labels[int(retrieve(place, faces))] == face


def test_affect_moves_a_label_without_changing_what_it_is(space: SharedSpace) -> None:
    shares = Emotion.of("anger").weights
    hot = space.label(Emotion.seen(FACE8, shares, affect=Affect(-0.8, 0.9)))
    cold = space.label(Emotion.seen(FACE8, shares, affect=Affect(-0.4, -0.2)))
    fear = space.label(Emotion.of("fear"))
    assert float(likeness(hot[None], cold[None])) > float(likeness(hot[None], fear[None]))
    assert (hot - cold).norm() > 0.3


@pytest.mark.parametrize("modality", ["text", "voice", "face", "scene", "fused"])
def test_neutral_stays_neutral_whatever_a_sense_learned(taught: SharedSpace, modality: Modality) -> None:
    nothing = Evidence(EmotionTrack.parse("anger@0"), modality, 0.5, "w")
    assert torch.allclose(taught.align(nothing), taught.label(Emotion.of("neutral")), atol=1e-5)


def test_a_correction_is_smooth_and_keeps_a_distribution(taught: SharedSpace) -> None:
    start, end = features([Emotion.of("anger"), Emotion.mixture({"fear": 0.6, "neutral": 0.4})])
    path = torch.stack([torch.lerp(start, end, i / 100) for i in range(101)])
    corrected = taught.senses["voice"](path)
    assert torch.allclose(corrected[:, :-2].sum(1), torch.ones(101), atol=1e-5)
    assert (corrected[:, :-2] >= 0).all()
    places = taught(path, "voice")
    assert (places[1:] - places[:-1]).norm(dim=1).max() < 0.4


def test_a_track_is_aligned_by_all_of_its_moments(space: SharedSpace) -> None:
    moving = Evidence(EmotionTrack.parse("0:anger 1:fear"), "voice", 0.5, "w")
    middle = (space.label(Emotion.of("anger")) + space.label(Emotion.of("fear"))) / 2
    assert torch.allclose(space.align(moving), middle, atol=0.05)


def test_the_likeliest_are_retrieved_in_order() -> None:
    gallery = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    assert retrieve(torch.tensor([[0.6, 0.4]]), gallery, k=3).tolist() == [[0, 2, 1]]
    with pytest.raises(ValueError, match="4 of 3 places were asked for"):
        retrieve(gallery, gallery, k=4)


def test_what_is_saved_is_what_is_loaded(taught: SharedSpace, tmp_path: Path) -> None:
    path = tmp_path / "space.safetensors"
    taught.save(path, seed=1)
    again = SharedSpace.load(path)
    seen = Evidence(EmotionTrack.parse("anger*.7+fear*.3"), "face", 0.5, "w")
    assert torch.equal(again.align(seen), taught.align(seen))
    assert path.stat().st_size < 1_000_000


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no weights file"):
        SharedSpace.load(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        SharedSpace.load(broken)
    face = Path(__file__).parents[2] / "emotion_encoders" / "face.safetensors"
    with pytest.raises(WeightsError, match="is not a 'shared-space-1'"):
        SharedSpace.load(face)


def test_too_few_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="16 dimensions came; at least 42"):
        SharedSpace(16)
