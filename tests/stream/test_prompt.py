"""What a caller may ask for, and what auto makes of the estimates."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import BadInput
from stream.prompt import DEAD_ZONE, as_needed, follow_estimate, parse_prompt, prompt_from_estimate

KNOWN = ("low_light", "noise", "blur")

PLAIN = ("noise", "blur", "rain", "haze")
"""Tasks without a gate of their own."""


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("none", (0, 0, 0)),
        (" None ", (0, 0, 0)),
        ("noise", (0, 1, 0)),
        ("low light", (1, 0, 0)),
        ("LOW-LIGHT", (1, 0, 0)),
        ("low_light,noise", (1, 1, 0)),
        ("low  light + noise:0.5", (1, 0.5, 0)),
        ("blur : .25", (0, 0, 0.25)),
        ("noise:0,blur:1", (0, 0, 1)),
        ("noise:1e-1", (0, 0.1, 0)),
    ],
)
def test_weights_by_name(text: str, weights: tuple[float, ...]) -> None:
    parsed = parse_prompt(text, KNOWN)
    assert parsed is not None and parsed.dtype == np.float32
    assert parsed.tolist() == pytest.approx(weights)


@pytest.mark.parametrize("text", ["auto", " AUTO "])
def test_auto_has_no_weights(text: str) -> None:
    assert parse_prompt(text, KNOWN) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("haze", "unknown prompt 'haze'; known prompts: low_light, noise, blur, or auto or none alone"),
        ("", "unknown prompt ''"),
        ("noise,", "unknown prompt 'noise,'"),
        ("auto, noise", "unknown prompt 'auto'"),
        ("noise:2", "the weight of noise must be a number from 0 to 1, not '2'"),
        ("noise:", "must be a number"),
        ("noise:much", "must be a number from 0 to 1, not 'much'"),
        ("noise:nan", "must be a number"),
        ("noise:0.5:0.5", "must be a number"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_prompt(text, KNOWN)
    assert why in str(caught.value)


@pytest.mark.parametrize("text", ["noise:-0.5", "noise: -0.5", "noise:0_5"])
def test_the_sign_of_a_weight_counts(text: str) -> None:
    # Guards against names and numbers being tidied alike: a minus was taken for a space, and -0.5 for 0.5.
    with pytest.raises(BadInput, match="weight of noise"):
        parse_prompt(text, KNOWN)


def test_an_error_stays_short() -> None:
    # Guards against a caller's text filling logs and messages.
    for text in ("x" * 10_000, "noise:" + "9" * 10_000):
        with pytest.raises(BadInput) as caught:
            parse_prompt(text, KNOWN)
        assert len(str(caught.value)) < 200


def test_the_average_follows_slowly() -> None:
    # Guards against a prompt, and with it the picture, that flickers with each frame's estimate.
    estimate = np.array([1.0, 0.0], np.float32)
    average = follow_estimate(None, estimate)
    assert average.tolist() == [1, 0] and average is not estimate
    average = follow_estimate(average, np.array([0.0, 1.0], np.float32))
    assert average.tolist() == pytest.approx([0.9, 0.1])
    for _ in range(60):
        average = follow_estimate(average, np.array([0.0, 1.0], np.float32))
    assert average.tolist() == pytest.approx([0, 1], abs=0.01)
    assert average.dtype == np.float32


def test_a_good_picture_is_left_alone() -> None:
    # Guards against auto softening video that needs nothing.
    prompt = prompt_from_estimate(np.array([0.0, DEAD_ZONE, 0.55, 1.0], np.float32), PLAIN)
    assert prompt.tolist() == pytest.approx([0, 0, 0.5, 1]) and prompt.dtype == np.float32


def test_what_is_doubtful_is_not_acted_upon() -> None:
    # Guards against a compressed face lit up by nine decibels because it might have been a little dark.
    prompt = prompt_from_estimate(np.array([0.15, 0.2, 0.275, 0.35], np.float32), PLAIN)
    assert prompt.tolist() == pytest.approx([0, 0, 0.5 * 0.175 / 0.9, 0.25 / 0.9], abs=1e-6)


def test_a_dark_face_is_no_dark_room() -> None:
    """Guards against: portraits with dark skin, hair and clothes, perfectly lit, were made lighter under auto."""
    estimate = np.full(2, 0.33, np.float32)
    light, noise = prompt_from_estimate(estimate, ("low light", "noise"))
    assert light < 0.12 < 0.2 < noise
    sure = prompt_from_estimate(np.full(2, 0.5, np.float32), ("low light", "noise"))
    assert sure[0] == sure[1]


def test_an_estimate_past_the_ends_stays_a_weight() -> None:
    assert prompt_from_estimate(np.array([-3.0, 7.0], np.float32), PLAIN[:2]).tolist() == [0, 1]


def test_a_task_without_a_weight_is_as_much_as_the_picture_needs() -> None:
    # Guards against "low light" taken for the darkest room there is: dusk came back burnt out.
    wanted = np.array([1.0, 0.5, 0.0, 1.0], np.float32)
    average = np.array([0.6, 0.9, 0.8, 0.05], np.float32)
    assert as_needed(wanted, average).tolist() == pytest.approx([0.6, 0.5, 0.0, 0.25])
