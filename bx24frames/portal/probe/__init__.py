"""Experiments that only read, tried on a portal: which of what is documented holds there."""

from bx24frames.portal.probe.experiment import Experiment, Verdict
from bx24frames.portal.probe.learned import Learned, gathered, recalled, remember
from bx24frames.portal.probe.run import probe

__all__ = ["Experiment", "Learned", "Verdict", "gathered", "probe", "recalled", "remember"]
