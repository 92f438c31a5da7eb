"""Draws an actor: a photo made ready once, then a frame for every set of ARKit coefficients and head pose."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.portrait import mouth as lips
from pipelines.portrait.arkit import ARKIT, index
from pipelines.portrait.complexion import Complexion
from pipelines.portrait.eyes import BESIDE, LIDS, Eyeball, close_lids, eyeball, gaze_shift
from pipelines.portrait.head_field import HeadField, Turn
from pipelines.portrait.holding import Hold
from pipelines.portrait.lattice import Lattice
from pipelines.portrait.mesh import Mesh
from pipelines.portrait.mouth import LOWER, UPPER, Mouth
from pipelines.portrait.opening import mask, outline
from pipelines.portrait.paste import Surround
from pipelines.portrait.pose import Pose
from pipelines.portrait.rig import POINTS, Rig
from pipelines.portrait.shading import Shading

BLINKS = [index("eyeBlinkLeft"), index("eyeBlinkRight")]
LID_POINTS = sorted({p for rows in LIDS.values() for row in rows for p in row[1:-1]})
# The fit's prior pulls coefficients towards 0, and a smile takes cheeks and lower lids along. Without a
# smile,
# narrow eyes are a person's own.
SMILE, CHEEKS, LIDS_UP = (
    [i for i, name in enumerate(ARKIT) if name.startswith(part)]
    for part in ("mouthSmile", "cheekSquint", "eyeSquint")
)
SMILE_TAKEN, CHEEKS_TAKEN = 1.5, 0.5
# A photo's openness of the eyes and height of the brows are read as the person's own look, not taken away.
KEPT = [i for i, name in enumerate(ARKIT) if name.startswith(("eyeBlink", "eyeWide", "eyeLook", "brow"))]


@dataclass(frozen=True)
class Actor:
    """One photographed face, ready to be drawn with any expression."""

    picture: np.ndarray  # (size, size, 3) uint8
    skin: np.ndarray  # the same, with lips continued over the mouth and lids over the eyes
    tracked: np.ndarray  # (468, 2) landmarks of the photo, as the mesh holds them
    rest: np.ndarray  # (468, 2) landmarks with the photo's expression taken away
    seam: np.ndarray  # (11,) least gap between the lips
    pose: Pose
    rig: Rig
    moves: np.ndarray  # (52, 468 * 2) float32 pixels that each coefficient moves the landmarks
    lattice: Lattice
    mesh: Mesh
    eyes: tuple[Eyeball, ...]
    mouth: Mouth
    shading: Shading
    field: HeadField
    notes: tuple[str, ...] = ()  # what to tell the person who gave the photo
    surround: Surround | None = None  # the photo around the square, where it is to be shown

    @property
    def unit(self) -> float:
        """Pixels between the outer eye corners, in depth."""
        return self.pose.scale

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the clip's frames in pixels."""
        height, width = (self.picture if self.surround is None else self.surround.picture).shape[:2]
        return width, height

    def whole(self, frame: np.ndarray) -> np.ndarray:
        """A drawn square (size, size, 3) as the clip shows it: alone, or with the photo around it."""
        return frame if self.surround is None else self.surround.around(frame)


def make_actor(
    picture: np.ndarray,
    landmarks: np.ndarray,
    person: np.ndarray,
    rig: Rig,
    notes: tuple[str, ...] = (),
    *,
    surround: Surround | None = None,
) -> Actor:
    """Prepares a square picture with a face at landmarks (478, 3) and somebody where `person` is 1.

    Where a `surround` goes on below the square, the shoulders at its lower edge hold still.
    """
    pose, own = rig.fit(landmarks)
    unit = pose.scale
    down = lips.face_down(pose)
    tracked = landmarks.copy()
    closed = lips.gaps(tracked, down) < lips.CLOSED * unit
    if closed.all():
        lips.part(tracked, down, np.zeros(len(closed)))
    seam = np.zeros(len(closed)) if closed.all() else lips.seam_gaps(unit)
    removed = own.copy()
    removed[KEPT] = 0
    removed[CHEEKS] += CHEEKS_TAKEN * own[SMILE]
    removed[LIDS_UP] *= np.minimum(1, SMILE_TAKEN * own[SMILE])
    removed[SMILE] *= SMILE_TAKEN
    hold = Hold.of(picture, tracked, pose, rig)
    rest = tracked[:POINTS].copy()
    rest[:, :2] -= hold.applied(rig.displacement(pose, removed)[:, :2])
    lips.part(rest, down, seam)
    skin = _cover_openings(picture, tracked, closed=bool(closed.all()), unit=unit)
    mesh, lattice = Mesh.build(tracked, rig), Lattice.over(len(picture))
    moves = np.stack([rig.drawn(pose, one)[:, :2] for one in np.eye(len(ARKIT), dtype=np.float32)])
    moves = hold.applied(moves)
    return Actor(
        picture=picture,
        skin=skin,
        tracked=tracked[:POINTS, :2],
        rest=rest[:, :2],
        seam=seam,
        pose=pose,
        rig=rig,
        moves=moves.reshape(len(ARKIT), -1),
        lattice=lattice,
        mesh=mesh,
        shading=Shading.build(mesh, rig, removed, Complexion.of(picture, tracked).shadow, lattice),
        eyes=tuple(eyeball(picture, tracked, side) for side in LIDS),
        mouth=Mouth.build(picture, tracked, rest, pose, rig),
        field=HeadField.build(
            tracked, person, unit, still_below=surround is not None and surround.goes_on_below
        ),
        notes=notes,
        surround=surround,
    )


def draw(actor: Actor, coefficients: np.ndarray, head: np.ndarray) -> np.ndarray:
    """One frame (size, size, 3) uint8 for ARKit coefficients (52,) and a head pose (6,) as in `Motion`.

    The skin is lit in the photo and then warped once, by the expression's mesh and the head's turn together.
    """
    points = pose_landmarks(actor, coefficients)
    turn = actor.field.turn(head)
    vertices = actor.mesh.move(points - actor.tracked)
    placed = turn.place(vertices)
    sources = warp(actor, vertices, placed, turn)
    skin = actor.shading.apply(actor.skin, coefficients)
    frame = cv2.remap(skin, *sources, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    seen = placed[:POINTS]
    lips_meet = points[[13, 14]].mean(axis=0)
    *places, mouth_place = turn.around(np.stack([*(eye.anchor for eye in actor.eyes), lips_meet]))
    for eye, place in zip(actor.eyes, places, strict=True):
        eye.close(frame, sources, seen, float(coefficients[index(f"eyeBlink{eye.side}")]))
        eye.paint(frame, place, seen, gaze_shift(eye.side, coefficients, actor.unit))
    actor.mouth.paint(frame, mouth_place, seen, points[152] - actor.rest[152])
    return frame


def warp(actor: Actor, vertices: np.ndarray, placed: np.ndarray, turn: Turn) -> tuple[np.ndarray, np.ndarray]:
    """Which pixel of the photo each pixel of a frame shows: x and y, (size, size) float32.

    The mesh's vertices (V, 2) lie where the expression takes them, `placed` where the turn takes those.
    """
    planes = turn.sources(actor.lattice)
    offsets, area = actor.mesh.carry(placed, actor.mesh.rest - vertices, actor.lattice)
    left, top, right, bottom = area
    for plane, offset in zip(planes, offsets, strict=True):
        plane[top:bottom, left:right] += offset
    x, y = (actor.lattice.spread(plane) for plane in planes)
    return x, y


def pose_landmarks(actor: Actor, coefficients: np.ndarray) -> np.ndarray:
    """Landmarks (468, 2) in pixels for an expression, the head at rest; lips and lids never cross."""
    both = np.stack([coefficients, coefficients]).astype(np.float32)
    both[1, BLINKS] = 0
    points, open_eyes = actor.rest + (both @ actor.moves).reshape(2, POINTS, 2)
    points[LID_POINTS] = open_eyes[LID_POINTS]
    close_lids(points, coefficients)
    down = actor.mouth.down
    lips.part(points, down, np.maximum(lips.gaps(points, down), actor.seam))
    return points


def _cover_openings(picture: np.ndarray, landmarks: np.ndarray, *, closed: bool, unit: float) -> np.ndarray:
    """The picture with skin carried on over eyes and an open mouth: no tooth or iris is ever stretched."""
    height, width = picture.shape[:2]
    hidden = np.zeros((height, width), np.uint8)
    for upper, lower in LIDS.values():
        polygon = outline(landmarks[list(upper), :2], landmarks[list(lower), :2])
        inside = (mask((height, width), polygon, (0, 0), 0) > 0.5).astype(np.uint8)
        hidden = cv2.bitwise_or(hidden, cv2.erode(inside, BESIDE))
    if not closed:
        polygon = outline(landmarks[list(UPPER[0]), :2], landmarks[list(LOWER[0]), :2])
        inside = (mask((height, width), polygon, (0, 0), 0) > 0.1).astype(np.uint8)
        hidden = cv2.bitwise_or(hidden, cv2.dilate(inside, BESIDE, iterations=max(1, round(0.012 * unit))))
    return cv2.inpaint(picture, hidden, 3, cv2.INPAINT_TELEA)
