"""The backends that the documentation names, for real: `make ui-check`.

Each `check_*.py` starts a backend from its own environment (`.venv-ui/`, one per backend), follows its page of the
documentation, and looks at what the backend then shows: at a web interface in a headless Chromium, at a service by what
it is sent. The default test run does not collect these files: they need gigabytes of packages and a browser.
"""
