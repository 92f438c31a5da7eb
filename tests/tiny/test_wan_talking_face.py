"""Talking faces with Wan: each way a driver or a voice can go, as diffusers draws it where diffusers can."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.wan.pipeline_wan_animate import WanAnimatePipeline
from diffusers.pipelines.wan.pipeline_wan_vace import WanVACEPipeline
from diffusers.pipelines.wan.pipeline_wan_video2video import WanVideoToVideoPipeline
from PIL import Image
from torch import Tensor, nn
from transformers import Wav2Vec2Config, Wav2Vec2Model

from emotion_encoders.emotion import MIKELS8
from emotion_encoders.track import EmotionTrack
from pipelines.clip import Clip
from pipelines.guidance import Guidance
from pipelines.shapes import ShapeError, VideoShape
from pipelines.wan.adapter import Adapter
from pipelines.wan.backbone import Backbone
from pipelines.wan.errors import AdapterError, BackboneError
from pipelines.wan.generation import Rendering, Request, Step
from pipelines.wan.sampling import Sampling
from pipelines.wan.speech import SpeechFeatures, windowed
from pipelines.wan.talking_face import DrivenFace, SpokenFace
from pipelines.wan.text import encode_prompts
from tests.tiny import wan_models

SIDE, RATE = 32, 16_000
SHAPE = VideoShape(9, SIDE, SIDE, 8)
RANDOM = np.random.default_rng(0)
PORTRAIT = RANDOM.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
GREY = np.repeat(RANDOM.integers(0, 256, (9, SIDE, SIDE, 1), dtype=np.uint8), 3, axis=-1)
SOUND = (0.1 * RANDOM.standard_normal(RATE + RATE // 8)).astype(np.float32)
DRIVER = Clip(GREY, 8.0, SOUND, RATE)
TRACK = EmotionTrack.parse("0:sadness 1:amusement", MIKELS8)
DRIVEN = [wan_models.backbone, wan_models.vace_backbone, wan_models.animate_backbone]


def driven(
    backbone: Backbone, sampling: Sampling, adapter: Adapter | None = None, **options: float
) -> Rendering:
    emotion = None if adapter is None else TRACK
    requests = [Request("a face", emotion, seed=7)]
    return DrivenFace(backbone, adapter)(requests, [PORTRAIT], [DRIVER], SHAPE, sampling, **options)


def latents(rendering: Rendering) -> Tensor:
    steps: list[Step] = []
    assert all(isinstance(clip, Clip) for clip in rendering.clips(steps.append))
    return steps[-1].latents


def diffusers_own(kind: Any, backbone: Backbone, **options: Any) -> Tensor:  # noqa: ANN401 - diffusers is untyped
    pipeline = kind(**wan_models.parts(backbone))
    pipeline.set_progress_bar_config(disable=True)
    with torch.no_grad():
        prompt, none = encode_prompts(backbone, ["a face"]), encode_prompts(backbone, [""])
    made: Any = pipeline(  # Any: as the pipeline
        prompt_embeds=prompt, negative_prompt_embeds=none, height=SIDE, width=SIDE, output_type="latent",
        generator=torch.Generator().manual_seed(7), **options,
    )  # fmt: skip
    return made.frames


def pictures(frames: np.ndarray) -> list[Image.Image]:
    return [Image.fromarray(frame) for frame in frames]


def test_refinement_is_what_diffusers_makes() -> None:
    backbone = wan_models.backbone()
    ours = driven(backbone, Sampling(5, guidance=Guidance(4)), strength=0.6)
    theirs = diffusers_own(
        WanVideoToVideoPipeline, backbone, video=pictures(GREY), num_inference_steps=5, strength=0.6,
        guidance_scale=4.0,
    )  # fmt: skip
    assert torch.allclose(latents(ours), theirs, atol=1e-5)


def test_vace_is_what_diffusers_makes() -> None:
    backbone = wan_models.vace_backbone()
    theirs = diffusers_own(
        WanVACEPipeline, backbone, video=pictures(GREY), reference_images=pictures(PORTRAIT[None]),
        num_frames=9, num_inference_steps=3, guidance_scale=4.0,
    )  # fmt: skip
    assert torch.allclose(latents(driven(backbone, Sampling(3, guidance=Guidance(4)))), theirs, atol=1e-5)


def test_wan_animate_is_what_diffusers_makes() -> None:
    backbone = wan_models.animate_backbone()
    theirs = diffusers_own(
        WanAnimatePipeline, backbone, image=Image.fromarray(PORTRAIT),
        pose_video=pictures(0 * GREY), face_video=pictures(GREY[:, ::2, ::2]),
        segment_frame_length=9, num_inference_steps=3, guidance_scale=1.0,
    )  # fmt: skip
    config = backbone.vae.config  # WanAnimatePipeline gives latents as the VAE wants them
    mean, std = (torch.tensor(config[f"latents_{name}"]).view(1, -1, 1, 1, 1) for name in ("mean", "std"))
    ours = latents(driven(backbone, Sampling(3, guidance=Guidance(1))))
    assert torch.allclose(ours, (theirs - mean) / std, atol=1e-5)


@pytest.mark.parametrize("maker", DRIVEN)
def test_a_fresh_adapter_changes_no_bit_of_a_driven_face(maker: Callable[[], Backbone]) -> None:
    backbone = maker()
    sampling = Sampling(3, guidance=Guidance(text=4, emotion=4))
    plain = latents(driven(backbone, sampling))
    assert torch.equal(plain, latents(driven(backbone, sampling, wan_models.adapter(backbone))))


@pytest.mark.parametrize("maker", DRIVEN)
def test_driver_portrait_and_emotion_change_the_face(maker: Callable[[], Backbone]) -> None:
    backbone = maker()
    sampling, adapter = Sampling(3), wan_models.adapter(backbone, trained=True)
    requests = [Request("a face", TRACK)]

    def made(portrait: np.ndarray = PORTRAIT, driver: Clip = DRIVER, emotion: EmotionTrack = TRACK) -> Tensor:
        requests = [Request("a face", emotion)]
        return latents(DrivenFace(backbone, adapter)(requests, [portrait], [driver], SHAPE, sampling))

    first = made()
    assert not torch.allclose(first, made(driver=Clip(255 - GREY, 8.0)), atol=1e-4)
    assert not torch.allclose(first, made(emotion=EmotionTrack.parse("fear", MIKELS8)), atol=1e-4)
    if maker is not wan_models.backbone:  # refining a driver needs no portrait beside it
        assert not torch.allclose(first, made(portrait=255 - PORTRAIT), atol=1e-4)
    two = DrivenFace(backbone, adapter)(
        [*requests, Request("rain", seed=1)], [PORTRAIT] * 2, [DRIVER] * 2, SHAPE, sampling
    )
    assert torch.allclose(latents(two)[0], first[0], atol=1e-5)


@pytest.mark.parametrize("maker", DRIVEN)
def test_a_driven_face_is_drawn_in_bfloat16_too(maker: Callable[[], Backbone]) -> None:
    backbone = maker()
    nn.ModuleList([backbone.transformer]).to(torch.bfloat16)
    assert backbone.dtype == torch.bfloat16
    rough = latents(driven(backbone, Sampling(2), wan_models.adapter(backbone, trained=True)))
    assert rough.dtype == torch.float32
    assert torch.isfinite(rough).all()


def test_a_driven_face_keeps_its_drivers_sound() -> None:
    (clip,) = driven(wan_models.backbone(), Sampling(2)).clips()
    assert isinstance(clip, Clip)
    assert clip.sound is SOUND
    assert clip.rate == RATE


@torch.no_grad()
def test_less_strength_stays_closer_to_the_driver() -> None:
    backbone = wan_models.backbone()
    start = backbone.encode(torch.from_numpy(GREY.astype(np.float32)).movedim(-1, 0)[None] / 127.5 - 1)
    far = [
        float((latents(driven(backbone, Sampling(10), strength=strength)) - start).square().mean())
        for strength in (0.2, 0.6, 1.0)
    ]
    assert far == sorted(far)


@pytest.fixture(scope="module")
def hearing() -> SpeechFeatures:
    torch.manual_seed(6)
    config = Wav2Vec2Config(
        hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        conv_dim=(8,) * 7, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    return SpeechFeatures(Wav2Vec2Model(config))


def spoken(adapter: Adapter, hearing: SpeechFeatures, sound: np.ndarray, guidance: Guidance) -> Tensor:
    backbone = wan_models.image_backbone()
    face = SpokenFace(backbone, adapter, hearing)
    request = [Request("a face", TRACK)]
    return latents(face(request, [PORTRAIT], [(sound, RATE)], SHAPE, Sampling(2, guidance=guidance)))


def test_a_spoken_face_hears_through_a_trained_adapter_and_not_through_a_fresh_one(
    hearing: SpeechFeatures,
) -> None:
    backbone, plain = wan_models.image_backbone(), Guidance(text=1, audio=1, emotion=1)
    silence = np.zeros_like(SOUND)
    fresh, trained = (wan_models.adapter(backbone, trained=t, audio=hearing.width) for t in (False, True))
    assert torch.equal(spoken(fresh, hearing, SOUND, plain), spoken(fresh, hearing, silence, plain))
    heard = spoken(trained, hearing, SOUND, plain)
    assert not torch.allclose(heard, spoken(trained, hearing, silence, plain), atol=1e-4)
    amplified = spoken(trained, hearing, SOUND, Guidance(text=1, audio=3, emotion=1))
    assert not torch.allclose(heard, amplified, atol=1e-4)


def test_the_audio_branch_learns(hearing: SpeechFeatures) -> None:
    backbone = wan_models.backbone()
    adapter = wan_models.adapter(backbone, audio=hearing.width)
    from tests.tiny.test_wan_adapter import conditions, velocity

    audio = torch.randn(1, 9, 10, hearing.width, generator=torch.Generator().manual_seed(0))
    velocity(backbone, adapter, conditions(adapter, "awe", audio)).square().mean().backward()
    gates = [p for name, p in adapter.audio.named_parameters() if name.endswith("gate")]
    assert all(gate.grad is not None and gate.grad.abs().max() > 0 for gate in gates)


def test_features_are_cut_where_they_are_heard() -> None:
    seconds = torch.arange(200)[:, None] / 50 + 0.01  # each feature tells its own middle
    shape = VideoShape(33, SIDE, SIDE, 8)
    windows = windowed(seconds, 50, shape, window=5)
    assert windows.shape == (9, 5, 1)
    for heard, (start, end) in zip(windows[1:, :, 0], shape.latent_spans[1:], strict=True):
        inside = heard[heard > 0]
        assert inside.min() >= start - 0.1 - 1e-4
        assert inside.max() <= end + 0.1 + 1e-4
    assert windows[3, 2, 0] == pytest.approx(shape.latent_seconds[3], abs=1e-4)
    assert windows[-1, -1, 0] == 0  # the sound is over


def test_a_speech_model_is_read_from_its_folder(hearing: SpeechFeatures, tmp_path: Path) -> None:
    hearing.model.save_pretrained(tmp_path / "speech")
    again = SpeechFeatures.load(tmp_path / "speech")
    assert torch.allclose(again(SOUND, RATE), hearing(SOUND, RATE), atol=1e-6)
    assert len(hearing(SOUND, RATE)) == pytest.approx(50 * len(SOUND) / RATE, abs=2)
    with pytest.raises(BackboneError, match=r"has no config\.json"):
        SpeechFeatures.load(tmp_path)
    (tmp_path / "speech" / "model.safetensors").unlink()
    with pytest.raises(BackboneError, match="is no whole speech model"):
        SpeechFeatures.load(tmp_path / "speech")


def test_faces_that_cannot_be_made_are_refused(hearing: SpeechFeatures) -> None:
    backbone, request, sampling = wan_models.backbone(), [Request("a face")], Sampling(2)
    face = DrivenFace(backbone)
    with pytest.raises(BackboneError, match="A strength of 0 came; more than 0 and up to 1"):
        face(request, [PORTRAIT], [DRIVER], SHAPE, sampling, strength=0)
    with pytest.raises(ShapeError, match=r"A driver of \(5, 32, 32, 3\) at 8 fps came"):
        face(request, [PORTRAIT], [Clip(GREY[:5], 8.0)], SHAPE, sampling)
    with pytest.raises(ShapeError, match="0 drivers came for 1 portraits"):
        face(request, [PORTRAIT], [], SHAPE, sampling)
    with pytest.raises(BackboneError, match="which begins from noise: leave it out"):
        DrivenFace(wan_models.vace_backbone())(request, [PORTRAIT], [DRIVER], SHAPE, sampling, strength=0.5)
    with pytest.raises(BackboneError, match="needs a text-to-video, VACE or Wan-Animate checkpoint"):
        DrivenFace(wan_models.image_backbone())(request, [PORTRAIT], [DRIVER], SHAPE, sampling)
    long = VideoShape(81, SIDE, SIDE, 8)
    driver = Clip(np.zeros((81, SIDE, SIDE, 3), np.uint8), 8.0)
    with pytest.raises(ShapeError, match="81 frames came; Wan-Animate makes up to 77 at a time"):
        DrivenFace(wan_models.animate_backbone())(request, [PORTRAIT], [driver], long, sampling)
    with pytest.raises(AdapterError, match="hears features of width 0, the speech model gives 12"):
        SpokenFace(backbone, wan_models.adapter(backbone), hearing)
    speaker = SpokenFace(backbone, wan_models.adapter(backbone, audio=hearing.width), hearing)
    with pytest.raises(ShapeError, match="0 sounds came for 1 clips"):
        speaker(request, [PORTRAIT], [], SHAPE, sampling)


def test_a_driven_face_that_breaks_says_where() -> None:
    backbone = wan_models.vace_backbone()
    nn.init.constant_(backbone.transformer.proj_out.weight, float("nan"))
    (broken,) = driven(backbone, Sampling(2)).clips()
    assert "denoising, step 1" in str(broken)
