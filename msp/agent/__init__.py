"""The reference agent: polls the portal over hawkBit DDI v1, installs releases and tells what the machine is.

Python's standard library only, and nothing of the house, so that it runs alone on any machine with Python 3.11.
"""

VERSION = "0.1.0"
