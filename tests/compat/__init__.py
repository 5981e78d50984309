"""The same programs, run on this package and on the published SDK, and compared: `make compat`.

`programs/` holds them: plain Python that uses the public API alone, one `case_...` function for each thing to see.
`observation.py` runs one program in one environment and writes down everything that came of it. `normalisation.py`
takes out what differs from run to run, `comparison.py` finds what else differs, and `deliberate.toml` says which of
that is meant, and why. `surface.py` tells which public names no program touches.
"""
