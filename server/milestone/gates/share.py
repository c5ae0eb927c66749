"""The share of the processors that a command may use: it is slowed down to it, never ended for it."""

from __future__ import annotations

BURST = 2.0
_LEAST = 0.2


class Share:
    """An account of CPU-seconds: filled with `rate` a second up to a burst, drawn on by what the command uses.

    >>> share = Share(0.4)
    >>> share.after(seconds=1.0, used=1.5), share.after(seconds=1.0, used=1.5)
    (False, True)
    >>> share.after(seconds=0.5, used=0.0), share.after(seconds=0.5, used=0.0)
    (True, False)
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._credit = BURST
        self.paused = False

    def after(self, *, seconds: float, used: float, may_begin: bool = True) -> bool:
        """Return whether the command has to pause now, `seconds` and `used` CPU-seconds after the last time.

        A pause lasts until the account holds what it gets in 0.2 s, so that it does not stutter; unless `may_begin`,
        no new one begins.
        """
        self._credit = min(BURST, self._credit + self._rate * seconds - used)
        enough = self._rate * _LEAST if self.paused else 0
        self.paused = self._credit < enough and (self.paused or may_begin)
        return self.paused
