"""Face crops framed as the recognisers learned them: eyes and nose base where FERPlus has them."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = 48  # pixels of the crop's side: what the recognisers take

# Landmarks of MediaPipe's face mesh; left and right as the viewer sees them. The corners of the eyes and
# the base of the nose move little with mouth, lids and brows, so an emotion does not move its own frame.
LEFT_EYE = (33, 133)
RIGHT_EYE = (362, 263)
NOSE_BASE = (2, 98, 327)
LANDMARKS = 468  # the mesh without irises; more are welcome

# Where they lie in FERPlus, in units of the image's side, y down: medians over the 1,147 roughly frontal of
# 1,440 faces that MediaPipe 0.10.14 finds in 1,500 training images drawn at random and enlarged four times
# (seed 0, one emotion above half of the votes), made symmetric. The mouth's corners lie at
# y = .768, the chin at .99.
FRAME = np.array([[0.317, 0.393], [0.683, 0.393], [0.500, 0.645]])


def face_crop(frame: np.ndarray, landmarks: np.ndarray, *, size: int = SIZE) -> np.ndarray:
    """The face of an RGB frame (H, W, 3) uint8 as an upright grey crop (size, size) uint8.

    Landmarks are pixels (N >= 468, 2 or 3) in MediaPipe's order. Shrinking averages areas, so that the
    crop of a large face shows no aliasing; what lies beyond the frame repeats its edge.
    """
    check(frame, landmarks)
    matrix = crop_from_frame(landmarks, size)
    shrink = max(1, int(np.ceil(1 / np.hypot(matrix[0, 0], matrix[1, 0]))))  # frame pixels per crop pixel
    origin, region = region_of(frame, matrix, size)
    grey = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY)

    # Pixel centres lie at whole numbers for OpenCV and at halves for areas: move there, enlarge, move back.
    fine = shrink * matrix
    fine[:, 2] += fine[:, :2] @ (origin + 0.5) - 0.5
    side = size * shrink
    warped = cv2.warpAffine(grey, fine, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped if shrink == 1 else cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)


def check(frame: np.ndarray, landmarks: np.ndarray) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"A frame came as {frame.dtype} {frame.shape}; RGB uint8 (H, W, 3) is needed.")
    if landmarks.ndim != 2 or len(landmarks) < LANDMARKS or landmarks.shape[1] not in (2, 3):
        raise ValueError(f"Landmarks came as {landmarks.shape}; MediaPipe's (468 or 478, 2 or 3) are needed.")


def crop_from_frame(landmarks: np.ndarray, size: int) -> np.ndarray:
    """The similarity (2, 3) that takes the frame's points nearest to FRAME, in crop pixels (Umeyama 1991)."""
    points = np.stack([landmarks[list(ids), :2].mean(axis=0) for ids in (LEFT_EYE, RIGHT_EYE, NOSE_BASE)])
    points = points.astype(np.float64)
    target = FRAME * size
    p, q = points - points.mean(axis=0), target - target.mean(axis=0)
    spread = float((p**2).sum())
    if not np.isfinite(spread) or spread < 1:
        raise ValueError(
            "The eyes and the nose lie on one spot, so the face has no size; track the face again."
        )
    a = float((p * q).sum()) / spread
    b = float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()) / spread
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, target.mean(axis=0) - linear @ points.mean(axis=0)])


def region_of(frame: np.ndarray, matrix: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(x and y of its corner, the part of the frame that the crop can touch); only this part turns grey."""
    corners = np.array([[0.0, 0.0], [size, 0.0], [0.0, size], [size, size]])
    touched = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    height, width = frame.shape[:2]
    limits = np.array([width, height])
    low = np.floor(touched.min(axis=0) - 2).clip(0, limits - 1).astype(int)
    high = np.ceil(touched.max(axis=0) + 3).clip(low + 1, limits).astype(int)
    return low.astype(np.float64), frame[low[1] : high[1], low[0] : high[0]]
