"""Nobody guesses a credential piece by piece by looking at what is redacted, or refused, of what he sends."""

import pytest

from swarm_api.redaction import Redactor

SHOWN = "sk_swarm_0123456789abcdef_"
SECRET = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kL9nP2r"
ENOUGH = 22  # letters and digits: 131 bits
redactor = Redactor([SHOWN + SECRET])


@pytest.mark.parametrize("right", range(1, ENOUGH))
def test_a_guess_that_is_right_in_the_beginning_looks_like_any_other(right: int) -> None:
    guess = SHOWN + SECRET[:right] + "?" * (len(SECRET) - right)
    assert not redactor.known_in(guess)
    assert redactor.mask(guess.encode()) == guess.encode()
    assert redactor.text(guess) == Redactor().text(guess)
