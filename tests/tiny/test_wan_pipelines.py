"""Text and image to video: as diffusers draws them, alone as in a batch, or refused in words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from diffusers.pipelines.wan.pipeline_wan_i2v import WanImageToVideoPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from PIL import Image
from torch import Tensor, nn

from emotion_encoders.emotion import MIKELS8
from emotion_encoders.track import EmotionTrack
from pipelines.clip import Clip
from pipelines.guidance import ExpertGuidance, Guidance
from pipelines.shapes import ShapeError, VideoShape
from pipelines.wan.adapter import Adapter
from pipelines.wan.backbone import Backbone
from pipelines.wan.errors import AdapterError, BackboneError, PromptError
from pipelines.wan.generation import Rendering, Request, Step
from pipelines.wan.image_to_video import ImageToVideo
from pipelines.wan.sampling import Broken, Sampling, SchedulerName
from pipelines.wan.text import encode_prompts
from pipelines.wan.text_to_video import TextToVideo
from tests.tiny import wan_models

SIDE = 32
SHAPE = VideoShape(9, SIDE, SIDE, 8)
PICTURE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
TRACK = EmotionTrack.parse("0:sadness 1:amusement", MIKELS8)
MAKERS = [wan_models.backbone, wan_models.image_backbone, wan_models.small_steps_backbone]


def make(
    backbone: Backbone, requests: list[Request], sampling: Sampling, adapter: Adapter | None = None
) -> Rendering:
    """The one of both pipelines that this backbone needs."""
    shape = VideoShape(9, SIDE, SIDE, 8, backbone.compression)
    if backbone.looks or backbone.expands_time:
        return ImageToVideo(backbone, adapter)(requests, [PICTURE] * len(requests), shape, sampling)
    return TextToVideo(backbone, adapter)(requests, shape, sampling)


def latents(rendering: Rendering) -> Tensor:
    """Those of the last step."""
    steps: list[Step] = []
    assert all(isinstance(clip, Clip) for clip in rendering.clips(steps.append))
    return steps[-1].latents


def diffusers_own(kind: Any, backbone: Backbone, *, euler: bool = False, **options: Any) -> Any:  # noqa: ANN401 - untyped
    """What diffusers' pipeline of the same parts makes, with one scale for the text."""
    parts = wan_models.parts(backbone)
    if euler:
        parts["scheduler"] = FlowMatchEulerDiscreteScheduler(shift=3.0)
    settings = ("transformer_2", "boundary_ratio", "expand_timesteps")
    parts |= {name: options.pop(name) for name in settings if name in options}
    if kind is WanImageToVideoPipeline and not backbone.looks:
        parts |= {"image_encoder": None, "image_processor": None}
    pipeline = kind(**parts)
    pipeline.set_progress_bar_config(disable=True)
    with torch.no_grad():
        texts = {
            f"{name}prompt_embeds": encode_prompts(backbone, [text])
            for name, text in (("", "a cat"), ("negative_", ""))
        }
    made: Any = pipeline(  # Any: as the pipeline
        **texts, height=SIDE, width=SIDE, num_frames=9, generator=torch.Generator().manual_seed(7),
        **{"output_type": "latent", "guidance_scale": 4.0, **options},
    )  # fmt: skip
    return made.frames


@pytest.mark.parametrize("scheduler", ["unipc", "euler"])
def test_text_to_video_is_what_diffusers_makes(scheduler: SchedulerName) -> None:
    backbone = wan_models.backbone()
    ours = make(backbone, [Request("a cat", seed=7)], Sampling(4, scheduler, guidance=Guidance(4)))
    theirs = diffusers_own(WanPipeline, backbone, euler=scheduler == "euler", num_inference_steps=4)
    assert torch.allclose(latents(ours), theirs, atol=1e-5)


def test_two_experts_are_what_diffusers_makes_with_the_scales_by_name() -> None:
    backbone = wan_models.two_experts()
    guidance = ExpertGuidance(high_noise=Guidance(4), low_noise=Guidance(3))
    ours = make(backbone, [Request("a cat", seed=7)], Sampling(6, guidance=guidance))
    theirs = diffusers_own(
        WanPipeline, backbone, transformer_2=backbone.low_noise, boundary_ratio=0.875,
        num_inference_steps=6, guidance_scale_2=3.0,
    )  # fmt: skip
    assert torch.allclose(latents(ours), theirs, atol=1e-5)


def test_image_to_video_is_what_diffusers_makes() -> None:
    backbone = wan_models.image_backbone()
    ours = make(backbone, [Request("a cat", seed=7)], Sampling(4, guidance=Guidance(4)))
    theirs = diffusers_own(
        WanImageToVideoPipeline, backbone, image=Image.fromarray(PICTURE), num_inference_steps=4
    )
    assert torch.allclose(latents(ours), theirs, atol=1e-5)


def test_a_first_frame_with_a_time_of_its_own_is_what_diffusers_makes() -> None:
    backbone = wan_models.small_steps_backbone()
    (ours,) = make(backbone, [Request("a cat", seed=7)], Sampling(4, guidance=Guidance(4))).clips()
    theirs = diffusers_own(
        WanImageToVideoPipeline, backbone, image=Image.fromarray(PICTURE), expand_timesteps=True,
        num_inference_steps=4, output_type="np",
    )  # fmt: skip
    assert isinstance(ours, Clip)
    assert np.abs(ours.frames / 255 - theirs[0]).max() < 0.51 / 255


@pytest.mark.parametrize("maker", [*MAKERS, wan_models.two_experts])
def test_a_fresh_adapter_changes_no_bit_of_a_clip(maker: Callable[[], Backbone]) -> None:
    backbone = maker()
    sampling = Sampling(3, guidance=Guidance(text=4, emotion=4))  # as many runs with the emotion as without
    plain = make(backbone, [Request("a cat", seed=1)], sampling)
    felt = make(backbone, [Request("a cat", TRACK, seed=1)], sampling, wan_models.adapter(backbone))
    assert torch.equal(latents(plain), latents(felt))


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("maker", [*MAKERS, wan_models.two_experts])
def test_a_clip_is_the_same_alone_and_in_a_batch(maker: Callable[[], Backbone], batched: bool) -> None:
    backbone = maker()
    adapter = wan_models.adapter(backbone, trained=True)
    requests = [
        Request("a cat in the rain", TRACK, seed=3),
        Request("a robot", None, seed=4, negative="blurred"),
        Request("a cat in the rain", EmotionTrack.parse("fear", MIKELS8), seed=3),
    ]
    sampling = Sampling(3, guidance=Guidance(text=4, emotion=3), batched=batched)
    together = latents(make(backbone, requests, sampling, adapter))
    for place, request in enumerate(requests):
        alone = latents(make(backbone, [request], sampling, adapter))
        assert torch.allclose(alone[0], together[place], atol=1e-5)
    assert not torch.allclose(together[0], together[2], atol=1e-3)  # the emotion shows


def test_runs_in_one_forward_and_one_after_the_other_agree() -> None:
    backbone = wan_models.backbone()
    adapter = wan_models.adapter(backbone, trained=True)
    request, guidance = Request("a cat", TRACK), Guidance(text=4, emotion=3)
    one, other = (
        latents(make(backbone, [request], Sampling(3, guidance=guidance, batched=batched), adapter))
        for batched in (True, False)
    )
    assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    "changed",
    [
        Sampling(4),
        Sampling(3, "euler"),
        Sampling(3, shift=5.0),
        Sampling(3, guidance=Guidance(text=2)),
        Sampling(3, guidance=Guidance(emotion=2)),
        Sampling(3, guidance=Guidance(emotion=0)),
        Sampling(3, guidance=Guidance(reference=2)),
        Sampling(3, guidance=Guidance(reference=0)),
    ],
)
def test_every_setting_changes_the_clip(changed: Sampling) -> None:
    backbone = wan_models.image_backbone()
    adapter = wan_models.adapter(backbone, trained=True)
    first, other = (
        latents(make(backbone, [Request("a cat", TRACK)], s, adapter)) for s in (Sampling(3), changed)
    )
    assert not torch.allclose(first, other, atol=1e-3)


@pytest.mark.parametrize(
    "changed", [Request("a dog"), Request("a cat", seed=1), Request("a cat", negative="grey")]
)
def test_everything_asked_for_changes_the_clip(changed: Request) -> None:
    backbone = wan_models.backbone()
    first, other = (
        latents(make(backbone, [request], Sampling(3))) for request in (Request("a cat"), changed)
    )
    assert not torch.allclose(first, other, atol=1e-4)


def test_the_first_frame_of_a_video_from_an_image_is_decoded_from_the_image_itself() -> None:
    backbone = wan_models.small_steps_backbone()
    one, other = (
        make(backbone, [Request(prompt, seed=seed)], Sampling(3)).clips()[0]
        for prompt, seed in (("a cat", 0), ("rain", 1))
    )
    assert isinstance(one, Clip)
    assert isinstance(other, Clip)
    assert np.array_equal(one.frames[0], other.frames[0])
    assert not np.array_equal(one.frames[-1], other.frames[-1])


def test_steps_are_told_with_previews_that_end_at_the_clip() -> None:
    backbone = wan_models.backbone()
    rendering = make(backbone, [Request("a cat"), Request("rain")], Sampling(3))
    told = [(step.number, step.steps, step.preview()) for step in rendering]
    assert [(number, steps) for number, steps, _ in told] == [(1, 3), (2, 3), (3, 3)]
    assert [frame.shape for frame in told[-1][2]] == [(SIDE, SIDE, 3)] * 2
    assert [clip.frames.shape for clip in rendering.clips() if isinstance(clip, Clip)] == [
        (9, SIDE, SIDE, 3)
    ] * 2
    assert not np.array_equal(told[0][2][0], told[-1][2][0])


def test_a_rendering_that_was_stopped_has_no_clips() -> None:
    rendering = make(wan_models.backbone(), [Request("a cat")], Sampling(3))
    steps = iter(rendering)
    next(steps)
    steps.close()  # pyright: ignore[reportAttributeAccessIssue] - a generator
    with pytest.raises(RuntimeError, match="stopped before its end"):
        rendering.clips()


def test_a_clip_whose_numbers_break_stops_alone_and_names_stage_and_step() -> None:
    backbone = wan_models.backbone()
    calls = []

    def spoil(_: nn.Module, __: object, output: tuple[Tensor]) -> tuple[Tensor]:
        calls.append(None)
        spoiled = output[0].clone()
        if len(calls) == 2:
            spoiled[1] = float("nan")
        return (spoiled,)

    requests = [Request("a cat", seed=3), Request("a dog", seed=4)]
    sampling = Sampling(3, guidance=Guidance(text=1))
    (whole,) = make(backbone, requests[:1], sampling).clips()
    handle = backbone.transformer.register_forward_hook(spoil)
    sound, broken = make(backbone, requests, sampling).clips()
    handle.remove()
    assert broken == Broken("denoising", 2)
    assert "not finite since denoising, step 2" in str(broken)
    assert isinstance(sound, Clip)
    assert isinstance(whole, Clip)
    assert np.abs(sound.frames.astype(int) - whole.frames).max() <= 1


@pytest.mark.parametrize(("part", "stage"), [("text_encoder", "text encoding"), ("vae", "decoding")])
def test_a_part_that_breaks_is_named(part: str, stage: str) -> None:
    backbone = wan_models.backbone()
    broken: nn.Module = backbone.vae.post_quant_conv if part == "vae" else backbone.text_encoder
    nn.init.constant_(next(broken.parameters()), float("nan"))
    assert make(backbone, [Request("a cat")], Sampling(2)).clips() == [Broken(stage, None)]


def test_a_prompt_over_length_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(PromptError, match=r"The prompt 'xx.*' has 601 tokens; 96 are read: shorten it"):
        make(wan_models.backbone(), [Request("x" * 600)], Sampling(3))


def test_an_emotion_without_an_adapter_is_refused() -> None:
    with pytest.raises(AdapterError, match="needs an adapter"):
        make(wan_models.backbone(), [Request("a cat", TRACK)], Sampling(3))


def test_pipelines_refuse_what_their_checkpoint_cannot() -> None:
    request, sampling = [Request("a cat")], Sampling(3)
    with pytest.raises(BackboneError, match="needs a first frame"):
        TextToVideo(wan_models.image_backbone())(request, SHAPE, sampling)
    with pytest.raises(BackboneError, match="takes no image"):
        ImageToVideo(wan_models.backbone())(request, [PICTURE], SHAPE, sampling)
    with pytest.raises(BackboneError, match="WanVACETransformer3DModel needs a driving clip"):
        TextToVideo(wan_models.vace_backbone())(request, SHAPE, sampling)
    with pytest.raises(ShapeError, match="planned for"):
        TextToVideo(wan_models.small_steps_backbone())(request, SHAPE, sampling)
    with pytest.raises(ShapeError, match="0 images came for 1 clips"):
        ImageToVideo(wan_models.image_backbone())(request, [], SHAPE, sampling)
    with pytest.raises(ShapeError, match=r"An image of \(16, 16, 3\) uint8 came; \(32, 32, 3\)"):
        ImageToVideo(wan_models.image_backbone())(request, [PICTURE[:16, :16]], SHAPE, sampling)
    two = Sampling(3, guidance=ExpertGuidance(Guidance(), Guidance()))
    with pytest.raises(BackboneError, match="checkpoint of one expert"):
        make(wan_models.backbone(), request, two)
    with pytest.raises(PromptError, match="No request came"):
        make(wan_models.backbone(), [], sampling)
    other = wan_models.adapter(wan_models.two_experts())
    with pytest.raises(AdapterError, match="2 blocks and 2 experts, this one has width 24, 2 blocks and 1"):
        make(wan_models.backbone(), [Request("a cat", TRACK)], sampling, other)
    with pytest.raises(ValueError, match="0 steps came"):
        Sampling(0)


def test_image_attention_refuses_text_of_another_length() -> None:
    backbone = wan_models.image_backbone()
    with pytest.raises(BackboneError, match="64 text tokens came with an image; this checkpoint needs 512"):
        backbone.transformer(
            hidden_states=torch.zeros(1, 36, 1, 4, 4), timestep=torch.tensor([1]),
            encoder_hidden_states=torch.zeros(1, 64, 32), encoder_hidden_states_image=torch.zeros(1, 5, 16),
        )  # fmt: skip
