"""What an operator may configure. Below this layer everything takes plain arguments.

This is the way in; the modules below are one part each: the fields, reading them, showing them.
"""

from safelight.settings.fields import Settings
from safelight.settings.reading import Problem, load_settings, usable_settings
from safelight.settings.showing import SettingRow, describe, settings_table_markdown

__all__ = [
    "Problem",
    "SettingRow",
    "Settings",
    "describe",
    "load_settings",
    "settings_table_markdown",
    "usable_settings",
]
