"""Offers and candidates, good and bad."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from engines.errors import BadInput
from stream.relay import sdp


def _offer(*kinds: str, direction: str = "sendrecv") -> str:
    async def make() -> str:
        pc = RTCPeerConnection(RTCConfiguration([]))
        for kind in kinds:
            pc.addTransceiver(kind, direction)
        pc.createDataChannel("clearcall")
        await pc.setLocalDescription(await pc.createOffer())
        text = pc.localDescription.sdp
        await pc.close()
        return text

    return asyncio.run(make())


CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host generation 0 ufrag abcd\r\n"


def test_an_offer_with_video_is_taken() -> None:
    assert not sdp.read_offer(_offer("video")).audio_returns
    assert sdp.read_offer(_offer("video", "audio")).audio_returns


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "v=0"),
        ("hello", "v=0"),
        ("v=0\r\nm=video\r\n", "malformed"),
        ("v=0\r\nm=video x UDP/TLS/RTP/SAVPF 96\r\n", "malformed"),
        ("v=0\r\n", "no video"),
        ("v=0\r\n\x00\xff", "no video"),
    ],
)
def test_what_is_no_offer_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        sdp.read_offer(text)


def test_every_cut_of_an_offer_is_refused_or_taken_but_never_breaks() -> None:
    # aiortc's parser has no error of its own: it fails by assertion, index, attribute or conversion.
    lines = _offer("video", "audio").splitlines(keepends=True)
    for left_out in range(len(lines)):
        for text in ("".join(lines[:left_out]), "".join(lines[:left_out] + lines[left_out + 1 :])):
            try:
                sdp.read_offer(text)
            except BadInput as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("m=video", "m=text"), "video"),
        (lambda text: text.replace("a=ice-pwd", "a=x-pwd"), "ICE"),
        (lambda text: text.replace("a=fingerprint", "a=x"), "DTLS|malformed"),
        (lambda text: text.replace("a=rtcp-mux", "a=x"), "rtcp-mux"),
        (lambda text: text.replace("BUNDLE 0 1", "BUNDLE x 1"), "bundle"),
        (lambda text: text.replace("a=mid:1", "a=mid:0"), "mids"),
        (lambda text: text.replace("VP8", "VP7").replace("H264", "H261"), "neither VP8 nor H264"),
        (lambda text: text.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\n" + CANDIDATE * 70), "64 candidates"),
    ],
)
def test_an_offer_that_cannot_become_a_call_says_why(change: object, reason: str) -> None:
    assert callable(change)
    with pytest.raises(BadInput, match=reason):
        sdp.read_offer(change(_offer("video")))


@pytest.mark.parametrize("direction", ["sendonly", "recvonly", "inactive"])
def test_video_must_go_both_ways(direction: str) -> None:
    with pytest.raises(BadInput, match="sendrecv"):
        sdp.read_offer(_offer("video", direction=direction))


def test_where_no_direction_is_named_it_is_the_sessions_or_both_ways() -> None:
    # Such an offer was refused: "must be sendrecv, not None" (RFC 8866, 6.7: sendrecv is the default).
    silent = _offer("video", "audio").replace("a=sendrecv\r\n", "")
    assert sdp.read_offer(silent).audio_returns
    assert sdp.read_offer(silent).text.count("a=sendrecv\r\n") == 2
    one_way = silent.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n")
    with pytest.raises(BadInput, match="not sendonly"):
        sdp.read_offer(one_way)
    # A section's own direction counts more than the session's.
    sound, picture = one_way.split("m=video")[1], one_way.split("m=video")[0]
    own = f"{picture}m=video{sound}".replace("m=audio", "a=sendrecv\r\nm=audio")
    assert not sdp.read_offer(own).audio_returns


def test_one_video_and_one_audio_at_most() -> None:
    # A second video track would fill a queue that nobody reads.
    for kinds in (("video", "video"), ("video", "audio", "audio")):
        with pytest.raises(BadInput, match="one video, one audio"):
            sdp.read_offer(_offer(*kinds))


def test_a_fragment_gives_candidates_of_their_section() -> None:
    found = sdp.read_fragment(f"a=ice-ufrag:abcd\r\na=mid:0\r\n{CANDIDATE}a=end-of-candidates\r\n")
    assert found.end and [c.sdpMid for c in found.candidates] == ["0"]
    assert (found.candidates[0].ip, found.candidates[0].port) == ("192.0.2.7", 50000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        CANDIDATE,
        "a=mid:0\r\na=candidate:1 1 udp\r\n",
        "a=mid:0\r\na=candidate:1 1 udp x 192.0.2.7 50000 typ host\r\n",
        "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 99999 typ host\r\n",
        "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 5000 typ other\r\n",
        "a=mid:0\r\n" + CANDIDATE * (sdp.MAX_CANDIDATES + 1),
    ],
)
def test_a_wrong_fragment_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        sdp.read_fragment(text)
