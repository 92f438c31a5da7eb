"""The conditioner learns with its backbone, and one step moves only what it should."""

import torch
import torch.nn.functional as F

from emotion_encoders.conditioner import EmotionConditioner
from emotion_encoders.track import EmotionTrack

TRACKS = [EmotionTrack.parse(text) for text in ("0:anger 1:happiness", "0:happiness 1:anger")]
SECONDS = [0.0, 0.5, 1.0]


def attended(conditioner: EmotionConditioner, queries: torch.Tensor) -> torch.Tensor:
    """What a frame's query gets out of the tokens by plain cross-attention, which knows no order."""
    values = conditioner(TRACKS, SECONDS).values
    return F.scaled_dot_product_attention(queries, values, values)


def test_attention_can_tell_when_each_emotion_holds() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        conditioner = EmotionConditioner(32)
        queries = torch.nn.Parameter(torch.randn(1, 2, 32))
        head = torch.nn.Linear(32, 1)
    optimiser = torch.optim.Adam([*conditioner.parameters(), queries, *head.parameters()], lr=1e-2)
    wanted = torch.tensor(
        [[0.0, 1.0], [1.0, 0.0]]
    )  # happiness late, happiness early: the same set of emotions
    loss = torch.zeros(())
    for _ in range(150):
        said = head(attended(conditioner, queries.expand(2, -1, -1)))[..., 0]
        loss = F.binary_cross_entropy_with_logits(said, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.05


def test_a_step_on_what_was_asked_leaves_null_alone_and_the_other_way_round() -> None:
    conditioner = EmotionConditioner(32)
    conditioner([TRACKS[0]], SECONDS).values.square().sum().backward()
    assert conditioner.null.grad is None
    assert conditioner.felt.weight.grad is not None
    conditioner.zero_grad()
    conditioner([None], SECONDS).values.sum().backward()
    assert conditioner.null.grad is not None
    assert conditioner.felt.weight.grad is None
