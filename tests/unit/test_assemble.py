"""Names become loaded objects; what was chosen has a reason."""

from gen import assemble


def test_choices_come_with_reasons() -> None:
    for choice in (assemble.device(), assemble.threads()):
        assert choice.value
        assert len(choice.reason.split()) > 3


def test_the_recogniser_is_the_bundled_one_on_the_chosen_device() -> None:
    recogniser = assemble.face_recogniser()
    assert recogniser.device.type == assemble.device().value
    assert 0 < recogniser.accuracy <= 1


def test_engine_and_watcher_share_one_tracker() -> None:
    studio = assemble.studio()
    assert studio.pipeline.tracker is studio.tracker
