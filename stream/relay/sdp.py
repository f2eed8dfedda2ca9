"""Checks of what a caller sends: the SDP offer and the trickled ICE candidates."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiortc import RTCIceCandidate
from aiortc.sdp import MediaDescription, SessionDescription, candidate_from_sdp

from engines.errors import BadInput

MAX_CANDIDATES = 64
"""Candidates taken from one caller, over the whole call."""
_VIDEO_CODECS = {"video/vp8", "video/h264"}
_SECTION = re.compile(r"^(?=m=)", re.MULTILINE)
_DIRECTION = re.compile(r"^a=(?:sendrecv|sendonly|recvonly|inactive)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that the relay can answer."""

    text: str
    audio_returns: bool
    """Whether the caller wants its sound back."""
    candidates: int
    """Candidates that came with the offer."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Trickled candidates (RFC 8840)."""

    candidates: tuple[RTCIceCandidate, ...]
    end: bool
    """No more candidates will come."""


def read_offer(text: str) -> Offer:
    """Check an SDP offer.

    Raises:
        BadInput: It is malformed, brings no video to restore, or asks for more than one call holds.
    """
    if not text.startswith("v=0"):
        raise BadInput("the body is no SDP offer: it does not start with v=0")
    text = with_directions(text)
    try:
        parsed = SessionDescription.parse(text)
    except Exception as error:
        # aiortc's parser has no error of its own: what is no SDP ends in any of Python's.
        raise BadInput("the SDP offer is malformed") from error
    videos = [media for media in parsed.media if media.kind == "video"]
    audios = [media for media in parsed.media if media.kind == "audio"]
    if not videos:
        raise BadInput("the offer has no video: there is nothing to restore")
    if len(videos) > 1 or len(audios) > 1 or len(parsed.media) > 3:
        raise BadInput("the offer may hold one video, one audio and one data section")
    if len(parsed.media) != len(videos) + len(audios) + sum(m.kind == "application" for m in parsed.media):
        raise BadInput("the offer may hold video, audio and data sections only")
    if videos[0].direction != "sendrecv":
        raise BadInput(f"the offer's video must be sendrecv, not {videos[0].direction}")
    if not any(codec.mimeType.lower() in _VIDEO_CODECS for codec in videos[0].rtp.codecs):
        raise BadInput("the offer's video has neither VP8 nor H264")
    for media in parsed.media:
        _check_transport(media)
    mids = {media.rtp.muxId for media in parsed.media}
    if len(mids) != len(parsed.media) or "" in mids:
        raise BadInput("the offer's sections need mids, each its own")
    bundled = [mid for group in parsed.group if group.semantic == "BUNDLE" for mid in group.items]
    if bundled and set(bundled) != mids:
        # aiortc would be left without a transport, and could not even close.
        raise BadInput("the offer must bundle all its sections, and no others")
    candidates = sum(len(media.ice_candidates) for media in parsed.media)
    if candidates > MAX_CANDIDATES:
        raise BadInput(f"the offer has more than {MAX_CANDIDATES} candidates")
    return Offer(text, bool(audios) and audios[0].direction in {"sendrecv", "recvonly"}, candidates)


def with_directions(text: str) -> str:
    """The offer with a direction in each section of sound or picture.

    A section that names none has the session's, and that is sendrecv where it names none either (RFC 8866, 6.7).
    aiortc knows neither rule.
    """
    session, *sections = _SECTION.split(text)
    usual = _DIRECTION.search(session)
    line = f"{usual[0].rstrip() if usual else 'a=sendrecv'}\r\n"
    return session + "".join(_with_direction(section, line) for section in sections)


def _with_direction(section: str, line: str) -> str:
    if not section.startswith(("m=video ", "m=audio ")) or _DIRECTION.search(section):
        return section
    return section.rstrip("\r\n") + "\r\n" + line


def _check_transport(media: MediaDescription) -> None:
    if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
        raise BadInput("the offer has no ICE user fragment or password")
    if media.dtls is None or not media.dtls.fingerprints:
        raise BadInput("the offer has no DTLS fingerprint")
    if media.kind != "application" and not media.rtcp_mux:
        raise BadInput("the offer must use rtcp-mux")


def read_fragment(text: str) -> Fragment:
    """Read trickled candidates.

    Raises:
        BadInput: The fragment is malformed or holds too many candidates.
    """
    found: list[RTCIceCandidate] = []
    mid: str | None = None
    end = False
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        if key == "a=mid":
            mid = value
        elif key == "a=end-of-candidates":
            end = True
        elif key == "a=candidate":
            if len(found) >= MAX_CANDIDATES:
                raise BadInput(f"a call may send {MAX_CANDIDATES} candidates, not more")
            if mid is None:
                raise BadInput("a candidate must follow its a=mid line")
            found.append(_candidate(value, mid))
    if not found and not end:
        raise BadInput("the fragment has neither candidates nor a=end-of-candidates")
    return Fragment(tuple(found), end)


def _candidate(text: str, mid: str) -> RTCIceCandidate:
    try:
        candidate = candidate_from_sdp(text)
    except (ValueError, AssertionError, IndexError) as error:
        raise BadInput("a candidate is malformed") from error
    if not 0 <= candidate.port <= 65535 or candidate.type not in {"host", "srflx", "prflx", "relay"}:
        raise BadInput("a candidate is malformed")
    candidate.sdpMid = mid
    return candidate
