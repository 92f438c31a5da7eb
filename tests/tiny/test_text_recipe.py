"""The text encoder's recipe at tiny size: real classes, small corpora in the real formats, exact resuming."""

import argparse
import csv
import gzip
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_encoders.emotion import GOEMOTIONS28
from emotion_encoders.text import TextEncoder
from emotion_encoders.text_model import DIALOGUE, Shape, TextNetwork
from emotion_encoders.wordpieces import SPECIAL, WordPieces
from gen.recipes import text_measure
from gen.recipes.text import finish, learned_from
from gen.recipes.text_calibrate import ekman_of, platt, thresholds
from gen.recipes.text_card import card
from gen.recipes.text_data import DataError, Material, read
from gen.recipes.text_fit import (
    Batch,
    Feed,
    Plan,
    State,
    all_heads,
    begin,
    fit,
    load_checkpoint,
    save_checkpoint,
)
from gen.recipes.text_start import renamed

WORDS = ("good", "bad", "day", "rain", "sun", "cat", "dog", "home", "very", "not", "i", "am", "happy", "sad")
PIECES = (
    *SPECIAL,
    *WORDS,
    *"abcdefghijklmnopqrstuvwxyz'.,!?",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
)
SHAPE = Shape(pieces=len(PIECES), width=16, inner=32, heads=2, layers=2, positions=64)
PLAN = Plan(passes={**dict.fromkeys(Plan().passes, 1.0), "pairs": 0.02, "glossary": 0.05}, tokens=400)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sentences(n: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(4, 9))) for _ in range(n)]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))


def table(rows: Sequence[Mapping[str, object]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every corpus in its own format; a word decides what each head should read."""
    folder = tmp_path_factory.mktemp("data")
    text = folder / "text"
    for split, n in (("train", 400), ("dev", 90)):
        found = sentences(n, len(split))
        labels = [
            f"{i % 28},17" if "happy" in t else str(i % 28 if i % 2 else 27) for i, t in enumerate(found)
        ]
        comments = "".join(
            f"{t}\t{label}\tid{i}\n" for i, (t, label) in enumerate(zip(found, labels, strict=True))
        )
        write(text / "goemotions" / "original" / f"{split}.tsv.gz", comments)
        lines = [{"Utterance": t, "Emotion": DIALOGUE[i % 7]} for i, t in enumerate(found)]
        write(text / "meld" / f"{split}_sent_emo.csv.gz", table(lines))
        reviews = "".join(f"{t}\t{int('good' in t)}\n" for t in found)
        write(text / "sst2" / f"{split}.tsv.gz", reviews)
    points = [
        {
            "id": i,
            "split": "dev" if i % 5 == 0 else "train",
            "V": 3 + ("good" in t),
            "A": 3 - ("rain" in t),
            "D": 3 + i % 2,
            "text": t,
        }
        for i, t in enumerate(sentences(300, 3))
    ]
    write(text / "emobank" / "emobank.csv.gz", table(points))
    told = [
        {"Field1": ("joy", "guilt")[i % 2], "SIT": f"{t}\u00e1\nthen"} for i, t in enumerate(sentences(60, 4))
    ]
    write(text / "isear" / "isear.csv.gz", table([*told, {"Field1": "joy", "SIT": "[ No response.]"}], "|"))
    rated = [
        {"Word": w, "V.Mean.Sum": 5 + i % 3, "A.Mean.Sum": 4 + i % 2, "D.Mean.Sum": i % 4}
        for i, w in enumerate(WORDS)
    ]
    write(text / "warriner_vad" / "warriner_vad_means.csv.gz", table(rated))
    return folder


@pytest.fixture(scope="module")
def material(data: Path) -> dict[str, Material]:
    return read(data)


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces(PIECES)


def begun(seed: int = 0) -> State:
    torch.manual_seed(seed)
    return begin(TextNetwork(SHAPE, heads=all_heads()), PLAN)


@pytest.fixture(scope="module")
def feed(material: dict[str, Material], pieces: WordPieces) -> Feed:
    return Feed(learned_from(material, 1), pieces, PLAN)


def test_corpora_are_read_cleaned_and_split(material: dict[str, Material]) -> None:
    comments = material["goemotions"]
    assert len(comments.learning) + len(comments.held) <= 400
    assert 10 < len(comments.held) < 70
    assert not set(comments.learning.texts) & set(comments.dev.texts)
    assert not set(comments.learning.texts) & set(comments.held.texts)
    assert len(material["isear"].learning) + len(material["isear"].held) == 60
    assert not any("á" in text for text in material["isear"].learning.texts)
    assert len(material["affect"].dev) == 60


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"emobank\.csv\.gz"):
        read(tmp_path)


def test_the_order_is_decided_by_the_seed_and_late_corpora_come_late(feed: Feed, pieces: WordPieces) -> None:
    again = Feed(feed.corpora, pieces, PLAN)
    assert [b.task for b in again.batches] == [b.task for b in feed.batches]
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(again.batches, feed.batches, strict=True))
    first = min(i for i, batch in enumerate(feed.batches) if batch.task == "glossary")
    assert first > 0.4 * len(feed.batches)


def test_training_moves_all_but_the_pieces_and_lowers_the_loss(feed: Feed) -> None:
    state = begun()
    before = {name: tensor.clone() for name, tensor in state.network.state_dict().items()}
    one = replace(PLAN, rate=3e-3, head_rate=3e-3)
    same = replace_batches(feed, [b for b in feed.batches if b.task == "polarity"][:1] * 30)
    losses = [loss for _, loss in fit(state, same, one, deadline=time.monotonic() + 60)]
    assert losses[-1] < losses[0]
    after = state.network.state_dict()
    assert torch.equal(before["pieces.weight"], after["pieces.weight"])
    assert not torch.equal(before["layers.0.qkv.weight"], after["layers.0.qkv.weight"])


def replace_batches(feed: Feed, batches: list[Batch]) -> Feed:
    other = object.__new__(Feed)
    other.corpora, other.plan, other.ids, other.batches = feed.corpora, feed.plan, feed.ids, batches
    return other


def test_resuming_gives_the_same_weights_as_never_stopping(feed: Feed, tmp_path: Path) -> None:
    short = replace_batches(feed, feed.batches[:8])
    whole = begun()
    for _ in fit(whole, short, PLAN, deadline=time.monotonic() + 60):
        pass
    stopped = begun()
    for _ in fit(stopped, short, PLAN, deadline=time.monotonic() + 60):
        if stopped.step == 4:
            break
    save_checkpoint(tmp_path / "c.safetensors", stopped, PLAN)
    resumed = begun(seed=9)
    load_checkpoint(tmp_path / "c.safetensors", resumed, PLAN)
    for _ in fit(resumed, short, PLAN, deadline=time.monotonic() + 60):
        pass
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name


def test_a_checkpoint_of_another_plan_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no checkpoint"):
        load_checkpoint(tmp_path / "c.safetensors", begun(), PLAN)
    save_checkpoint(tmp_path / "c.safetensors", begun(), PLAN)
    with pytest.raises(DataError, match="same options"):
        load_checkpoint(tmp_path / "c.safetensors", begun(), replace(PLAN, seed=2))


def test_the_finished_files_load_and_the_card_has_the_numbers(
    material: dict[str, Material], pieces: WordPieces, tmp_path: Path
) -> None:
    state = begun()
    asked = argparse.Namespace(bits=6, out=tmp_path / "text.safetensors")
    scores = finish(state, pieces, material, PLAN, asked)
    encoder = TextEncoder.load(asked.out)
    assert encoder.facts.results["sst2 accuracy"] == pytest.approx(scores["sst2 accuracy"].value, abs=1e-4)
    assert 0 <= encoder.read(["not a good day"])[0].confidence <= 1
    page = card(scores, asked.out, material, PLAN, steps=0, planned=9, bits=6)
    assert str(scores["meld weighted F1"]) in page
    assert "[nan" not in page


def test_the_encoder_computes_what_bert_computes() -> None:
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    bert = BertModel(config, add_pooling_layer=False).eval()
    ours = TextNetwork(SHAPE).eval()
    source = bert.state_dict()
    words = {"pieces.weight": source["embeddings.word_embeddings.weight"]}
    ours.load_state_dict(ours.state_dict() | renamed(source, SHAPE) | words)
    ids = torch.tensor([[2, 7, 8, 3, 0], [2, 9, 10, 11, 3]])
    with torch.inference_mode():
        wanted = bert(input_ids=ids, attention_mask=(ids > 0).long()).last_hidden_state
        seen = ours.features(ids, ids > 0)
    assert torch.allclose(seen[:, 16:], wanted[:, 0], atol=1e-5)
    assert torch.allclose(seen[1, :16], wanted[1].mean(0), atol=1e-5)


def test_platt_finds_the_slope_and_bias_that_made_the_labels() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 1)).astype(np.float32)
    truth = random.random((20_000, 1)) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    slope, bias = platt(torch.from_numpy(logits), torch.from_numpy(truth))
    assert (float(slope), float(bias)) == (pytest.approx(0.5, abs=0.05), pytest.approx(-1, abs=0.07))


def test_the_threshold_lies_where_f1_is_best() -> None:
    chances = np.concatenate([np.full(50, 0.9), np.full(50, 0.3), np.full(900, 0.05)])[:, None]
    truth = np.concatenate([np.ones(45), np.zeros(5), np.ones(15), np.zeros(35), np.zeros(900)])[:, None]
    assert 0.3 < thresholds(chances, truth)[0] < 0.9


def test_the_28_labels_group_as_published() -> None:
    truth = np.eye(28)[[GOEMOTIONS28.labels.index(label) for label in ("annoyance", "curiosity", "neutral")]]
    assert [int(row.argmax()) for row in ekman_of(truth)] == [6, 3, 0]


def test_scores_agree_with_the_textbook() -> None:
    held = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], np.float32)
    truth = np.array([[1, 0], [0, 1], [0, 0], [1, 0]], np.float32)
    assert text_measure.f1(np.ones((1, 4), np.float32), held, truth)[0] == pytest.approx([0.5, 2 / 3])
    a, b = np.random.default_rng(0).normal(size=(2, 200))
    found = text_measure.score(text_measure.pearson(a, a + b), 200)
    assert found.value == pytest.approx(np.corrcoef(a, a + b)[0, 1], abs=1e-5)
    assert found.low < found.value < found.high
    right = (np.arange(200) % 10 < 7).astype(float)
    assert text_measure.score(text_measure.ece(np.full(200, 0.9), right), 200).value == pytest.approx(0.2)
