from __future__ import annotations

import subprocess
import sys

from expectations.gx.deferred import deferred


def test_a_module_is_imported_when_it_is_used() -> None:
    code = """
import sys
from expectations.gx.deferred import deferred
with deferred("wave", "xml.dom"):
    import wave
    from xml import dom
print("wave" in sys.modules, "xml.dom" in sys.modules)
print(wave.open.__name__, dom.NotFoundErr.__name__, "wave" in sys.modules)
import wave as real
print(real is sys.modules["wave"], real.open is wave.open)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False False", "open NotFoundErr True", "True True"]


def test_a_module_that_is_there_stays() -> None:
    with deferred("subprocess"):
        assert sys.modules["subprocess"] is subprocess


def test_the_library_is_imported_without_charts_and_statistics() -> None:
    code = (
        "import sys, expectations.gx.judge; print(sorted({'altair', 'scipy.stats', 'scipy.optimize'} & set(sys.modules)));"
        "from scipy import stats; from great_expectations.expectations.core import"
        " expect_column_kl_divergence_to_be_less_than as module; print(module.stats.entropy is stats.entropy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True"]
