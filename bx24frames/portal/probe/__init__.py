"""Probe: experiments that only read, to find out how a portal differs from its documentation."""

from bx24frames.portal.probe.experiment import Experiment, Verdict
from bx24frames.portal.probe.findings import Learned, gathered, recalled, remember
from bx24frames.portal.probe.run import probe

__all__ = ["Experiment", "Learned", "Verdict", "gathered", "probe", "recalled", "remember"]
