"""The emotion adapter changes nothing until it is trained, follows the track in time, and travels alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig
from torch import Tensor

from emotion_encoders.conditioner import EmotionTokens
from emotion_encoders.emotion import MIKELS8
from emotion_encoders.track import EmotionTrack
from pipelines.shapes import VideoShape
from pipelines.wan.adapter import Adapter, AdapterConfig
from pipelines.wan.backbone import Backbone
from pipelines.wan.branch import Conditions
from pipelines.wan.denoiser import Felt
from pipelines.wan.errors import AdapterError
from tests.tiny import wan_models

SHAPE = VideoShape(33, 32, 32, 8)  # 4 s, nine latent frames
SAD, HAPPY = "sadness", "amusement"


def track(text: str) -> EmotionTrack:
    return EmotionTrack.parse(text, MIKELS8)


def conditions(adapter: Adapter, text: str, audio: Tensor | None = None) -> Conditions:
    felt = Felt.of(adapter, [track(text)], SHAPE, audio)
    return Conditions(felt.seconds, felt.emotion, felt.intensity, felt.audio)


def given(backbone: Backbone) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = {"timestep": torch.tensor([500])}
    inputs["hidden_states"] = torch.randn(1, backbone.takes, 9, 4, 4, generator=generator)
    tokens = 512 if backbone.looks else 16
    inputs["encoder_hidden_states"] = torch.randn(1, tokens, 32, generator=generator)
    if backbone.looks:
        inputs["encoder_hidden_states_image"] = torch.randn(1, 5, wan_models.IMAGE_WIDTH, generator=generator)
    return inputs


def velocity(backbone: Backbone, adapter: Adapter | None = None, seen: Conditions | None = None) -> Tensor:
    if adapter is None:
        return backbone.transformer(**given(backbone), return_dict=False)[0]
    with adapter.attached(backbone.experts), adapter.conditioned(seen):
        return backbone.transformer(**given(backbone), return_dict=False)[0]


@pytest.fixture
def backbone() -> Backbone:
    return wan_models.backbone()


@torch.no_grad()
@pytest.mark.parametrize("make", [wan_models.backbone, wan_models.image_backbone])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_fresh_adapter_changes_no_bit(make: Callable[[], Backbone], dtype: torch.dtype) -> None:
    backbone, model = make(), torch.nn.ModuleList()
    model.append(backbone.transformer)
    model.to(dtype)
    adapter = wan_models.adapter(backbone, audio=6)
    seen = conditions(adapter, "0:sadness 2:amusement@0.4", torch.randn(1, 9, 10, 6))
    inputs = {name: x.to(dtype) if x.is_floating_point() else x for name, x in given(backbone).items()}
    base = backbone.transformer(**inputs, return_dict=False)[0]
    with adapter.attached(backbone.experts), adapter.conditioned(seen):
        assert torch.equal(backbone.transformer(**inputs, return_dict=False)[0], base)


@torch.no_grad()
def test_a_trained_adapter_is_heard_only_while_it_is_attached_and_conditioned(backbone: Backbone) -> None:
    adapter, base = wan_models.adapter(backbone, trained=True), velocity(backbone)
    assert not torch.equal(velocity(backbone, adapter, conditions(adapter, SAD)), base)
    assert torch.equal(velocity(backbone, adapter, None), base)
    assert torch.equal(velocity(backbone), base)


@torch.no_grad()
def test_the_output_changes_where_the_track_changes(backbone: Backbone) -> None:
    adapter = wan_models.adapter(backbone, trained=True)
    constant = velocity(backbone, adapter, conditions(adapter, SAD))

    def change(text: str) -> Tensor:
        changed = velocity(backbone, adapter, conditions(adapter, text))
        return (changed - constant).square().mean((0, 1, 3, 4)).sqrt()  # of each latent frame

    late, early = change("0:sadness 2:sadness 2.2:amusement"), change("0:amusement 1.8:amusement 2:sadness")
    # Self-attention carries a little of it everywhere; the branch itself puts it where it belongs.
    assert late[5:].min() > 2.5 * late[:4].max()
    assert early[:4].min() > 2.5 * early[5:].max()


@torch.no_grad()
def test_tokens_are_a_set_and_their_time_is_in_them(backbone: Backbone) -> None:
    adapter = wan_models.adapter(backbone, trained=True)
    seen = conditions(adapter, "0:sadness 4:amusement")
    tokens = seen.emotion
    assert tokens is not None
    shuffled = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    same = EmotionTokens(tokens.values[:, shuffled], tokens.mask[:, shuffled], tokens.seconds[shuffled])
    moved = EmotionTokens(tokens.values[:, shuffled], tokens.mask, tokens.seconds)
    first, again, other = (
        velocity(backbone, adapter, Conditions(seen.seconds, one, seen.intensity))
        for one in (tokens, same, moved)
    )
    assert torch.allclose(first, again, atol=1e-6)
    assert not torch.allclose(first, other, atol=1e-4)


@torch.no_grad()
def test_masked_tokens_are_not_heard(backbone: Backbone) -> None:
    adapter = wan_models.adapter(backbone, trained=True)
    tokens = adapter.conditioner([track("0:sadness 4:amusement")], SHAPE.latent_seconds, lengths=[2.0])
    values = torch.where(tokens.mask[..., None], tokens.values, 9.0)
    changed = EmotionTokens(values, tokens.mask, tokens.seconds)
    first, other = (velocity(backbone, adapter, Conditions(tokens.seconds, one)) for one in (tokens, changed))
    assert torch.equal(first, other)


@torch.no_grad()
def test_intensity_shifts_the_output_and_none_shifts_nothing(backbone: Backbone) -> None:
    adapter = wan_models.adapter(backbone, trained=True)
    seconds = torch.tensor(SHAPE.latent_seconds)
    full, none = (
        velocity(backbone, adapter, Conditions(seconds, None, level * torch.ones(1, 9))) for level in (1, 0)
    )
    assert not torch.equal(full, none)
    assert torch.equal(none, velocity(backbone))


@torch.no_grad()
def test_intensity_of_each_moment_counts_where_positions_have_times() -> None:
    backbone = wan_models.backbone()
    adapter = wan_models.adapter(backbone, trained=True)
    inputs = given(backbone) | {"timestep": torch.full((1, 9 * 4), 500)}
    later = torch.zeros(1, 9)
    later[:, 5:] = 1
    with adapter.attached(backbone.experts):
        rows = []
        for felt in (torch.zeros(1, 9), later):
            with adapter.conditioned(Conditions(torch.tensor(SHAPE.latent_seconds), None, felt)):
                rows.append(backbone.transformer(**inputs, return_dict=False)[0])
    change = (rows[0] - rows[1]).abs().mean((0, 1, 3, 4))
    assert change[5:].min() > 2 * change[:5].max()


@torch.no_grad()
def test_a_latent_frame_hears_only_the_sound_around_it(backbone: Backbone) -> None:
    adapter = wan_models.adapter(backbone, trained=True, audio=6)
    silence, word = torch.zeros(1, 9, 10, 6), torch.zeros(1, 9, 10, 6)
    word[:, 6] = torch.randn(10, 6, generator=torch.Generator().manual_seed(2))
    first, other = (velocity(backbone, adapter, conditions(adapter, SAD, sound)) for sound in (silence, word))
    change = (first - other).abs().mean((0, 1, 3, 4))
    assert change.argmax() == 6
    assert change[6] > 3 * change[:5].max()


def test_saving_and_loading_gives_the_same_adapter(backbone: Backbone, tmp_path: Path) -> None:
    adapter = wan_models.adapter(backbone, trained=True, audio=6)
    adapter.save(tmp_path / "a.safetensors", backbone="tiny")
    again = Adapter.load(tmp_path / "a.safetensors")
    assert again.config == adapter.config
    state = again.state_dict()
    assert all(torch.equal(weights, state[name]) for name, weights in adapter.state_dict().items())


@pytest.mark.parametrize("spoil", ["absent", "cut", "another file", "not finite"])
def test_a_file_that_is_no_adapter_is_refused(backbone: Backbone, tmp_path: Path, spoil: str) -> None:
    from safetensors.torch import save_file

    path, adapter = tmp_path / "a.safetensors", wan_models.adapter(backbone)
    match spoil:
        case "cut":
            adapter.save(path)
            path.write_bytes(path.read_bytes()[:-100])
        case "another file":
            save_file({"x": torch.zeros(1)}, path)
        case "not finite":
            torch.nn.init.constant_(adapter.conditioner.null, float("nan"))
            adapter.save(path)
    told = {
        "absent": "There is no adapter at",
        "cut": "is not a whole safetensors file",
        "another file": "names no architecture; an emotion adapter names wan-emotion-adapter-1",
        "not finite": "holds numbers that are not finite",
    }
    with pytest.raises(AdapterError, match=told[spoil]):
        Adapter.load(path)


def test_an_adapter_of_another_backbone_is_refused(backbone: Backbone) -> None:
    adapter = Adapter(AdapterConfig(dim=48, layers=2, tokens=16, width=16, heads=2))
    with (
        pytest.raises(AdapterError, match="for a backbone of width 48, 2 blocks and 1 experts, this one"),
        adapter.attached(backbone.experts),
    ):
        pass


def test_checkpointing_gives_the_same_gradients_even_after_the_conditions_changed(
    backbone: Backbone,
) -> None:
    adapter = wan_models.adapter(backbone, trained=True)
    backbone.transformer.requires_grad_(False).train()

    def gradients(checkpointed: bool) -> dict[str, Tensor]:
        adapter.zero_grad()
        if checkpointed:
            adapter.checkpoint_gradients(backbone.transformer)
        with adapter.attached(backbone.experts):
            with adapter.conditioned(conditions(adapter, "0:sadness 4:amusement")):
                out = backbone.transformer(**given(backbone), return_dict=False)[0]
            with adapter.conditioned(conditions(adapter, "fear")):
                out.square().mean().backward()
        return {n: p.grad.clone() for n, p in adapter.named_parameters() if p.grad is not None}

    plain, checkpointed = gradients(False), gradients(True)
    assert plain.keys() == checkpointed.keys()
    assert any(gradient.abs().max() > 0 for gradient in plain.values())
    for name, gradient in plain.items():
        assert torch.allclose(gradient, checkpointed[name], atol=1e-7), name


def test_one_step_of_training_opens_the_gates_and_leaves_wan_as_it_was(backbone: Backbone) -> None:
    adapter = wan_models.adapter(backbone)
    before = {name: weights.clone() for name, weights in backbone.transformer.state_dict().items()}
    backbone.transformer.requires_grad_(False)
    optimiser = torch.optim.SGD(adapter.parameters(), lr=10.0)
    velocity(backbone, adapter, conditions(adapter, SAD)).square().mean().backward()
    optimiser.step()
    assert all(torch.equal(before[name], now) for name, now in backbone.transformer.state_dict().items())
    gates = [p for name, p in adapter.named_parameters() if name.endswith("gate")]
    assert gates
    assert all(gate.abs().max() > 0 for gate in gates)


@torch.no_grad()
def test_lora_works_beside_it_and_neither_is_in_the_others_file(backbone: Backbone, tmp_path: Path) -> None:
    adapter = wan_models.adapter(backbone, trained=True)
    alone = velocity(backbone, adapter, conditions(adapter, SAD))
    config = LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    backbone.transformer.add_adapter(config)
    both = velocity(backbone, adapter, conditions(adapter, SAD))
    backbone.transformer.disable_lora()
    assert not torch.equal(both, alone)
    assert torch.equal(velocity(backbone, adapter, conditions(adapter, SAD)), alone)

    backbone.transformer.save_lora_adapter(tmp_path / "lora")
    adapter.save(tmp_path / "a.safetensors")
    names = set(Adapter.load(tmp_path / "a.safetensors").state_dict())
    assert not any("lora" in name for name in names)
    assert not any(
        name.startswith(("emotion.", "conditioner.")) for name in backbone.transformer.state_dict()
    )
