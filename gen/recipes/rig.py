"""Makes `pipelines/portrait/rig.safetensors`: what ARKit's coefficients do to landmarks, teeth and shading.

The ICT-FaceKit head (Li et al. 2020, "Learning Formation of Physically-Based Face Attributes", MIT) carries
sculpted expression shapes with ARKit's names. Several identities are rendered, MediaPipe finds its landmarks
on the renders, and the sculpted displacement under each landmark, averaged over identities and mirrored, is
the rig.

    python -m gen.recipes.rig --data DIR
"""

from __future__ import annotations

import argparse
import json
import struct
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import save
from scipy.optimize import linear_sum_assignment
from scipy.spatial import Delaunay

from gen.atomic import replacing
from gen.recipes.ict_head import FACE_VERTICES, LOWER_TEETH, UPPER_TEETH, Head, shade
from gen.recipes.rig_textures import SHADE_BOX, SHADE_STEP, Frame, shading, teeth
from pipelines.portrait.arkit import ARKIT
from pipelines.portrait.rig import POINTS
from pipelines.portrait.tracker import OUTER_EYES, FaceTracker

OUTPUT = Path("pipelines/portrait/rig.safetensors")
SEED = 7
IDENTITIES = 12  # the mean face among them
SPREAD = 0.5  # standard deviation of the other identities' weights
MODES = 50  # identity modes kept: enough to tell a long face from an opened mouth
PIXELS = 720
SCALE = 24.0  # pixels per centimetre-like mesh unit
AJAR = 0.3  # how far the jaw is open where the lips are looked for
JAW = ARKIT.index("jawOpen")
AXES = np.array([1, -1, -1], np.float32)  # from the mesh's axes to the rig's
FLIP = np.array([-1, 1, 1], np.float32)  # to the other side of the face
EYES = ((33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
        (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466))  # fmt: skip
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
        *INNER_LIPS)  # fmt: skip


def project(vertices: np.ndarray) -> np.ndarray:
    """Orthographic frontal view: mesh units to pixels."""
    return np.stack([PIXELS / 2 + vertices[:, 0] * SCALE, PIXELS / 2 - (vertices[:, 1] + 1) * SCALE], axis=1)


def draw(vertices: np.ndarray, head: Head) -> np.ndarray:
    """Picture (PIXELS, PIXELS, 3) uint8 of a head, painter's algorithm."""
    picture = np.full((PIXELS, PIXELS, 3), 90, np.uint8)
    points = np.round(project(vertices) * 16).astype(np.int32)
    brightness, order = shade(vertices, head.triangles)
    colours = head.colours[head.triangles].mean(axis=1) * brightness[:, None]
    for k in order:
        cv2.fillConvexPoly(picture, points[head.triangles[k]], colours[k].tolist(), cv2.LINE_AA, 4)
    return picture


def under_landmarks(head: Head, vertices: np.ndarray, tracker: FaceTracker) -> np.ndarray:
    """The face vertex (468,) under every landmark but the irises."""
    found = tracker.find(draw(vertices, head))
    if not found:
        raise RuntimeError("No face was found on a rendered head; the render or the tracker has changed.")
    face = vertices[:FACE_VERTICES]
    distance = ((found[0][:POINTS, None, :2] - project(face)[None]) ** 2).sum(axis=2)
    distance[:, face[:, 2] <= 0] = np.inf  # the back of the head
    # Where several layers share a pixel (inside of lips and lids) the outermost skin is meant.
    distance -= face[:, 2] * 2.0
    return distance.argmin(axis=1)


def registered(head: Head, person: np.ndarray, tracker: FaceTracker) -> np.ndarray:
    """The same, with lips looked for on a slightly open mouth: on a closed one they cannot be told apart."""
    under = under_landmarks(head, person, tracker)
    ajar = under_landmarks(head, person + AJAR * head.arkit("jawOpen"), tracker)
    under[list(LIPS)] = ajar[list(LIPS)]
    return under


def mirror_pairs(shape: np.ndarray) -> np.ndarray:
    """For each landmark, the one on the other side of the face; pairing twice gives the landmark itself."""
    cost = ((shape[:, None] * FLIP - shape[None]) ** 2).sum(axis=2)
    return linear_sum_assignment(cost + cost.T)[1]


def triangulate(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Delaunay triangles (N, 3) of the skin, open at lips and lids, and those (M, 3) in the openings."""
    triangles = Delaunay(shape[:, :2]).simplices
    a, b, c = (shape[triangles[:, k], :2] for k in range(3))
    area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    triangles = triangles[area > 1e-7]
    hole = np.zeros(len(triangles), bool)
    for opening in (INNER_LIPS, *EYES):
        hole |= np.isin(triangles, opening).all(axis=1)
    return triangles[~hole].astype(np.int32), triangles[hole].astype(np.int32)


def mirror_name(name: str) -> str:
    """The coefficient that does the same on the other side of the face."""
    if name.endswith("Left"):
        return name[:-4] + "Right"
    if name.endswith("Right"):
        return name[:-5] + "Left"
    return name


def frame_of(points: np.ndarray) -> Frame:
    """The rig's frame on a face with these landmarks (468, 3)."""
    left, right = points[OUTER_EYES[0]], points[OUTER_EYES[1]]
    return Frame(points[list(OUTER_EYES)].mean(axis=0), float(np.linalg.norm(left - right)))


def learn(head: Head) -> dict[str, np.ndarray]:
    """The rig's tensors, in outer-eye-corner distances: x right, y down, z away from the viewer."""
    generator = np.random.default_rng(SEED)
    people = [*(head.person(generator, SPREAD) for _ in range(IDENTITIES - 1)), head.neutral]
    with FaceTracker() as tracker:
        unders = [registered(head, person, tracker) for person in people]
    faces = [person[under] * AXES for person, under in zip(people, unders, strict=True)]
    frames = [frame_of(face) for face in faces]
    shapes = np.stack([head.arkit(name) for name in ARKIT])
    seen = list(zip(unders, frames, strict=True))
    neutral = np.mean([(p - f.origin) / f.unit for p, f in zip(faces, frames, strict=True)], axis=0)
    delta = np.mean([shapes[:, under] * AXES / frame.unit for under, frame in seen], axis=0)
    modes = np.mean([head.identity[:MODES, under] * AXES / frame.unit for under, frame in seen], axis=0)

    neutral, delta = symmetric(neutral, delta)
    skin, openings = triangulate(neutral + AJAR * delta[JAW])
    upper, upper_box = teeth(head, UPPER_TEETH, frames[-1])  # textures are baked from the mean face
    lower, lower_box = teeth(head, LOWER_TEETH, frames[-1])
    return {
        "neutral": neutral,
        "deltas": delta.astype(np.float16),
        "identity": modes.astype(np.float16),
        "triangles": skin,
        "openings": openings,
        "upper_teeth": upper,
        "upper_teeth_box": upper_box,
        "lower_teeth": lower,
        "lower_teeth_box": lower_box,
        "shading": shading(head, frames[-1]),
        "shading_box": np.array([*SHADE_BOX, SHADE_STEP], np.float32),
    }


def symmetric(neutral: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rest shape (468, 3) and displacements (52, 468, 3), averaged with their mirror images."""
    pairs = mirror_pairs(neutral + AJAR * delta[JAW])
    swap = [ARKIT.index(mirror_name(name)) for name in ARKIT]
    return (neutral + neutral[pairs] * FLIP) / 2, (delta + delta[swap][:, pairs] * FLIP) / 2


def as_bytes(tensors: dict[str, np.ndarray]) -> bytes:
    """The tensors as a safetensors file whose bytes are the same every time.

    The library writes the metadata in an order that differs between runs, and weights.lock holds a digest.
    """
    metadata = {"source": "ICT-FaceKit (MIT)", "identities": str(IDENTITIES), "coefficients": " ".join(ARKIT)}
    written = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, metadata)
    (length,) = struct.unpack("<Q", written[:8])
    header = json.loads(written[8 : 8 + length]) | {"__metadata__": metadata}
    ordered = json.dumps(header, separators=(",", ":")).encode().ljust(length)
    return written[:8] + ordered + written[8 + length :]


def main() -> None:
    """Reads --data, writes the rig."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ict_facekit/")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="where the rig is written")
    arguments = parser.parse_args()
    rig = as_bytes(learn(Head(arguments.data)))
    with replacing(arguments.output) as part:
        part.write_bytes(rig)


if __name__ == "__main__":
    main()
