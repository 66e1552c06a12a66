# SPDX-License-Identifier: MIT
"""The parts of the `ochre` command. Python's standard library only."""
