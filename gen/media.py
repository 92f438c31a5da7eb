"""Sound and video files in and out; the only user of FFmpeg's libraries (PyAV), one recipe apart."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError

from gen.atomic import replacing, unwritten
from gen.image import read_image
from gen.intake import MediaError, checked
from gen.sound import read_with_soundfile, refuse_cut, refuse_long, refuse_unheard, resample

__all__ = [
    "Encoding",
    "MediaError",
    "Video",
    "VideoWriter",
    "is_whole",
    "read_image",
    "read_sound",
    "read_video",
]
__all__ += ["resample", "write_video"]

MAX_FRAME_PIXELS = 4096 * 4096
SOUND_RATE = 48_000  # what every browser plays and AAC likes
# FFmpeg would follow names inside a file to other files and hosts: only these containers, only from disk.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,wav,aiff,flac,ogg,mp3,aac,caf"
_GUARD = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """The sound of a file as mono float32 (N,) and its rate; refuses what is broken, too long or silent."""
    checked(path)
    sound, rate = read_with_soundfile(path) or _read_with_av(path)
    refuse_unheard(path, sound, rate)
    return sound, rate


@dataclass(frozen=True)
class Video:
    """A video file that was opened: what is known about it, and its frames, decoded as they are asked for."""

    frames: Iterator[np.ndarray]  # each (H, W, 3) uint8 RGB, upright
    fps: float
    size: tuple[int, int]  # width and height as stored
    count: int | None  # None where the file does not say
    sound: np.ndarray | None
    rate: int | None
    comment: str | None


def read_video(path: Path) -> Video:
    """Opens a video; its sound is read at once, its frames one by one."""
    checked(path)
    with _opened(path) as container:
        if not container.streams.video:
            raise MediaError(f"'{path}' has no picture: give a video.")
        stream = container.streams.video[0]
        size, fps = (stream.codec_context.width, stream.codec_context.height), stream.average_rate
        if size[0] * size[1] > MAX_FRAME_PIXELS:
            raise MediaError(
                f"'{path}' has frames of {size[0]} x {size[1]} pixels; up to 4096 x 4096 are read."
            )
        if not fps:
            raise MediaError(f"'{path}' does not say how many frames it shows a second.")
        refuse_long(path, float(container.duration or 0) / av.time_base)
        count, comment, has_sound = (
            stream.frames or None,
            container.metadata.get("comment"),
            bool(container.streams.audio),
        )
    sound, rate = _read_with_av(path) if has_sound else (None, None)
    return Video(_frames(path, float(fps)), float(fps), size, count, sound, rate, comment)


def is_whole(path: Path) -> bool:
    """Whether a video has all the packets its header promises; nothing is decoded."""
    try:
        with _opened(checked(path)) as container:
            stream = container.streams.video[0]
            return 0 < stream.frames == sum(1 for packet in container.demux(stream) if packet.size)
    except (MediaError, IndexError):
        return False


@dataclass(frozen=True)
class Encoding:
    """How hard x264 works: its preset and its constant rate factor."""

    x264: str = "veryfast"
    crf: int = 18


class VideoWriter:
    """Writes H.264 and AAC frame by frame into a hidden draft; `publish` gives it its comment and its name.

        with VideoWriter(path, fps=25, size=(512, 512)) as writer:
            for frame in frames:
                writer.write(frame)
            writer.publish("made by ...")

    Leaving without `publish`, by whatever way, removes the draft. The sound is padded with silence, or cut,
    to the picture's length.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float,
        size: tuple[int, int],  # width, height
        sound: np.ndarray | None = None,
        rate: int | None = None,
        encoding: Encoding = Encoding(),
    ) -> None:
        if size[0] % 2 or size[1] % 2 or min(size) < 2:
            raise MediaError(
                f"Frames of {size[0]} x {size[1]} pixels cannot be stored: both sides must be even."
            )
        if sound is not None and rate is None:
            raise MediaError("The sound came without its rate in samples per second.")
        self._path, self._size, self._encoding = path, size, encoding
        self._fps = Fraction(fps).limit_denominator(1001)
        self._sound = None if sound is None or rate is None else resample(sound, rate, SOUND_RATE)
        self._draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
        self._count = 0

    def __enter__(self) -> "VideoWriter":
        with _written(self._path):
            self._container = av.open(str(self._draft), "w", format="mp4")
        options = {"preset": self._encoding.x264, "crf": str(self._encoding.crf)}
        self._video = self._container.add_stream("libx264", rate=self._fps, options=options)
        self._video.width, self._video.height, self._video.pix_fmt = *self._size, "yuv420p"
        context = self._video.codec_context
        context.thread_count = 1  # x264's output depends on how many threads it has
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709, said and meant
        context.color_range = 1  # 16 to 235
        # Less than half of the default coder's work, and nearer to the sound: 37 dB against 29 on the
        # bundled line.
        manner = {"aac_coder": "fast"}
        self._audio = (
            None
            if self._sound is None
            else self._container.add_stream("aac", rate=SOUND_RATE, layout="mono", options=manner)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(FFmpegError):  # closing a draft that could not be written fails once more
            self._container.close()
        self._draft.unlink(missing_ok=True)

    def write(self, picture: np.ndarray) -> None:
        """Adds one frame (H, W, 3) uint8 RGB and the sound that belongs to it."""
        wanted = (self._size[1], self._size[0], 3)
        if picture.shape != wanted or picture.dtype != np.uint8:
            raise MediaError(
                f"A frame of {picture.shape} {picture.dtype} came; this clip has frames of {wanted} uint8."
            )
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts, frame.time_base = self._count, 1 / self._fps
        with _written(self._path):
            self._container.mux(self._video.encode(frame))
            self._write_sound_until(self._count + 1)
        self._count += 1

    def publish(self, comment: str) -> None:
        """Finishes the draft, gives it a comment and puts it in its place."""
        if self._count == 0:
            raise MediaError(f"'{self._path}' would have no frames: nothing was written.")
        with _written(self._path):
            self._container.mux(self._video.encode(None))
            if self._audio is not None:
                self._container.mux(self._audio.encode(None))
            self._container.close()
        with _written(self._path), replacing(self._path) as part:
            _copy_with_comment(self._draft, part, comment)
            if not is_whole(part):
                raise MediaError(f"'{self._path}' could not be written whole; run it again.")

    def _write_sound_until(self, frames: int) -> None:
        if self._audio is None or self._sound is None:
            return
        start, end = (int(count * SOUND_RATE / self._fps) for count in (frames - 1, frames))
        samples = np.zeros((1, end - start), np.float32)
        known = self._sound[start:end]
        samples[0, : len(known)] = known
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        self._container.mux(self._audio.encode(frame))


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    fps: float,
    sound: np.ndarray | None,
    rate: int | None,
    comment: str,
    size: tuple[int, int],
) -> None:
    """Writes frames (H, W, 3) uint8 RGB as they come; the file appears whole or not at all."""
    with VideoWriter(path, fps=fps, size=size, sound=sound, rate=rate) as writer:
        for frame in frames:
            writer.write(frame)
        writer.publish(comment)


def _copy_with_comment(draft: Path, target: Path, comment: str) -> None:
    """The same packets with a comment, the index at the front so that a browser can begin to play."""
    with (
        _opened(draft) as source,
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as sink,
    ):
        sink.metadata["comment"] = comment
        streams = {stream.index: sink.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                sink.mux(packet)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """Turns what goes wrong while writing into a sentence."""
    try:
        yield
    except OSError as error:  # PyAV's write errors are OSErrors too
        raise MediaError(unwritten(path, error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        # 'file:' and a full path, so that no part of the name is taken for a protocol.
        with av.open(f"file:{path.resolve()}", options=_GUARD, metadata_errors="ignore") as container:
            yield container
    except FFmpegError as error:
        raise MediaError(
            f"'{path}' is broken, cut off or of a kind that is not read ({error.strerror})."
        ) from None


def _frames(path: Path, fps: float) -> Iterator[np.ndarray]:
    with _opened(path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            refuse_long(path, index / fps)
            picture = frame.to_ndarray(format="rgb24")
            yield np.rot90(picture, frame.rotation // 90) if frame.rotation else picture


def _read_with_av(path: Path) -> tuple[np.ndarray, int]:
    with _opened(path) as container:
        if not container.streams.audio:
            raise MediaError(f"'{path}' has no sound: give a file with a voice in it.")
        stream = container.streams.audio[0]
        rate, base = stream.rate, stream.time_base
        promised = float(stream.duration * base) if stream.duration and base else 0.0
        refuse_long(path, promised)
        mono, blocks, samples = av.AudioResampler(format="fltp", layout="mono", rate=rate), [], 0
        for frame in chain(container.decode(stream), (None,)):
            for part in mono.resample(frame):
                blocks.append(part.to_ndarray()[0])
                samples += part.samples
            refuse_long(path, samples / rate)
    refuse_cut(path, samples / rate, promised)
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return sound[: round(promised * rate) or None], rate  # the last AAC block is padded
