"""What a filmed performer does, against their own face at rest: tracked landmarks become rig coordinates.

Every person's rest face is their own: long, smiling by build, with high brows. So the frames in which the
performer is nearest to rest are found first, and only what departs from them is explained by coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.spatial.transform import Rotation

from pipelines.portrait.arkit import ARKIT, columns, index
from pipelines.portrait.eyes import GAZE, IRISES, LIDS
from pipelines.portrait.pose import align
from pipelines.portrait.rig import DEPTH_TRUST, EXPRESSION_SPREAD, NOISE, POINTS, SIDES, SIDES_DIFFER, Rig

Array = NDArray[np.float64]
Points = NDArray[np.floating]

RIGID = 120  # landmarks that no coefficient moves much: they say where the head is
REST_SHARE, REST_LEAST = 0.05, 5  # how many of the frames are averaged to the rest face
GAP_COUNTS = 2.0  # how much more an open mouth departs from rest than the same distance elsewhere
SHARED = 2.5  # neighbouring landmarks err together: so many times the noise of one that errs alone
RARE = ("mouthFrown", "mouthPress", "mouthShrug", "mouthStretch")  # they readily explain other moves
RARE_SPREAD = 0.18
SWEEPS = 60  # of coordinate descent; 30 differ by less than .005
# What a camera does not show well enough to be told from noise.
UNSEEN = ("eyeLook", "eyeBlink", "tongue", "cheekPuff", "jawForward")
# How much of a coefficient may be a person's build: more of it, held all the time, is a smile that is meant.
BUILD = 0.35
WHOLLY_BUILD = (
    "browInner",
    "browOuter",
    "eyeWide",
    "eyeSquint",
    "mouthPress",
    "mouthRoll",
    "mouthShrug",
    "mouthFrown",
)
NARROWED, SHUT = 0.88, 0.3  # lids' opening, against its usual, where a blink begins and where it is complete
HIDDEN = 0.6  # under it the lids hide too much of an iris to say where it looks
SEALED = 0.012  # lips this near, in distances between the outer eye corners, touch
INNER_LIPS = (13, 14)
FACE_SECONDS, LID_SECONDS, HEAD_SECONDS = 0.025, 0.012, 0.06  # sigma of what is smoothed away
DRIFT_SECONDS = 4.0  # slower shifts are the camera's or the chair's, not the head's
FURTHEST = 4.0  # distances between the outer eye corners that a head shifts
NECK = (0.25, 0.55)  # the head turns about a point below the chin and behind the face's edge: `head_field.py`


@dataclass(frozen=True)
class Take:
    """A performance frame by frame, in the frames that show a face."""

    coefficients: Array  # (N, 52) in [0, 1], 0 at the performer's rest
    opening: Array  # (N,) distance between the inner lips, in distances between the outer eye corners
    head: Array  # (N, 6) as in `Motion`, against the performer's mean pose


def observe(landmarks: NDArray[np.floating], fps: float, rig: Rig) -> Take:
    """A face tracked through N frames (N, 478, 3), in pixels, as movements of the rig."""
    points, rotations, scales, shifts = _in_rig(landmarks, rig)
    gap = points[:, INNER_LIPS[1], 1] - points[:, INNER_LIPS[0], 1]
    rest = _rest(points, gap)
    # Again, now held against the performer's own face: what differs from the rig's is no longer pose.
    points, rotations, scales, shifts = _in_rig(landmarks, rig, points[rest].mean(axis=0))
    neutral = points[rest].mean(axis=0)
    steady = gaussian_filter1d(points, FACE_SECONDS * fps, axis=0, mode="nearest")
    face = _explained(steady[:, :POINTS] - neutral[:POINTS], neutral, rig)
    lids = _lids(points, fps)
    face[:, list(columns("eyeBlink"))] = lids
    face += _gaze(points, rest, lids.max(axis=1), fps)
    gap = points[:, INNER_LIPS[1], 1] - points[:, INNER_LIPS[0], 1]
    opening = gaussian_filter1d(np.clip(gap - SEALED, 0, None), LID_SECONDS * fps, mode="nearest")
    return Take(np.clip(face, 0, 1), opening, _head(rotations, scales, shifts, neutral, fps))


def _in_rig(
    landmarks: NDArray[np.floating], rig: Rig, face: Points | None = None
) -> tuple[Points, Array, Array, Array]:
    """Points (N, 478, 3) in the rig's frame, rotations (N, 3, 3), scales (N,) and shifts (N, 3)."""
    shape = rig.neutral.astype(np.float64) if face is None else face[:POINTS]
    rigid = np.argsort(np.linalg.norm(rig.deltas, axis=-1).max(axis=0))[:RIGID]
    poses = [align(shape[rigid], frame[rigid].astype(np.float64)) for frame in landmarks]
    # Single precision is far finer than any tracker, and ten minutes of video have 18,000 frames.
    points = np.stack(
        [pose.unproject(frame).astype(np.float32) for pose, frame in zip(poses, landmarks, strict=True)]
    )
    rotations = np.stack([pose.rotation for pose in poses])
    scales, shifts = np.array([pose.scale for pose in poses]), np.stack([pose.shift for pose in poses])
    return points, rotations, scales, shifts


def _rest(points: Points, gap: Points) -> NDArray[np.intp]:
    """The frames nearest to the performer's rest: close to the usual face, with the mouth closed."""
    usual = np.median(points[:, :POINTS], axis=0)
    away = np.sqrt(((points[:, :POINTS] - usual) ** 2).sum(axis=-1).mean(axis=1))
    away = away + GAP_COUNTS * np.clip(gap - np.percentile(gap, 5), 0, None) / np.sqrt(POINTS)
    return np.argsort(away, kind="stable")[: max(REST_LEAST, round(REST_SHARE * len(points)))]


def _explained(moved: Points, neutral: Points, rig: Rig) -> Array:
    """Coefficients (N, 52) of movements (N, 468, 3): bounded, maximum a posteriori, all frames at once."""
    _, own = rig.fit(neutral * 100)
    build = np.minimum(own, BUILD)
    wholly = [k for k, name in enumerate(ARKIT) if name.startswith(WHOLLY_BUILD)]
    build[wholly] = own[wholly]
    kept = (own - build).astype(np.float64)  # held at rest too, but more than anybody's build
    unseen = [k for k, name in enumerate(ARKIT) if name.startswith(UNSEEN)]
    kept[unseen] = 0

    weights = np.tile([1.0, 1.0, DEPTH_TRUST], POINTS) / (SHARED * NOISE)
    basis = rig.deltas.reshape(len(ARKIT), -1).T.astype(np.float64) * weights[:, None]
    basis[:, unseen] = 0
    spread = np.array([RARE_SPREAD if name.startswith(RARE) else EXPRESSION_SPREAD for name in ARKIT])
    prior = np.diag(spread**-2) + (SIDES / SIDES_DIFFER).T @ (SIDES / SIDES_DIFFER)
    normal = basis.T @ basis + prior
    wanted = (moved.reshape(len(moved), -1) * weights) @ basis
    low, high = -kept, 1 - kept
    solution = np.zeros((len(moved), len(ARKIT)))
    for _ in range(SWEEPS):
        for k in range(len(ARKIT)):
            pull = wanted[:, k] - solution @ normal[:, k] + solution[:, k] * normal[k, k]
            solution[:, k] = np.clip(pull / normal[k, k], low[k], high[k])
    return solution + kept


def _lids(points: Points, fps: float) -> Array:
    """How far the lids are closed (N, 2), left and right, from the distance of their margins."""
    closed = []
    for side in ("Left", "Right"):
        upper, lower = (list(row) for row in LIDS[side])
        width = np.linalg.norm(points[:, upper[0]] - points[:, upper[-1]], axis=1)
        apart = (points[:, lower, 1] - points[:, upper, 1]).max(axis=1) / width
        apart = gaussian_filter1d(apart, LID_SECONDS * fps, mode="nearest")
        usual = max(float(np.percentile(apart, 65)), 1e-3)
        closed.append(np.clip((NARROWED - apart / usual) / (NARROWED - SHUT), 0, 1))
    return np.stack(closed, axis=1)


def _gaze(points: Points, rest: NDArray[np.intp], lids: Array, fps: float) -> Array:
    """Coefficients (N, 52) of where both eyes look together; behind closed lids they stay where they were."""
    moved = []
    for side in ("Left", "Right"):
        corners = points[:, [LIDS[side][0][0], LIDS[side][0][-1]]].mean(axis=1)
        moved.append((points[:, IRISES[side][0]] - corners)[:, :2])
    look = np.mean(moved, axis=0)
    look = look - np.median(look[rest], axis=0)
    seen = np.flatnonzero(lids < HIDDEN)
    if not len(seen):
        return np.zeros((len(points), len(ARKIT)))
    look = np.stack([np.interp(np.arange(len(look)), seen, axis[seen]) for axis in look.T], axis=1)
    look = median_filter(look, (2 * round(0.03 * fps) + 1, 1), mode="nearest")
    right, down = np.clip(look / GAZE, -1, 1).T  # to the viewer's right is to the person's left
    face = np.zeros((len(points), len(ARKIT)))
    face[:, list(columns("eyeLookDown"))] = np.clip(down, 0, 1)[:, None]
    face[:, list(columns("eyeLookUp"))] = np.clip(-down, 0, 1)[:, None]
    face[:, index("eyeLookOutLeft")] = face[:, index("eyeLookInRight")] = np.clip(right, 0, 1)
    face[:, index("eyeLookInLeft")] = face[:, index("eyeLookOutRight")] = np.clip(-right, 0, 1)
    return face


def _head(rotations: Array, scales: Array, shifts: Array, neutral: Points, fps: float) -> Array:
    """Head poses (N, 6) against the mean pose, as `HeadField` turns and moves a head."""
    mean = Rotation.from_matrix(rotations).mean()
    turned = Rotation.from_matrix(rotations) * mean.inv()
    pitch, left, roll = turned.as_euler("xyz").T
    drift = round(DRIFT_SECONDS * fps)
    nearer = scales / _usual(scales, drift)
    moved = (shifts - _usual(shifts, drift)) / scales[:, None]
    # Seen is a point between the eyes; told is the head's shift, without its turn about the neck.
    edge = neutral[[10, 152, 234, 454], 2].mean()
    neck = mean.apply([0.0, neutral[152, 1] + NECK[0], edge + NECK[1]])
    shift = (moved - neck) / nearer[:, None] + turned.apply(neck)
    shift = np.clip(np.column_stack([shift[:, :2], (1 - nearer) / 0.2]), -FURTHEST, FURTHEST)
    head = np.column_stack([pitch, -left, roll, shift])
    return gaussian_filter1d(head, HEAD_SECONDS * fps, axis=0, mode="nearest")


def _usual(values: Array, frames: int) -> Array:
    """A running median over time; over the whole of a clip shorter than that."""
    if len(values) <= frames:
        return np.broadcast_to(np.median(values, axis=0), values.shape)
    size = (frames | 1, *(1 for _ in values.shape[1:]))
    return gaussian_filter1d(median_filter(values, size, mode="nearest"), frames / 6, axis=0, mode="nearest")
