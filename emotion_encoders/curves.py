"""What the speech network looks at: timbre, loudness and voice quality, fifty times a second."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from emotion_encoders.spectrum import MELS, STEPS, Frames

EVERY = 2  # frames of the spectrum for one step of the curves
PACE = STEPS // EVERY  # steps a second
BANDS = MELS // 2  # of the spectrogram that is kept
DEPTH = 50.0  # dB below the loudest band of a clip at which its spectrogram ends: room and codec lie below
_MEL_SCALE = 12.0  # dB
_AROUND = 6  # steps before and after speech that still count; further silence is blanked

# What stands behind the bands: its usual value, and how far it usually strays from it.
MEASURES: dict[str, tuple[float, float]] = {
    "level": (0.0, 10.0),  # dB above the mean of the clip's speech
    "centroid": (0.35, 0.12),  # of the mel spectrum, in its width
    "spread": (0.15, 0.06),
    "flux": (3.0, 2.0),  # dB a frame
    "below_1k": (10.0, 10.0),  # dB above what lies between 1 and 5 kHz
    "below_2k": (10.0, 10.0),  # dB above what lies above
    "lowest": (0.0, 8.0),  # up to 350 Hz, dB above what lies between there and 1 kHz
    "peaks": (12.0, 12.0),  # strongest band below 2 kHz over that above, dB (Hammarberg et al. 1980)
    "pitch": (0.0, 0.3),  # octaves above the clip's median
    "tone": (5.0, 10.0),  # dB, harmonics to noise (Boersma 1993)
    "first_second": (3.0, 10.0),  # dB, first to second harmonic: breathy voices have more of the first
    "first_upper": (15.0, 12.0),  # dB, first harmonic to the third formant's region
    "voiced": (0.0, 1.0),
    "active": (0.0, 1.0),
}
WIDTH = BANDS + len(MEASURES)


@dataclass(frozen=True)
class Curves:
    """A clip as the network takes it; neither level, nor noise floor, nor long-term spectrum is left."""

    values: Tensor  # (T, WIDTH)
    active: Tensor  # (T,) bool: somebody speaks
    voiced: Tensor  # (T,) bool: the vocal folds vibrate

    def __len__(self) -> int:
        return len(self.active)


def curves(frames: Frames) -> Curves:
    """The curves of a clip, without its mean spectrum over speech, which tells who speaks, not how."""
    raw, active = raw_curves(frames), frames.active[::EVERY]
    return Curves(network_input(raw[None], active[None])[0], active, frames.voiced[::EVERY])


def raw_curves(frames: Frames) -> Tensor:
    """(T, WIDTH): BANDS of log-mel spectrogram in dB, and MEASURES in units of their usual spread."""
    if not len(frames):
        return torch.zeros(0, WIDTH)
    active, voiced = frames.active, frames.voiced
    mel = frames.mel.maximum(frames.mel.max() - DEPTH)
    mel = mel - _over(mel, active)
    power = 10 ** (mel / 10)
    share = power / power.sum(1, keepdim=True)
    place = torch.arange(MELS) / MELS
    centroid = share @ place
    level = frames.level.maximum(frames.level.max() - DEPTH)

    def tilt(low: slice, high: slice) -> Tensor:
        return 10 * torch.log10(power[:, low].sum(1) / power[:, high].sum(1))

    # Of 64 bands, the 10th begins at 350 Hz, the 23rd at 1 kHz, the 36th at 2.1 kHz, the 56th at 5.2 kHz.
    octave = torch.log2(frames.pitch)
    usual = octave[voiced].median() if bool(voiced.any()) else octave.median()
    tonal = frames.periodicity.clamp(0.02, 0.998)
    first, second, upper = frames.harmonics.maximum(frames.mel.max() - DEPTH).unbind(1)
    measures = {
        "level": level - _over(level, active),
        "centroid": centroid,
        "spread": (share @ place.square() - centroid.square()).clamp(min=0).sqrt(),
        "flux": F.pad((mel[1:] - mel[:-1]).abs().mean(1), (1, 0)),
        "below_1k": tilt(slice(0, 22), slice(22, 55)),
        "below_2k": tilt(slice(0, 35), slice(35, MELS)),
        "lowest": tilt(slice(0, 9), slice(9, 22)),
        "peaks": mel[:, :35].amax(1) - mel[:, 35:55].amax(1),
        "pitch": octave - usual,
        "tone": 10 * torch.log10(tonal / (1 - tonal)),
        "first_second": first - second,
        "first_upper": first - upper,
        "voiced": voiced.float(),
        "active": active.float(),
    }
    scaled = [(measures[name] - usually) / strays for name, (usually, strays) in MEASURES.items()]
    return torch.cat([mel.view(-1, BANDS, 2).mean(2), torch.stack(scaled, 1)], dim=1)[::EVERY]


def network_input(raw: Tensor, active: Tensor) -> Tensor:
    """Raw curves (B, T, WIDTH) without each band's mean over speech (B, T), and blank far from speech."""
    weight = active.to(raw.dtype)[..., None]
    bands = raw[..., :BANDS]
    mean = (bands * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)
    near = F.max_pool1d(active[:, None].float(), 2 * _AROUND + 1, 1, _AROUND)[:, 0, :, None]
    return torch.cat([(bands - mean) / _MEL_SCALE, raw[..., BANDS:]], dim=-1) * near


def _over(x: Tensor, active: Tensor) -> Tensor:
    """The mean over speech, or over everything where nobody speaks."""
    return (x[active] if bool(active.any()) else x).mean()
