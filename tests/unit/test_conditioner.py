"""The conditioner's promises: time in the token, null, neutral at intensity 0, continuity."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from emotion_encoders.conditioner import Asked, EmotionConditioner, EmotionTokens, waves
from emotion_encoders.emotion import FACE8, MIKELS8, Affect, Emotion
from emotion_encoders.evidence import Evidence
from emotion_encoders.track import EmotionTrack

SECONDS = [0.0, 0.5, 1.0, 2.0]


@pytest.fixture(scope="module")
def conditioner() -> EmotionConditioner:
    return EmotionConditioner(48).eval().requires_grad_(False)


def track(text: str) -> EmotionTrack:
    return EmotionTrack.parse(text)


def token(conditioner: EmotionConditioner, asked: Asked, second: float = 0.0) -> torch.Tensor:
    return conditioner([asked], [second]).values[0, 0]


def test_every_clip_and_moment_has_a_token(conditioner: EmotionConditioner) -> None:
    tokens = conditioner([track("anger"), None, track("0:neutral 2:fear")], SECONDS)
    assert tokens.values.shape == (3, 4, 48)
    assert tokens.mask.shape == (3, 4)
    assert tokens.mask.all()
    assert tokens.seconds.tolist() == SECONDS


def test_the_time_is_in_the_token(conditioner: EmotionConditioner) -> None:
    values = conditioner([track("anger")], SECONDS).values[0]
    distances = torch.cdist(values, values) + 9 * torch.eye(4)
    assert distances.min() > 0.05


def test_two_moments_a_frame_apart_can_be_told_apart() -> None:
    near = waves(torch.tensor([60.0, 60.04]))
    assert (near[0] - near[1]).norm() > 0.5


def test_at_intensity_0_every_emotion_is_neutral(conditioner: EmotionConditioner) -> None:
    neutral = token(conditioner, track("neutral"))
    for text in (
        "anger@0",
        "happiness*.5+fear*.5@0",
        "va(.4,-.9)@0",
        "mikels8/awe@0",
        "goemotions28/grief@0",
    ):
        assert torch.allclose(token(conditioner, track(text)), neutral, atol=1e-6)


def test_nothing_asked_is_the_null_token_at_every_moment(conditioner: EmotionConditioner) -> None:
    values = conditioner([None], SECONDS).values[0]
    assert torch.equal(values, conditioner.null.expand(4, -1))
    assert not torch.allclose(values[0], token(conditioner, track("neutral")))


def test_a_clip_is_the_same_alone_and_in_a_batch(conditioner: EmotionConditioner) -> None:
    asked = [track("0:neutral 2:anger"), None, track("happiness@.4")]
    together = conditioner(asked, SECONDS).values
    for alone, row in zip(asked, together, strict=True):
        assert torch.allclose(conditioner([alone], SECONDS).values[0], row, atol=1e-6)


def test_tokens_after_the_end_of_a_clip_are_masked(conditioner: EmotionConditioner) -> None:
    mask = conditioner([track("anger"), None], SECONDS, lengths=[1.2, 0.0]).mask
    assert mask.tolist() == [[True, True, True, False], [True, False, False, False]]


def test_tokens_are_continuous_in_intensity(conditioner: EmotionConditioner) -> None:
    steps = [
        token(conditioner, EmotionTrack.constant(Emotion.of("anger", intensity=i / 50))) for i in range(51)
    ]
    moved = torch.stack([(b - a).norm() for a, b in pairwise(steps)])
    whole = (steps[-1] - steps[0]).norm()
    assert moved.max() < 3 * whole / 50
    assert moved.min() > 0


def test_tokens_are_continuous_in_affect(conditioner: EmotionConditioner) -> None:
    def at(valence: float, arousal: float) -> torch.Tensor:
        point = Emotion.from_affect(Affect(valence, arousal), FACE8)
        return token(conditioner, EmotionTrack.constant(point))

    generator = torch.Generator().manual_seed(3)
    slopes = []
    for v, a in (1.8 * torch.rand(40, 2, generator=generator) - 0.9).tolist():
        slopes.append(float((at(v + 1e-3, a) - at(v, a)).norm()) / 1e-3)
        slopes.append(float((at(v, a + 1e-3) - at(v, a)).norm()) / 1e-3)
    assert max(slopes) < 12  # no jump: a step of a thousandth moves the token by about as little
    assert min(slopes) > 0.01


def test_a_compound_lies_between_its_emotions(conditioner: EmotionConditioner) -> None:
    space = conditioner.space
    happy, afraid = (space.label(Emotion.of(label)) for label in ("happiness", "fear"))
    both = space.label(Emotion.mixture({"happiness": 0.5, "fear": 0.5}))
    near = [F.cosine_similarity(both, one, dim=0) for one in (happy, afraid)]
    assert min(near) > F.cosine_similarity(happy, afraid, dim=0)


def test_evidence_conditions_like_a_track(conditioner: EmotionConditioner) -> None:
    heard = Evidence(track("0:neutral 2:anger"), "voice", 0.7, "voice-v1")
    fused = Evidence(heard.track, "fused", 0.7, "voice-v1")
    by_track, by_voice, by_fusion = conditioner([heard.track, heard, fused], SECONDS).values
    assert torch.equal(by_track, by_fusion)
    assert torch.allclose(by_track, by_voice, atol=1e-6)  # a correction that learned nothing changes nothing


def test_other_vocabularies_condition_too(conditioner: EmotionConditioner) -> None:
    awe = EmotionTrack.constant(Emotion.of("awe", MIKELS8))
    assert not torch.allclose(token(conditioner, awe), token(conditioner, track("surprise")), atol=1e-3)


@pytest.mark.parametrize(
    ("asked", "seconds", "lengths", "sentence"),
    [
        ([], [0.0], None, "No clip came"),
        ([None], [], None, "Moments came as"),
        ([None], [float("nan")], None, "Moments came as"),
        ([None], [[0.0]], None, "Moments came as"),
        ([None, None], [0.0], [1.0], "1 lengths came for 2 clips"),
    ],
)
def test_what_cannot_be_tokens_is_refused(
    conditioner: EmotionConditioner,
    asked: list[Asked],
    seconds: list[float],
    lengths: list[float] | None,
    sentence: str,
) -> None:
    with pytest.raises(ValueError, match=sentence):
        conditioner(asked, seconds, lengths=lengths)


def test_tokens_check_themselves() -> None:
    good = EmotionTokens(torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.bool), torch.zeros(3))
    with pytest.raises(ValueError, match=r"\(B, N, D\) and \(B, N\) are needed"):
        EmotionTokens(good.values, good.mask[:1], good.seconds)
    with pytest.raises(ValueError, match="each token needs its own second"):
        EmotionTokens(good.values, good.mask, good.seconds[:2])
