"""The errors that a user may meet: one line each, with the exit status the command ends with."""


class ClearcallError(Exception):
    """A failure that is reported in one line; the command then exits with `exit_status`."""

    exit_status = 1


class BadInput(ClearcallError):
    """The call or its input is wrong: a missing file, a value out of range, an unknown name."""

    exit_status = 2


class ModelError(ClearcallError):
    """A model's manifest or graph is damaged, or does not say what the run time needs."""


class EngineError(ClearcallError):
    """An engine could not start or could not run a step."""


class EngineLost(EngineError):
    """An engine cannot go on, as when its device is gone: the next one in line takes over."""


class OutOfDeviceMemory(EngineLost):
    """There is no room on the device for this; what already runs there may go on."""


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
