"""What a planted callback would run, if anything ran it."""


def touch(*_arguments):
    raise AssertionError("a planted callback was called")
