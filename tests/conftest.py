"""What holds for all tests."""

from hypothesis import settings

# Machines are noisy, and a test that takes a while on one of them has not failed.
settings.register_profile("noisy", deadline=None)
settings.load_profile("noisy")
