"""The 52 face coefficients of Apple's ARKit, in the column order of LiveLink Face recordings."""

# Left and right are the person's own, as in ARKit: eyeBlinkLeft is on the right of an unmirrored picture.
# So are directions: eyeLookInLeft turns the left eye to the nose, jawLeft moves to the person's left.
ARKIT: tuple[str, ...] = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawRight",
    "jawLeft",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthRight",
    "mouthLeft",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)

_PLACE: dict[str, int] = {name: place for place, name in enumerate(ARKIT)}


def index(name: str) -> int:
    """The column of one coefficient."""
    if name not in _PLACE:
        raise ValueError(
            f"{name!r} is no ARKit coefficient; the 52 names are in pipelines.portrait.arkit.ARKIT."
        )
    return _PLACE[name]


def columns(name: str) -> tuple[int, ...]:
    """The columns of a coefficient that may come in two sides: 'mouthSmile' is its left and its right."""
    if name + "Left" in _PLACE:
        return _PLACE[name + "Left"], _PLACE[name + "Right"]
    return (index(name),)
