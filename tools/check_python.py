"""Say in one line what is wrong with this Python for Safelight, if anything. Runs under any Python 3, before set-up."""

import importlib.util
import sys

if sys.version_info < (3, 11):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"Safelight needs Python 3.11 or newer; {sys.executable} is {found}. Try: make run PYTHON=python3.12")
if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
    sys.exit(f"{sys.executable} cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv")
