"""What holds for all tests."""

import signal

from hypothesis import settings

# A shell has what it runs in the background ignore this; so would all that tests start, and some interrupt that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Machines are noisy, and a test that takes a while on one of them has not failed.
settings.register_profile("noisy", deadline=None)
settings.load_profile("noisy")
