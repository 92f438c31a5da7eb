"""The same actor drawn with torch: frames with a gradient for the coefficients and the head's pose.

A recogniser's gradient can so reach a motion. `renderer.draw` stays the measure; what differs from it:
colours are not rounded to bytes between the layers, maps are sampled without OpenCV's steps of 1/32 pixel,
and the edges of lips, lids, lashes and tongue are soft curves in closed form in place of drawn and blurred
polygons. Which triangle covers a node is found as in `Mesh.carry`, without a gradient: the map is continuous
where that changes.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipelines.portrait.differentiable_openings import Eye, Interior, Place, sampled
from pipelines.portrait.eyes import LIDS, LOWER_SHARE
from pipelines.portrait.head_field import ROUNDS
from pipelines.portrait.lattice import Lattice
from pipelines.portrait.mesh import OVAL, RINGS, SLIVER, SQUEEZED
from pipelines.portrait.mouth import BETWEEN, CLOSING, LOWER, UPPER
from pipelines.portrait.renderer import BLINKS, LID_POINTS, Actor
from pipelines.portrait.rig import POINTS
from pipelines.portrait.shading import BRIGHTER, BRIGHTEST, DARKER, DEEPEST, OWN_BRIGHTEST
from pipelines.portrait.triangles import cover

AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1))  # where the head's motion is felt out around a point


class DifferentiableActor(nn.Module):
    """An actor whose frames carry gradients; it follows its inputs to their device and number type.

    >>> frames = DifferentiableActor(actor)(coefficients, head)  # doctest: +SKIP
    """

    rest: Tensor
    tracked: Tensor
    moves: Tensor
    open_eyes: Tensor
    seam: Tensor
    down: Tensor
    closing: Tensor
    vertices: Tensor
    area: Tensor
    depths: Tensor
    follow: Tensor
    skin: Tensor
    layers: Tensor
    own: Tensor
    tint: Tensor
    places: Tensor
    nodes: Tensor
    head_nodes: Tensor
    triangles: Tensor

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.actor = actor
        self.size = len(actor.skin)
        shading, mesh = actor.shading, actor.mesh
        seen = np.ones(len(actor.moves), np.float32)
        seen[BLINKS] = 0
        constants = {
            "rest": actor.rest,
            "tracked": actor.tracked,
            "moves": actor.moves,
            "open_eyes": seen,
            "seam": actor.seam,
            "down": actor.mouth.down,
            "closing": CLOSING,
            "vertices": mesh.rest,
            "area": mesh.area,
            "depths": actor.field.depths,
            "follow": actor.field.follow,
            "skin": actor.skin.transpose(2, 0, 1) / 255,
            "layers": shading.layers,
            "own": shading.own,
            "tint": shading.tint,
            "places": np.stack(shading.places, axis=-1),
            "nodes": actor.lattice.nodes(),
            "head_nodes": actor.field.lattice.nodes(),
        }
        for name, array in constants.items():
            self.register_buffer(name, torch.tensor(np.asarray(array, np.float32)), persistent=False)
        self.register_buffer("triangles", torch.tensor(mesh.triangles.T.copy()).long(), persistent=False)
        self.right, self.left = (Eye(eye, actor.unit) for eye in actor.eyes)
        self.interior = Interior(actor.mouth)

    def forward(self, coefficients: Tensor, head: Tensor) -> Tensor:
        """Frames (T, 3, size, size) in [0, 1] for ARKit coefficients (T, 52) and head poses (T, 6).

        Raises:
            ValueError: the two do not have these shapes.
        """
        if coefficients.shape[1:] != (len(self.moves),) or head.shape != (len(coefficients), 6):
            raise ValueError(
                f"Coefficients {tuple(coefficients.shape)} and head poses {tuple(head.shape)} came; "
                f"(T, {len(self.moves)}) and (T, 6) are needed."
            )
        self.to(coefficients.device, coefficients.dtype)
        head = head.to(coefficients)
        points = self.landmarks(coefficients)
        there = self._there(head)
        sources = self._sources(points, there)
        grid = 2 * sources / (self.size - 1) - 1
        lit = self._lit(coefficients)
        frame = F.grid_sample(lit, grid, padding_mode="reflection", align_corners=True)
        seen = points + self._moved(there, points)
        for eye in (self.right, self.left):
            frame = eye.close(frame, sources, seen, coefficients)
            frame = eye.paint(frame, self._around(there, eye.anchor.expand(len(seen), 2)), seen, coefficients)
        place = self._around(there, points[:, [13, 14]].mean(dim=1))
        return self.interior.paint(frame, place, seen, points[:, 152] - self.rest[152])

    def landmarks(self, coefficients: Tensor) -> Tensor:
        """Landmarks (T, 468, 2) in pixels, the head at rest, as `renderer.pose_landmarks` has them."""
        points = self.rest + (coefficients @ self.moves).view(-1, POINTS, 2)
        still = self.rest + ((coefficients * self.open_eyes) @ self.moves).view(-1, POINTS, 2)
        lids = torch.tensor(LID_POINTS, device=points.device)
        points = points.index_copy(1, lids, still[:, lids])
        for (upper, lower), column in zip(LIDS.values(), _blink_columns(), strict=True):
            points = _lids_closed(points, upper, lower, coefficients[:, column, None, None])
        gap = (points[:, list(LOWER[0])] - points[:, list(UPPER[0])]) @ self.down
        change = (torch.maximum(gap, self.seam) - gap)[:, 1:-1, None] * self.down
        between = torch.tensor(BETWEEN, device=points.device)
        return points.index_add(
            1, between, (self.closing[:, None, None] * change[:, None]).reshape(len(points), -1, 2)
        )

    def _there(self, head: Tensor) -> Tensor:
        """How far (T, 2, n, n), in pixels, the head's pose moves each node, as `HeadField.turn` has it."""
        turned = _rotation(head[:, :3])[:, :2] @ self.depths + self.actor.unit * head[:, 3:5, None]
        turned = turned * (1 - 0.2 * head[:, 5, None, None]) - self.depths[:2]
        side = self.actor.field.lattice.count
        return (turned * self.follow).view(-1, 2, side, side)

    def _moved(self, there: Tensor, points: Tensor) -> Tensor:
        """How far (T, N, 2) the head moves points (T, N, 2)."""
        at = self.actor.field.lattice.numbered(points)
        return sampled(there, at[:, None])[:, :, 0].transpose(1, 2)

    def _around(self, there: Tensor, point: Tensor) -> Place:
        reach = 0.25 * self.actor.unit
        steps = reach * torch.tensor(AROUND, device=point.device, dtype=point.dtype)
        right, left, below, above = self._moved(there, point[:, None] + steps).unbind(1)
        eye = torch.eye(2, device=point.device, dtype=point.dtype)
        turn = eye + torch.stack([right - left, below - above], dim=2) / (2 * reach)
        middle = (right + left + below + above) / 4
        return Place(turn, point + middle - (turn @ point[:, :, None])[:, :, 0])

    def _sources(self, points: Tensor, there: Tensor) -> Tensor:
        """Which pixel of the photo each pixel shows, (T, size, size, 2), as `renderer.warp` has it."""
        coarse, fine = self.actor.field.lattice, self.actor.lattice
        column_row = coarse.numbered(self.head_nodes)
        back = there
        for _ in range(ROUNDS):
            back = sampled(there, column_row - back.permute(0, 2, 3, 1) / coarse.step)
        times = coarse.step // fine.step
        back = _grown(back, times)[..., times - 1 :, times - 1 :][..., : fine.count, : fine.count]
        displacement = points - self.tracked
        oval = displacement[:, list(OVAL)]
        vertices = self.vertices + torch.cat([displacement, *(oval * share for _, share in RINGS)], dim=1)
        placed = vertices + self._moved(there, vertices)
        nodes = self.nodes.permute(2, 0, 1) - back + self._carried(placed, self.vertices - vertices, fine)
        spread = _grown(nodes, fine.step)
        inside = slice(fine.step, fine.step + self.size)
        return spread[..., inside, inside].permute(0, 2, 3, 1)

    def _carried(self, vertices: Tensor, values: Tensor, lattice: Lattice) -> Tensor:
        """Values (T, V, 2) at vertices (T, V, 2), interpolated over the lattice: (T, 2, n, n)."""
        at = lattice.numbered(vertices)
        corners = at.transpose(1, 2)[:, :, self.triangles]  # (T, 2, 3, N)
        given = values.transpose(1, 2)[:, :, self.triangles]
        maps, area = _affine(corners, given)
        left_of_it = area * lattice.step**2 / self.area
        constant = torch.zeros_like(maps)
        constant[:, :, 2] = given.mean(dim=2)
        maps = torch.where((left_of_it < SLIVER)[:, None, None], constant, maps)
        index = torch.stack([self._covered(*pair) for pair in zip(corners, left_of_it, strict=True)])
        maps = F.pad(maps, (1, 0))
        chosen = maps.gather(3, index[:, None, None].expand(-1, 2, 3, -1))
        row, column = torch.meshgrid(*[torch.arange(lattice.count, device=at.device)] * 2, indexing="ij")
        x, y = column.reshape(-1), row.reshape(-1)
        carried = chosen[:, :, 0] * x + chosen[:, :, 1] * y + chosen[:, :, 2]
        return carried.view(len(at), 2, lattice.count, lattice.count)

    def _covered(self, corners: Tensor, left_of_it: Tensor) -> Tensor:
        """Which triangle (n * n,) covers each node, 0 for none; found on the CPU, without a gradient."""
        order = np.argsort((left_of_it > SQUEEZED).cpu().numpy(), kind="stable")
        count = self.actor.lattice.count
        found = cover(corners.detach().float().cpu().numpy()[..., order], count, count).reshape(-1)
        return torch.from_numpy(np.concatenate([[0], order + 1])[found]).to(corners.device)

    def _lit(self, coefficients: Tensor) -> Tensor:
        """The skin (T, 3, size, size), lit as `Shading.apply` does."""
        shading = self.actor.shading
        log = (coefficients @ self.layers).view(-1, *self.own.shape)
        log = DARKER * log + (BRIGHTER - DARKER) * log.clamp_min(0)
        log = (log.clamp(DEEPEST, BRIGHTEST) + self.own).clamp(DEEPEST, OWN_BRIGHTEST)
        change = torch.exp(log[:, None] * self.tint[:, None, None]) - 1
        step = shading.lattice.step
        change = _grown(sampled(change, self.places.expand(len(log), -1, -1, -1), padding="zeros"), step)
        left, top, right, bottom = (step * (node - 1) for node in shading.area)
        change = change[..., : self.size - top, : self.size - left]
        around = (left, max(0, self.size - right), top, max(0, self.size - bottom))
        return (self.skin * (1 + F.pad(change, around))).clamp(0, 1)


def _blink_columns() -> list[int]:
    """The blink coefficients in the order of LIDS, which starts with the person's right eye."""
    left, right = BLINKS
    return [right, left]


def _lids_closed(points: Tensor, upper: tuple[int, ...], lower: tuple[int, ...], blink: Tensor) -> Tensor:
    top, bottom = points[:, list(upper)], points[:, list(lower)]
    crossed = (bottom - top)[..., 1:] < 0
    middle = (top + bottom) / 2
    top, bottom = torch.where(crossed, middle, top), torch.where(crossed, middle, bottom)
    gap = bottom - top
    device = points.device
    bottom, top = bottom - blink * LOWER_SHARE * gap, top + blink * (1 - LOWER_SHARE) * gap
    points = points.index_copy(1, torch.tensor(lower[1:-1], device=device), bottom[:, 1:-1])
    return points.index_copy(1, torch.tensor(upper[1:-1], device=device), top[:, 1:-1])


def _rotation(angles: Tensor) -> Tensor:
    """Rotations (T, 3, 3) of pitch, yaw and roll (T, 3), as `HeadField` turns."""
    (cp, cy, cr), (sp, sy, sr) = angles.cos().unbind(1), angles.sin().unbind(1)
    one, nil = torch.ones_like(cp), torch.zeros_like(cp)
    nod = torch.stack([one, nil, nil, nil, cp, -sp, nil, sp, cp], dim=1).view(-1, 3, 3)
    turn = torch.stack([cy, nil, -sy, nil, one, nil, sy, nil, cy], dim=1).view(-1, 3, 3)
    tilt = torch.stack([cr, -sr, nil, sr, cr, nil, nil, nil, one], dim=1).view(-1, 3, 3)
    return tilt @ turn @ nod


def _affine(corners: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """As `triangles.affine`, for (T, 2, 3, N): maps (T, 2, 3, N) and areas (T, N)."""
    a = corners[:, :, 0]
    u, v = corners[:, :, 1] - a, corners[:, :, 2] - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    inverse = 1 / torch.where(area.abs() > 1e-6, area, 1.0)
    p, q = ((values[:, :, k] - values[:, :, 0]) * inverse[:, None] for k in (1, 2))
    along_x = p * v[:, None, 1] - q * u[:, None, 1]
    along_y = q * u[:, None, 0] - p * v[:, None, 0]
    constant = values[:, :, 0] - along_x * a[:, None, 0] - along_y * a[:, None, 1]
    return torch.stack([along_x, along_y, constant], dim=2), area


def _grown(values: Tensor, times: int) -> Tensor:
    """Values (T, C, h, w) with so many pixels a node, along each axis."""
    return F.interpolate(values, scale_factor=times, mode="bilinear") if times > 1 else values
