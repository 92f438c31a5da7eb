"""weights.lock says of every bundled weights file what it is, and says the truth."""

import re

from gen.lock import ROOT, read_lock
from gen.weights import problems, unlisted

MEGABYTE = 1_000_000


def test_every_file_is_the_one_in_the_lock() -> None:
    assert problems(read_lock().weights) == []


def test_no_weights_file_is_missing_from_the_lock() -> None:
    assert unlisted(read_lock()) == []


def test_bundled_weights_stay_within_their_budget() -> None:
    sizes = {weight.name: weight.size for weight in read_lock().weights if not weight.package}
    assert {name: size for name, size in sizes.items() if size > 15 * MEGABYTE} == {}
    assert sum(sizes.values()) <= 80 * MEGABYTE


def test_every_entry_says_its_licence_and_source() -> None:
    assert [w.name for w in read_lock().weights if not w.licence.strip() or not w.source.strip()] == []


def test_what_was_trained_here_has_a_card_and_the_card_names_these_weights() -> None:
    trained = [weight for weight in read_lock().weights if weight.source.startswith("gen/recipes/")]
    assert [w.name for w in trained if not (w.card and (ROOT / w.card).is_file())] == []
    for weight in trained:
        named = re.findall(r"^\| sha256 \| `(\w+)`", (ROOT / weight.card).read_text("utf-8"), re.MULTILINE)
        assert named in ([], [weight.sha256]), weight.name


def test_there_is_one_judge_and_it_makes_no_pixels() -> None:
    lock = read_lock()
    assert [weight.name for weight in lock.of("judge")] == ["judge"]
    assert "judge" not in [weight.name for weight in lock.of("render", "look")]
