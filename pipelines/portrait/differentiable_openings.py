"""Eyes and mouth for the differentiable actor: the layers of `eyes` and `mouth`, edges in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipelines.portrait import mouth
from pipelines.portrait.arkit import index
from pipelines.portrait.eyes import GAZE, LASH_BLUR, LASH_ENDS, LASHES, LIDS, Eyeball
from pipelines.portrait.opening import Patch, patch, smooth

PIXEL = 1 / 12  # variance of a pixel's own width: what softens an edge that is drawn sharp


@dataclass(frozen=True)
class Place:
    """Affine maps from the photo to the frame, one a frame."""

    turn: Tensor  # (T, 2, 2)
    shift: Tensor  # (T, 2)

    def back(self, pixels: Tensor) -> Tensor:
        """Where in the photo (T, h, w, 2) pixels (h, w, 2) of the frame lie."""
        return (pixels - self.shift[:, None, None]) @ torch.linalg.inv(self.turn).transpose(1, 2)[:, None]


class Eye(nn.Module):
    """One `Eyeball` as tensors."""

    texture: Tensor
    lid: Tensor
    lash: Tensor
    origin: Tensor
    anchor: Tensor
    smooth_upper: Tensor
    smooth_lower: Tensor

    def __init__(self, eye: Eyeball, unit: float) -> None:
        super().__init__()
        self.unit, self.rows = unit, LIDS[eye.side]
        self.blink = index(f"eyeBlink{eye.side}")
        self.looks = [index(f"eyeLook{way}{eye.side}") for way in ("Out", "In", "Down", "Up")]
        self.outward = 1 if eye.side == "Left" else -1
        for name in ("texture", "lid"):
            _keep_picture(self, name, getattr(eye, name))
        for name, values in (("lash", eye.lash / 255), ("origin", eye.origin), ("anchor", eye.anchor)):
            _keep(self, name, np.asarray(values))
        for name, row in zip(("upper", "lower"), self.rows, strict=True):
            _keep(self, f"smooth_{name}", smooth(np.eye(len(row))))

    def close(self, frame: Tensor, sources: Tensor, points: Tensor, coefficients: Tensor) -> Tensor:
        """As `Eyeball.close`; the lashes' line is a soft band beside the lid's curve."""
        share = ((coefficients[:, self.blink] - 0.15) / 0.5).clamp(0, 1)[:, None, None]
        if not bool((share > 0).any()):
            return frame
        rows = points[:, [*self.rows[0], *self.rows[1]]]
        wide = rows[..., 0].detach().max(dim=1).values - rows[..., 0].detach().min(dim=1).values
        area = _around(rows, round(0.5 * float(wide.max())), frame)
        if area is None:
            return frame
        left, top, right, bottom = area
        at = sources[:, top:bottom, left:right] - self.origin
        high, across = self.lid.shape[-2:]
        limits = torch.tensor([across - 2, high - 2], device=at.device)
        # The patch of one frame, not the batch's, is what a frame is drawn over.
        pixels = _pixels(area, frame)
        low, far = rows.detach().amin(dim=1), rows.detach().amax(dim=1)
        margin = (0.5 * wide).round()[:, None]
        near = (pixels >= (low - margin)[:, None, None]) & (pixels <= (far + margin + 1)[:, None, None])
        inside = ((at > 1) & (at < limits) & near).all(dim=-1).to(frame.dtype)
        layer = sampled(self.lid.expand(len(at), -1, -1, -1), at)
        target = _blended(frame[:, :, top:bottom, left:right], layer, inside * share)
        curve = self.smooth_upper @ points[:, list(self.rows[0])]
        thick = (LASHES * wide).round().clamp_min(1)[:, None, None] / 2
        spread = (PIXEL + (LASH_BLUR * wide).clamp_min(0.7)[:, None, None] ** 2) ** 0.5
        distance = _distance(pixels, curve)
        lashes = _step(distance + thick, spread) - _step(distance - thick, spread)
        start, end = curve[:, 0, 0, None, None], curve[:, -1, 0, None, None]
        thin = torch.minimum(pixels[..., 0] - start, end - pixels[..., 0]) / (LASH_ENDS * wide[:, None, None])
        lashes = lashes * thin.clamp(0, 1)
        ink = self.lash[:, None, None].expand_as(target)
        return _laid(frame, area, _blended(target, ink, lashes * (0.75 * share)))

    def paint(self, frame: Tensor, place: Place, points: Tensor, coefficients: Tensor) -> Tensor:
        """As `Eyeball.paint`."""
        top, bottom = (points[:, list(row)] for row in self.rows)
        area = _around(torch.cat([top, bottom], dim=1), 2, frame)
        if area is None:
            return frame
        pixels = _pixels(area, frame)
        out, inward, down, up = coefficients[:, self.looks].unbind(1)
        gaze = torch.stack([self.outward * (out - inward) * GAZE[0], (down - up) * GAZE[1]], dim=1)
        gaze = self.unit * gaze
        corners = top[:, [0, -1]].mean(dim=1)
        back = Place(place.turn, corners).back(pixels)
        at = back + (self.anchor - self.origin - gaze)[:, None, None]
        layer = sampled(self.texture.expand(len(at), -1, -1, -1), at)
        alpha = coverage(pixels, self.smooth_upper @ top, self.smooth_lower @ bottom, 0.6)
        left, high, right, low = area
        return _laid(frame, area, _blended(frame[:, :, high:low, left:right], layer, alpha))


class Interior(nn.Module):
    """A `Mouth` as tensors."""

    cavity: Tensor
    tongue: Tensor
    down: Tensor
    smooth: Tensor
    own: Tensor  # nothing where the photo's mouth is closed

    def __init__(self, inside: mouth.Mouth) -> None:
        super().__init__()
        self.unit = inside.unit
        for name in ("cavity", "tongue"):
            _keep(self, name, getattr(inside, name) / 255)
        _keep(self, "down", inside.down)
        _keep(self, "smooth", smooth(np.eye(len(mouth.UPPER[0]))))
        for name, row in inside.rows.items():
            _keep_picture(self, f"{name}_teeth", row.texture)
            _keep(self, f"{name}_turn", np.linalg.inv(row.place[:, :2].astype(np.float64)))
            _keep(self, f"{name}_shift", row.place[:, 2])
        _keep_picture(self, "own", np.zeros((0, 0, 4)) if inside.own is None else inside.own)

    def paint(self, frame: Tensor, place: Place, points: Tensor, jaw: Tensor) -> Tensor:
        """As `Mouth.paint`."""
        upper, lower = points[:, list(mouth.UPPER[0])], points[:, list(mouth.LOWER[0])]
        area = _around(torch.cat([upper, lower], dim=1), 3, frame)
        if area is None:
            return frame
        pixels = _pixels(area, frame)
        gap = ((lower - upper) @ self.down).amax(dim=1)[:, None, None]
        wide = (gap / (mouth.DARK_UNDER * self.unit)).clamp(0, 1)
        layer = self._inside(pixels, place, upper, lower, jaw)
        light = self._light(pixels, upper, lower) * (0.3 + 0.7 * wide)
        alpha = coverage(pixels, self.smooth @ upper, self.smooth @ lower, 0.005 * self.unit)
        left, top, right, bottom = area
        mixed = _blended(
            frame[:, :, top:bottom, left:right], layer * light[:, None], alpha * (0.5 + 0.5 * wide)
        )
        return _laid(frame, area, mixed)

    def _inside(self, pixels: Tensor, place: Place, upper: Tensor, lower: Tensor, jaw: Tensor) -> Tensor:
        back = place.back(pixels)
        layer = self.cavity[:, None, None].expand(len(back), -1, *pixels.shape[:2])
        tongue = self._tongue(pixels, upper, lower)
        layer = _blended(layer, self.tongue[:, None, None].expand_as(layer), 0.8 * tongue)
        lowered = jaw * mouth.JAW_SHARE + mouth.LOWER_TEETH_DOWN * self.unit * self.down
        for name, shift in (("lower", lowered), ("upper", torch.zeros_like(lowered))):
            at = back - shift[:, None, None] - self.get_buffer(f"{name}_shift")
            at = at @ self.get_buffer(f"{name}_turn").T
            teeth = sampled(self.get_buffer(f"{name}_teeth").expand(len(at), -1, -1, -1), at, padding="zeros")
            layer = _blended(layer, teeth[:, :3], teeth[:, 3])
        if self.own.numel():
            own = sampled(self.own.expand(len(back), -1, -1, -1), back, padding="zeros")
            layer = _blended(layer, own[:, :3], own[:, 3])
        return layer

    def _tongue(self, pixels: Tensor, upper: Tensor, lower: Tensor) -> Tensor:
        across = upper[:, -1] - upper[:, 0]
        reach = across.norm(dim=1, keepdim=True)
        along = across / reach
        away = pixels - (lower[:, 5] - 0.02 * self.unit * self.down)[:, None, None]
        x = (away * along[:, None, None]).sum(dim=-1) / (0.31 * reach[:, None])
        across = torch.stack([-along[:, 1], along[:, 0]], dim=1)
        y = (away * across[:, None, None]).sum(dim=-1) / (0.13 * self.unit)
        edge = (1 - torch.sqrt(x * x + y * y + 1e-6)) * 0.13 * self.unit
        return _step(edge, 0.025 * self.unit)

    def _light(self, pixels: Tensor, upper: Tensor, lower: Tensor) -> Tensor:
        x, y = pixels[..., 0], pixels[..., 1]
        edge, _ = _height(x.expand(len(upper), -1, -1), upper)
        below = ((y - edge) / (0.035 * self.unit)).clamp(0, 1)
        reach = (upper[:, -1] - upper[:, 0]).norm(dim=1)[:, None, None]
        middle = ((lower[:, 5, 0] + upper[:, 5, 0]) / 2)[:, None, None]
        aside = ((x - middle).abs() / (0.5 * reach + 1e-3)).clamp(0, 1)
        return (0.62 + 0.38 * below) * (1 - 0.55 * aside**3)


def sampled(values: Tensor, at: Tensor, *, padding: str = "border") -> Tensor:
    """Values (T, C, h, w) read at places (T, H, W, 2), x and y counted in columns and rows: (T, C, H, W)."""
    last = torch.tensor([values.shape[3] - 1, values.shape[2] - 1], device=at.device, dtype=at.dtype)
    return F.grid_sample(values, 2 * at / last - 1, padding_mode=padding, align_corners=True)


def coverage(pixels: Tensor, upper: Tensor, lower: Tensor, softness: float) -> Tensor:
    """How much (T, h, w) of each pixel lies between curves (T, K, 2) that share their ends.

    An interval blurred by a bell curve is the difference of two of its running sums, one at each end.
    """
    along = F.normalize(upper[:, -1] - upper[:, 0], dim=1)
    turn = torch.stack([along, torch.stack([-along[:, 1], along[:, 0]], dim=1)], dim=2)  # (T, 2, 2)
    corner = upper[:, :1]
    place = (pixels - corner[:, None]) @ turn[:, None]
    above, below = ((curve - corner) @ turn for curve in (upper, lower))
    spread = (PIXEL + softness**2) ** 0.5
    top, steep = _height(place[..., 0], above)
    bottom, steeper = _height(place[..., 0], below)
    y = place[..., 1]
    seen = _step((y - top) * steep, spread) + _step((bottom - y) * steeper, spread) - 1
    ends = _step(place[..., 0], spread) * _step(above[:, -1, None, None, 0] - place[..., 0], spread)
    return seen.clamp_min(0) * ends


def _height(x: Tensor, curve: Tensor) -> tuple[Tensor, Tensor]:
    """y of curves (T, K, 2) at x (T, h, w), and the cosine of their slope there."""
    knots = curve[..., 0].detach().cummax(dim=1).values.contiguous()
    flat = x.detach().reshape(len(x), -1).contiguous()
    segment = torch.searchsorted(knots, flat).clamp(1, curve.shape[1] - 1)[..., None].expand(-1, -1, 2)
    start, end = curve.gather(1, segment - 1), curve.gather(1, segment)
    run = (end - start)[..., 0].clamp_min(1e-3)
    share = ((x.reshape(len(x), -1) - start[..., 0]) / run).clamp(0, 1)
    rise = (end - start)[..., 1]
    height = start[..., 1] + share * rise
    return height.view_as(x), (1 / torch.sqrt(1 + (rise / run) ** 2)).view_as(x)


def _distance(pixels: Tensor, curve: Tensor) -> Tensor:
    """Distance (T, h, w) of pixels (h, w, 2) from polylines (T, K, 2)."""
    start, step = curve[:, :-1], curve[:, 1:] - curve[:, :-1]
    away = pixels[None, :, :, None] - start[:, None, None]
    share = (away * step[:, None, None]).sum(-1) / ((step**2).sum(-1)[:, None, None] + 1e-6)
    gap = away - share.clamp(0, 1)[..., None] * step[:, None, None]
    return ((gap**2).sum(-1) + 1e-6).amin(dim=-1).sqrt()


def _step(value: Tensor, spread: float | Tensor) -> Tensor:
    """From 0 to 1 as a value passes 0, over a bell curve's standard deviation."""
    return 0.5 * (1 + torch.erf(value / (spread * 2**0.5)))


def _around(points: Tensor, margin: int, frame: Tensor) -> Patch | None:
    """The patch that holds points (T, N, 2) of all frames."""
    return patch(points.detach().reshape(-1, 2).cpu().numpy(), margin, (frame.shape[2], frame.shape[3]))


def _pixels(area: Patch, like: Tensor) -> Tensor:
    left, top, right, bottom = area
    y = torch.arange(top, bottom, device=like.device, dtype=like.dtype)
    x = torch.arange(left, right, device=like.device, dtype=like.dtype)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def _blended(under: Tensor, over: Tensor, alpha: Tensor) -> Tensor:
    return under + (over - under) * alpha[:, None]


def _laid(frame: Tensor, area: Patch, part: Tensor) -> Tensor:
    left, top, right, bottom = area
    frame = frame.clone()
    frame[:, :, top:bottom, left:right] = part
    return frame


def _keep(module: nn.Module, name: str, values: np.ndarray) -> None:
    module.register_buffer(name, torch.tensor(np.asarray(values, np.float32)), persistent=False)


def _keep_picture(module: nn.Module, name: str, picture: np.ndarray) -> None:
    """Keeps a picture (H, W, C) uint8 as (C, H, W) in [0, 1]."""
    _keep(module, name, picture.transpose(2, 0, 1) / 255)
