"""A call to a relay on this machine: frames a second, missing frames, and the delay that the filter adds.

Run as `python -m benchmarks.relay_loopback [RECORDING] [--seconds 20] [--model lite] [--prompt auto] [--strength 1]`;
strength 0 is an echo and tells what the way there and back costs alone. The relay is a process of its own; the caller,
here, replays the recording as its camera at the recording's own frame rate, as VP8. The caller's decoder and encoder
share the machine with the relay, as they do when a browser calls from the same laptop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import aiohttp
import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av.video.frame import PictureType

from engines.errors import BadInput, ClearcallError
from stream.relay import aiortc_tuning

RECORDING = Path(__file__).resolve().parents[2] / "shared" / "data" / "call" / "p030_call_720p.mp4"
CLOCK = 90_000
"""Ticks a second of video over RTP."""
WARM_UP_S = 2.0
"""Left out of the figures: the connection, the first key frame, the model's first steps."""
FIRST_PICTURE_S = 30.0


@dataclass(slots=True)
class Result:
    """One run; times in milliseconds."""

    seconds: float
    sent: int
    received: int
    round_trips: list[float]
    """From a frame's leaving the camera to its return, decoded."""
    figures: dict[str, object] = field(default_factory=dict)
    """The relay's own, the last ones."""

    def lines(self) -> Iterator[str]:
        """The report, line by line."""
        yield f"fps received: {self.received / self.seconds:.1f} over {self.seconds:.1f} s"
        yield f"missing frames: {self.sent - self.received} of {self.sent}"
        added = self.figures.get("added_ms")
        if isinstance(added, dict):
            yield f"delay the filter adds: median {added['median']:.1f} ms, p95 {added['p95']:.1f} ms"
        if self.round_trips:
            median, p95 = np.percentile(self.round_trips, [50, 95])
            yield f"round trip, camera to decoded return: median {median:.1f} ms, p95 {p95:.1f} ms"
        stages = self.figures.get("stages")
        for name, times in stages.items() if isinstance(stages, dict) else ():
            yield f"  {name}: median {times['median_ms']:.1f} ms, p95 {times['p95_ms']:.1f} ms"
        for key, text in (("crop", "crop, last"), ("dropped", "dropped, whole call"), ("failures", "unrestored")):
            yield f"{text}: {json.dumps(self.figures.get(key))}"


class Camera(MediaStreamTrack):
    """Replays a recording for ever at its own frame rate, and notes when each frame left."""

    kind = "video"

    def __init__(self, frames: list[av.VideoFrame], rate: Fraction) -> None:
        super().__init__()
        self._frames, self._rate = frames, rate
        self._start: float | None = None
        self._count = 0
        self.left: dict[int, float] = {}
        """Time stamp, 1/90000 s, to when the frame left, s."""

    async def recv(self) -> av.VideoFrame:
        """Wait for the next frame's time."""
        if self._start is None:
            self._start = time.monotonic()
        due = self._start + float(self._count / self._rate)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        frame = self._frames[self._count % len(self._frames)]
        frame.pts = round(self._count * CLOCK / self._rate)
        frame.time_base = Fraction(1, CLOCK)
        # The frame comes round again: a key frame asked for once must not stay one.
        frame.pict_type = PictureType.NONE
        self._count += 1
        self.left[frame.pts] = time.monotonic()
        return frame


def read_frames(recording: Path, limit: int = 150) -> tuple[list[av.VideoFrame], Fraction]:
    """The first frames of a recording, and its rate in frames a second.

    Raises:
        BadInput: The file cannot be read.
    """
    try:
        with av.open(str(recording)) as container:
            stream = container.streams.video[0]
            frames = [frame.reformat(format="yuv420p") for frame in islice(container.decode(stream), limit)]
            rate = stream.average_rate
    except (av.FFmpegError, IndexError) as error:
        raise BadInput(f"{recording}: {error}") from error
    if not frames or not rate:
        raise BadInput(f"{recording}: no video in it")
    return frames, rate


@contextlib.contextmanager
def relay(model: str) -> Iterator[str]:
    """A relay as its own process, on a free port; gives its address.

    Raises:
        ClearcallError: It did not start; it has said why.
    """
    command = [sys.executable, "-m", "stream.cli", "relay", "--port", "0", "--model", model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise ClearcallError("the relay did not start")
            yield line.split()[-1]
        finally:
            process.terminate()


@contextlib.asynccontextmanager
async def call(
    address: str, wishes: dict[str, str], camera: Camera, figures: dict[str, object]
) -> AsyncIterator[MediaStreamTrack]:
    """A call to the relay; gives the returned track, and keeps `figures` at the relay's latest.

    Raises:
        ClearcallError: The relay refused it, or no picture came back.
    """
    pc = RTCPeerConnection(RTCConfiguration([]))
    returned: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
    channel = pc.createDataChannel("clearcall")

    channel.on("message", lambda message: figures.update(json.loads(message).get("figures", {})))
    pc.on("track", returned.set_result)
    pc.addTrack(camera)
    codecs = RTCRtpSender.getCapabilities("video").codecs
    pc.getTransceivers()[0].setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/VP8"])
    await pc.setLocalDescription(await pc.createOffer())
    offer, headers = pc.localDescription.sdp, {"Content-Type": "application/sdp"}
    async with aiohttp.ClientSession(address) as http:
        async with http.post("/call", params=wishes, data=offer, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 201:
                raise ClearcallError(f"the relay refused the call: {text.strip()}")
            location = answer.headers["Location"]
        await pc.setRemoteDescription(RTCSessionDescription(text, "answer"))
        try:
            yield await returned
        finally:
            await pc.close()
            async with http.delete(location):
                pass


async def measure(
    address: str, wishes: dict[str, str], frames: list[av.VideoFrame], rate: Fraction, seconds: float
) -> Result:
    """Call for so many seconds after the warm-up; `wishes` are the call's prompt and strength."""
    camera = Camera(frames, rate)
    result = Result(seconds, 0, 0, [])
    async with call(address, wishes, camera, result.figures) as track:
        try:
            async with asyncio.timeout(FIRST_PICTURE_S):
                origin = (await track.recv()).pts or 0
        except (TimeoutError, MediaStreamError):
            raise ClearcallError("no picture came back") from None
        # The receiver counts time stamps from the first frame it got, which is the camera's first.
        begin = time.monotonic() + WARM_UP_S
        end = begin + seconds
        arrived: set[int] = set()
        while time.monotonic() < end + 1:
            try:
                async with asyncio.timeout(max(0.01, end + 1 - time.monotonic())):
                    frame = await track.recv()
            except (TimeoutError, MediaStreamError):
                break
            pts = (frame.pts or 0) - origin
            left = camera.left.get(pts)
            if left is not None and begin <= left < end:
                arrived.add(pts)
                result.round_trips.append((time.monotonic() - left) * 1000)
        result.sent = sum(begin <= left < end for left in camera.left.values())
        result.received = len(arrived)
    return result


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_loopback", description=__doc__.split("\n")[0])
    parser.add_argument("recording", nargs="?", type=Path, default=RECORDING)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--prompt", default="auto")
    parser.add_argument("--strength", default="1", help="0 is an echo")
    arguments = parser.parse_args(argv)
    aiortc_tuning.tune()
    try:
        if not 1 <= arguments.seconds <= 3600:
            raise BadInput("--seconds must be 1 to 3600")
        frames, rate = read_frames(arguments.recording)
        with relay(arguments.model) as address:
            wishes = {"prompt": arguments.prompt, "strength": arguments.strength}
            result = asyncio.run(measure(address, wishes, frames, rate, arguments.seconds))
    except ClearcallError as error:
        print(f"relay_loopback: {error}", file=sys.stderr)
        return error.exit_status
    print("\n".join(result.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
