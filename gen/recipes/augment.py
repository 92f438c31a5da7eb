"""Crops made harder: what cameras, codecs, painters and warps do to a face, drawn from one generator."""

from __future__ import annotations

import cv2
import numpy as np


def augmented(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A new (N, S, S) uint8 batch in which each face is moved, lit, degraded and hidden by chance."""
    return np.stack([hidden(degraded(lit(moved(image, random), random), random), random) for image in images])


def moved(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mirrored, turned up to 15 degrees, scaled by .85 to 1.2, stretched, sheared, shifted up to 8 %."""
    size = image.shape[0]
    angle = np.deg2rad(random.uniform(-15, 15))
    scale = np.exp(random.uniform(np.log(0.85), np.log(1.2)))
    stretch = np.diag([scale * random.uniform(0.94, 1.06), scale])
    shear = np.array([[1.0, random.uniform(-0.08, 0.08)], [0.0, 1.0]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ shear @ stretch
    if random.random() < 0.5:
        linear = linear @ np.diag([-1.0, 1.0])
    centre = np.full(2, (size - 1) / 2)
    shift = centre - linear @ centre + random.uniform(-0.08, 0.08, 2) * size
    border = cv2.BORDER_REPLICATE if random.random() < 0.7 else cv2.BORDER_CONSTANT
    matrix = np.column_stack([linear, shift])
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)


def lit(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Gamma, contrast and brightness; now and then a light from one side, or a drawing's few tones."""
    tones = (np.arange(256) / 255.0) ** np.exp(random.uniform(-0.5, 0.5))
    tones = (tones - 0.5) * np.exp(random.uniform(-0.5, 0.4)) + 0.5 + random.uniform(-0.15, 0.15)
    if random.random() < 0.05:
        steps = random.integers(4, 14)
        tones = np.round(tones * steps) / steps
    image = cv2.LUT(image, np.clip(tones * 255, 0, 255).astype(np.uint8))
    if random.random() < 0.15:
        across = np.linspace(-1, 1, image.shape[0], dtype=np.float32)
        angle = random.uniform(0, 2 * np.pi)
        light = np.cos(angle) * across[None, :] + np.sin(angle) * across[:, None]
        ramp = 1 + random.uniform(0.1, 0.5) * light
        image = np.clip(image * ramp, 0, 255).astype(np.uint8)
    return image


def degraded(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Small and enlarged, blurred or sharpened, noisy, or saved as a poor JPEG."""
    size = image.shape[0]
    if random.random() < 0.25:
        small = int(random.integers(20, size - 4))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    match random.choice(3, p=[0.7, 0.18, 0.12]):
        case 1:
            image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.2))
        case 2:
            image = cv2.addWeighted(image, 1.8, cv2.GaussianBlur(image, (0, 0), 1.0), -0.8, 0)
    if random.random() < 0.2:
        noise = random.normal(0, random.uniform(2, 12), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if random.random() < 0.2:
        quality = int(random.integers(25, 85))
        _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
    return image


def hidden(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One face in four loses a rectangle (random erasing, Zhong et al. 2020)."""
    if random.random() > 0.25:
        return image
    size = image.shape[0]
    height, width = (int(side) for side in random.uniform(0.12, 0.4, 2) * size)
    top, left = int(random.integers(0, size - height)), int(random.integers(0, size - width))
    image = image.copy()
    image[top : top + height, left : left + width] = random.integers(0, 256)
    return image
