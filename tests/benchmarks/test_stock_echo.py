"""A yardstick that was tuned, or that passes packets on without decoding them, would flatter or shame every relay."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks import stock_echo
from benchmarks.latency import clip, phase, processes
from benchmarks.latency.clip import Shape
from benchmarks.latency.signalling import Target
from tests.benchmarks.latency.pictures import film

LOOK = """
import sys
import aiortc.jitterbuffer
from aiortc import rtcrtpreceiver, rtcrtpsender
import aiortc.codecs
import benchmarks.stock_echo
print(
    rtcrtpreceiver.JitterBuffer is aiortc.jitterbuffer.JitterBuffer
    and rtcrtpsender.get_encoder is aiortc.codecs.get_encoder
    and rtcrtpreceiver.get_decoder is aiortc.codecs.get_decoder
    and not any(name.partition(".")[0] == "stream" for name in sys.modules)
)
"""


def test_aiortc_stays_as_it_is() -> None:
    # Guards against our tuning in what is to show aiortc without it. By itself: other tests tune this process.
    said = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "True"


def test_a_call_brings_pictures_back(tmp_path: Path) -> None:
    # Guards against an echo that the harness cannot call, or that sends something else than what came.
    shape = Shape(320, 180, 10, "vp8")
    path = tmp_path / "clip"
    clip.prepare(film(tmp_path / "film.mp4"), shape, path)
    plan = phase.Plan(path, shape.codec, shape.fps, 1, 0.2, 1.5, tmp_path)

    refused: list[int] = []

    async def run() -> tuple[dict[str, Any], int]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.stock_echo", "--port", "0"), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            address = (await process.stdout.readline()).decode().split()[-1]
            async with aiohttp.ClientSession() as http:
                for nonsense in (b"no offer", b"v=0\r\nm=video"):
                    async with http.post(f"{address}/call", data=nonsense) as answer:
                        refused.append(answer.status)
            found = await phase.run(plan, Target(f"{address}/call"), "", process.pid)
            process.terminate()
            return found, await process.wait()
        finally:
            if process.returncode is None:
                await processes.stop(process)

    found, ended = asyncio.run(run())
    (caller,) = found["callers"]
    assert len(caller["delays"]) > 5 and found["unreadable"] == 0
    assert "relay" in found["processes"] and refused == [400, 400] and ended == 0


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((stock_echo.HOST, 0)) as taken:
        assert stock_echo.main(["--port", str(taken.getsockname()[1])]) == 1
    error = capsys.readouterr().err
    assert error.startswith("stock_echo: ") and error.count("\n") == 1
