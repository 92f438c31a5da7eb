"""The actor drawn with torch: the same pictures, and gradients that lead where the pictures go."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from emotion_encoders.alignment import crop_from_frame
from emotion_encoders.emotion import FACE8
from emotion_encoders.face import FaceRecogniser
from gen.bundled import astronaut
from gen.weights import local_path
from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.differentiable import DifferentiableActor
from pipelines.portrait.differentiable_openings import coverage
from pipelines.portrait.opening import mask, outline, smooth
from pipelines.portrait.pipeline import PortraitPipeline
from pipelines.portrait.renderer import Actor, draw, pose_landmarks
from pipelines.portrait.rig import Rig
from pipelines.portrait.tracker import FaceTracker

SIZE = 160
LOOKS = (
    {},
    {"mouthSmile": 0.8, "cheekSquint": 0.7, "jawOpen": 0.1},
    {"browDown": 0.9, "noseSneer": 0.6, "mouthUpperUp": 0.4, "jawOpen": 0.25},
    {"jawOpen": 0.7, "eyeWide": 0.9, "browInnerUp": 0.9},
    {"eyeBlink": 1.0, "mouthPress": 0.5},
    {"eyeBlink": 0.4, "eyeLookDown": 0.6, "mouthFrown": 0.9},
)
HEADS = ((0, 0, 0, 0, 0, 0), (0.05, 0.1, -0.08, 0.02, 0.01, 0.03), (-0.1, -0.2, 0.1, 0, -0.02, -0.05))


@pytest.fixture(scope="module")
def actor() -> Actor:
    with FaceTracker() as tracker:
        return PortraitPipeline(tracker, Rig.load(local_path("rig"))).prepare(astronaut(), size=SIZE)


@pytest.fixture(scope="module")
def torch_actor(actor: Actor) -> DifferentiableActor:
    return DifferentiableActor(actor)


def expressions() -> Tensor:
    rows = torch.zeros(len(LOOKS), len(ARKIT))
    for row, look in zip(rows, LOOKS, strict=True):
        for name, value in look.items():
            row[list(columns(name))] = value
    return rows


def heads() -> Tensor:
    return torch.tensor([HEADS[k % len(HEADS)] for k in range(len(LOOKS))])


def test_it_draws_what_the_renderer_draws(actor: Actor, torch_actor: DifferentiableActor) -> None:
    coefficients, head = expressions(), heads()
    with torch.no_grad():
        frames = torch_actor(coefficients, head).permute(0, 2, 3, 1).numpy() * 255
    left, top = actor.tracked.min(axis=0).astype(int)
    right, bottom = actor.tracked.max(axis=0).astype(int)
    for frame, one, pose in zip(frames, coefficients.numpy(), head.numpy(), strict=True):
        away = np.abs(frame - draw(actor, one, pose))
        assert away[top:bottom, left:right].mean() < 1.0
        assert away.mean() < 0.7
        assert np.quantile(away.max(axis=2), 0.99) < 12


def test_landmarks_are_the_renderers(actor: Actor, torch_actor: DifferentiableActor) -> None:
    coefficients = torch.rand(6, len(ARKIT), generator=torch.Generator().manual_seed(0))
    torch_actor.to(coefficients.dtype)
    found = torch_actor.landmarks(coefficients)
    for points, one in zip(found, coefficients, strict=True):
        assert points.numpy() == pytest.approx(pose_landmarks(actor, one.numpy()), abs=2e-3)


def test_a_frame_is_the_same_in_any_batch(torch_actor: DifferentiableActor) -> None:
    coefficients, head = expressions(), heads()
    with torch.no_grad():
        together = torch_actor(coefficients, head)
        alone = torch.cat([torch_actor(coefficients[k : k + 1], head[k : k + 1]) for k in range(len(head))])
    assert (together - alone).abs().max() < 1e-4


@pytest.mark.parametrize("look", [1, 3, 5])
def test_gradients_foretell_small_changes(torch_actor: DifferentiableActor, look: int) -> None:
    generator = torch.Generator().manual_seed(look)
    here = (
        expressions()[look : look + 1].double() + 0.05,
        0.05 * torch.randn(1, 6, generator=generator, dtype=torch.float64),
    )
    coarse = torch.randn(1, 3, 9, 9, generator=generator, dtype=torch.float64)
    weights = F.interpolate(coarse, size=(SIZE, SIZE), mode="bilinear")

    def value(point: tuple[Tensor, Tensor]) -> Tensor:
        return (torch_actor(*point) * weights).sum()

    point = (here[0].clone().requires_grad_(), here[1].clone().requires_grad_())
    gradients = torch.autograd.grad(value(point), point)
    for k, (gradient, length) in enumerate(zip(gradients, (3e-3, 1e-3), strict=True)):
        assert torch.isfinite(gradient).all()
        step = length * gradient / gradient.norm()  # where the value changes most
        with torch.no_grad():
            up, down = (
                value((here[0] + sign * step, here[1]) if k == 0 else (here[0], here[1] + sign * step))
                for sign in (1, -1)
            )
        assert float(up - down) / (2 * length) == pytest.approx(float(gradient.norm()), rel=0.12)


def grey_crops(frames: Tensor, landmarks: np.ndarray) -> Tensor:
    """Crops (T, 1, 48, 48) of frames (T, 3, H, W), as `face_crop` frames them, with a gradient."""
    back = np.linalg.inv(np.vstack([crop_from_frame(landmarks, 48), [0, 0, 1]]))[:2]
    y, x = np.mgrid[:48, :48] + 0.5
    places = np.stack([x, y], axis=-1) @ back[:, :2].T + back[:, 2] - 0.5
    grid = torch.tensor(2 * places / (frames.shape[-1] - 1) - 1, dtype=frames.dtype)
    grey = (frames * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1, keepdim=True)
    grey = F.avg_pool2d(grey, 3, 1, 1)
    return F.grid_sample(grey, grid.expand(len(frames), -1, -1, -1), align_corners=True)


def test_a_recognisers_gradient_asks_for_a_smile(actor: Actor, torch_actor: DifferentiableActor) -> None:
    recogniser = FaceRecogniser.load(local_path("face"))
    coefficients = torch.zeros(1, len(ARKIT))
    coefficients[:, list(columns("mouthSmile"))] = 0.3
    coefficients.requires_grad_()
    crops = grey_crops(torch_actor(coefficients, torch.zeros(1, 6)), actor.rest)
    facts = recogniser.facts
    log = F.log_softmax(recogniser.network((crops - facts.mean) / facts.std) / facts.temperature, dim=1)
    log[0, FACE8.labels.index("happiness")].backward()
    assert coefficients.grad is not None
    smile = coefficients.grad[0, list(columns("mouthSmile"))]
    assert (smile > 0).all()
    assert coefficients.grad[0, index("browDownLeft")] < smile.mean()


def test_a_curves_coverage_is_the_polygons() -> None:
    angle = np.radians(12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    x = np.linspace(0, 60, 11)
    upper = np.stack([x, -7 * np.sin(x / 60 * np.pi)], axis=1) @ turn.T + [15, 25]
    lower = np.stack([x, 9 * np.sin(x / 60 * np.pi)], axis=1) @ turn.T + [15, 25]
    pixels = torch.tensor(np.stack(np.meshgrid(np.arange(90.0), np.arange(60.0)), axis=-1))
    above, below = (torch.tensor(smooth(edge))[None] for edge in (upper, lower))
    found = coverage(pixels, above, below, 0.8)[0].numpy()
    drawn = cv2.GaussianBlur(mask((60, 90), outline(upper, lower), (0, 0), 0), (0, 0), 0.8)
    assert np.abs(found - drawn).mean() < 0.01
    assert np.abs(found - drawn).max() < 0.2


def test_wrong_shapes_are_refused_in_words(torch_actor: DifferentiableActor) -> None:
    with pytest.raises(ValueError, match=r"\(3, 52\) and head poses \(2, 6\) came; \(T, 52\)"):
        torch_actor(torch.zeros(3, 52), torch.zeros(2, 6))
