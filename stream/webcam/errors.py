"""What may happen to a webcam on the way; the door goes on, and tries again."""

from engines.errors import ClearcallError


class SourceLost(ClearcallError):
    """The camera is gone or gives no picture."""


class OutputLost(ClearcallError):
    """The virtual camera is gone."""


class OutputClosed(ClearcallError):
    """Whoever looked at the preview closed it: the webcam ends, too."""
