"""Random trees take as long as the machine is busy: no example of theirs has a deadline."""

from hypothesis import settings

settings.register_profile("trees", deadline=None)
settings.load_profile("trees")
