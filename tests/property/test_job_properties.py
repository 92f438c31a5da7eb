"""A digest names exactly what shapes the clip."""

from hypothesis import given
from hypothesis import strategies as st

from gen.job import request_digest

words = st.text(max_size=8)
values = st.none() | st.integers() | words
requests = st.dictionaries(words, values, max_size=6)
files = st.dictionaries(words, words, max_size=3)


@given(requests, files, files)
def test_the_order_of_keys_does_not_matter(
    request: dict[str, str | int | None], inputs: dict[str, str], weights: dict[str, str]
) -> None:
    turned = dict(reversed(request.items()))
    assert request_digest(request, inputs, weights) == request_digest(
        turned, dict(reversed(inputs.items())), dict(reversed(weights.items()))
    )


@given(requests, requests)
def test_two_requests_share_a_digest_only_if_they_are_one(
    one: dict[str, str | int | None], other: dict[str, str | int | None]
) -> None:
    assert (request_digest(one, {}, {}) == request_digest(other, {}, {})) == (one == other)


@given(files, files)
def test_inputs_are_not_mistaken_for_weights(inputs: dict[str, str], weights: dict[str, str]) -> None:
    same = request_digest({}, inputs, weights) == request_digest({}, weights, inputs)
    assert same == (inputs == weights)
