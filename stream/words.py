"""Plain words to task prompts: "my room is dark" means low light."""

from __future__ import annotations

import re

PHRASES: dict[str, tuple[str, ...]] = {
    "noise": ("noise", "noisy", "grain", "grainy", "grains", "speckles", "speckled", "snow", "static"),
    "compression": (
        *("compression", "compressed", "blocky", "blocks", "block", "artifacts", "artefacts", "blocking", "pixelated"),
        *("macroblocks", "mosquito", "ringing", "low bitrate", "bad connection", "slow connection", "jpeg", "mp4"),
    ),
    "low light": (
        *("low light", "dark", "dim", "dimly", "darkness", "underexposed", "gloomy", "night", "too little light"),
        *("backlit", "backlight", "poorly lit", "badly lit", "brighten", "brighter"),
    ),
    "blur": (
        *("blur", "blurry", "blurred", "unsharp", "out of focus", "defocus", "defocused", "soft", "sharpen", "shaky"),
    ),
    "low resolution": (
        *("low resolution", "low res", "lowres", "small picture", "upscaled", "upscale", "super resolution"),
        *("superresolution", "coarse", "few pixels"),
    ),
    "haze": ("haze", "hazy", "fog", "foggy", "mist", "misty", "milky", "smoke", "smoky", "washed out", "steamed up"),
    "rain": ("rain", "rainy", "raining", "raindrops", "drizzle", "streaks"),
}
"""What people say, by task; a model that does not know a task ignores its words."""

WEAK = {"slightly", "bit", "little", "somewhat", "mildly", "light"}
"""In front of a phrase: half the weight."""
NEGATIONS = {"not", "isnt", "arent", "never", "without"}
REACH = 2
"""Words in front of a phrase that may weaken or negate it."""


def understand(text: str, known: tuple[str, ...]) -> dict[str, float]:
    """The tasks, of those `known`, that a text speaks of, with weights of .5 or 1; empty when it speaks of none."""
    plain = re.sub("['\N{RIGHT SINGLE QUOTATION MARK}]", "", text.lower())
    clauses = [re.findall(r"[a-z0-9]+", clause) for clause in re.split(r"[,.;:!?+]", plain)]
    found: dict[str, float] = {}
    for task in known:
        for phrase in PHRASES.get(" ".join(re.split(r"[_\-\s]+", task)), ()):
            weight = max(_weight(words, phrase.split()) for words in clauses)
            if weight > 0:
                found[task] = max(weight, found.get(task, 0.0))
    return found


def _weight(words: list[str], phrase: list[str]) -> float:
    """The strongest mention of a phrase among the words of a clause; 0 without one."""
    best = 0.0
    for place in range(len(words) - len(phrase) + 1):
        before = set(words[max(0, place - REACH) : place])
        if words[place : place + len(phrase)] == phrase and not before & NEGATIONS:
            best = max(best, 0.5 if before & WEAK else 1.0)
    return best
