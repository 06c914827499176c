"""Leverage: rows at random by how much some direction depends on them, weighed so that norms are kept.

    tau_i = a_i (A^T A)^+ a_i^T;  chance_i = min(1, c tau_i^(p/2)), sum k;  weight_i = chance_i^(-1/p)
    sum over the sample of (weight_i |a_i x|)^p estimates |A x|_p^p for every x at once

Source: Drineas, Mahoney and Muthukrishnan 2006, doi:10.1145/1109557.1109682 (p = 2); Woodruff and Yasuda
2023, Sharper bounds for l_p sensitivity sampling, arXiv:2306.00732 (root leverage scores for p < 2, a mixture
for p > 2); Cohen and Peng 2015, l_p row sampling by Lewis weights, arXiv:1412.0588.
Deviates: sensitivities, the largest share |a_i x|^p / |A x|_p^p of a row, are not solved for but bounded: by
    tau^(p/2) for p <= 2, by Lewis weights for p > 2, to which tau is added. The size is k, not k on average:
    chances are met exactly by systematic sampling in random order in place of a coin a row.
Cost: 4 n d^2 operations for p <= 2; some 10 times that for p > 2.
Memory: 32 n bytes and blocks of 16,384 rows in float64.
Guarantee: tau by Gram matrix and Cholesky where its condition shows that 8 digits or so are right, else by QR
    in blocks, which also finds the rank; `leverage` says in words which. Chances are those stated.
Use it when: a linear model or a norm is fitted on a few rows and rare directions must not be lost. Not when:
    rows are near-duplicates of few points (KDPP, FacilityLocation).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.errors import UsageError
from shortlist.core.fill import told
from shortlist.core.pool import Pool
from shortlist.core.sample import Sample, shares, systematic
from shortlist.core.seeds import generator
from shortlist.core.signals import Vectors
from shortlist.core.topped import topped

#: Rows of one product.
BLOCK = 16_384
#: Condition of the Gram matrix up to which Cholesky is good for some 8 digits.
SOUND = 1e8


@dataclass(frozen=True, slots=True, kw_only=True)
class Leverage:
    """Rows at random by leverage; the objective, if there is one, only says what it gained.

    Args:
        by: a Vectors signal, taken as it is (not brought to length 1).
        p: of the norm that is to be kept, from 1 to 3.
        seed: of the draw.
    """

    by: str = field(default="vec", kw_only=False)
    p: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.p <= 3:
            raise UsageError(f"Leverage: p must lie in [1, 3], found {self.p}")

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows."""
        score, rng = self.scores(pool), generator(self.seed, "leverage")

        def draw(_: I64, left: I64, m: int) -> I64:
            return left[systematic(shares(score[left], m), rng)]

        return told(built, limits, pool, topped(limits, len(pool), draw))

    def sample(self, pool: Pool, k: int) -> Sample:
        """min(k, n) rows with their chances, and the weights chance^(-1/p) that rows are multiplied by."""
        chance = shares(self.scores(pool), min(k, len(pool)))
        at = systematic(chance, generator(self.seed, "leverage"))
        return Sample(pool.rows[at], chance[at], chance[at] ** (-1.0 / self.p))

    def scores(self, pool: Pool) -> F64:
        """f64[n]: what chances are in proportion to: an upper bound of sensitivity up to a factor."""
        rows = pool.signal(self.by, Vectors).values.view(np.ndarray)
        tau, _ = leverage(rows)
        if self.p <= 2:
            root: F64 = tau ** (self.p / 2)
            return root
        return lewis(rows, self.p, tau) + tau


def leverage(rows: F32, scale: F64 | None = None) -> tuple[F64, str]:
    """Leverage scores f64[n] of rows f32[n, d], each times scale f64[n]; and how they were found, in
    words."""
    n, d = rows.shape
    gram = np.zeros((d, d))
    for a in range(0, n, BLOCK):
        block = _block(rows, scale, a)
        gram += block.T @ block
    size = np.linalg.eigvalsh(gram) if n and d else np.zeros(1)
    if size[0] * SOUND > size[-1]:
        turn = np.linalg.inv(np.linalg.cholesky(gram)).T
        how = f"Gram matrix and Cholesky: the condition of the rows is {np.sqrt(size[-1] / size[0]):.2g}"
    else:
        turn, rank = _by_qr(rows, scale)
        how = f"QR in blocks: rank {rank} of {d}, and a Gram matrix would lose too many digits"
    tau = np.empty(n)
    for a in range(0, n, BLOCK):
        along = _block(rows, scale, a) @ turn
        tau[a : a + BLOCK] = np.einsum("ij,ij->i", along, along)
    return np.minimum(tau, 1.0), how


def _block(rows: F32, scale: F64 | None, a: int) -> F64:
    block = rows[a : a + BLOCK].astype(np.float64)
    if scale is not None:
        block *= scale[a : a + BLOCK, None]
    return block


def _by_qr(rows: F32, scale: F64 | None) -> tuple[F64, int]:
    """f64[d, rank]: what turns rows into an orthonormal basis, by the triangle R of A = Q R."""
    r = np.zeros((0, rows.shape[1]))
    for a in range(0, len(rows), BLOCK):
        r = np.asarray(np.linalg.qr(np.concatenate([r, _block(rows, scale, a)]), mode="r"), np.float64)
    _, size, axes = np.linalg.svd(r, full_matrices=False)
    some = size > 1e-10 * size.max(initial=0.0)
    return axes[some].T / size[some], int(some.sum())


def lewis(rows: F32, p: float, tau: F64) -> F64:
    """f64[n]: l_p Lewis weights, w_i = leverage of row i among rows w^(1/2 - 1/p) a, to 3 digits: the fixed
    point of w = (a_i (A^T W^(1 - 2/p) A)^+ a_i^T)^(p/2), found by repetition (p < 4)."""
    w = np.maximum(tau, np.finfo(np.float64).tiny) * (tau > 0)
    for _ in range(40):
        scale = w ** (0.5 - 1 / p)
        t, _ = leverage(rows, scale)
        new = np.divide(t, scale**2, out=np.zeros_like(t), where=scale > 0) ** (p / 2)
        done = np.abs(new - w).max(initial=0.0) <= 1e-3 * new.max(initial=0.0)
        w = new
        if done:
            break
    return w


def exact(rows: F32) -> F64:
    """Leverage scores of rows f32[n, d] by the definition."""
    a = rows.astype(np.float64)
    tau: F64 = np.einsum("ij,jk,ik->i", a, np.linalg.pinv(a.T @ a, hermitian=True), a)
    return tau


EXAMPLES = (Leverage(), Leverage("vec2", p=1.0, seed=2), Leverage(p=3.0))


def spiky(rng: np.random.Generator, n: int, d: int) -> F32:
    """Rows of one kind, and a few that alone know the last two directions."""
    rows = rng.normal(size=(n, d))
    rows[:, -2:] = 0
    rows[rng.choice(n, 12, replace=False), -2:] = rng.normal(size=(12, 2)) * 5
    return rows.astype(np.float32)


def distortion(rows: F32, at: I64, weight: F64, p: float, x: F64) -> F64:
    """f64[m]: by how much norms |A x|_p of directions x f64[d, m] are off over the sample, relatively."""
    whole = (np.abs(rows @ x) ** p).sum(axis=0) ** (1 / p)
    some = (np.abs(rows[at] @ x * weight[:, None]) ** p).sum(axis=0) ** (1 / p)
    out: F64 = np.abs(some / whole - 1)
    return out


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: 0.2 less the largest distortion of 500 directions by 1,000 of 5,000 rows, for p = 1, 1.5, 2,
    3."""
    margins = []
    for i in range(4 * scale):
        rows, p = spiky(rng, 5000, 8), (1.0, 1.5, 2.0, 3.0)[i % 4]
        pool = Pool.of({"vec": Vectors(rows)})
        got = Leverage(p=p, seed=i).sample(pool, 1000)
        x = np.concatenate([rng.normal(size=(8, 492)), np.eye(8)], axis=1)
        margins.append(0.2 - distortion(rows, got.rows, got.weight, p, x).max())
    worst: F64 = np.minimum(np.array(margins), min(margins))
    return worst


CLAIM = Claim(
    paper="Woodruff and Yasuda 2023",
    says="rows drawn by root leverage scores (p < 2) or a mixture (p > 2) keep every norm |A x|_p",
    we_show="1,000 of 5,000 spiky rows keep 500 norms to 20%, for p = 1, 1.5, 2 and 3",
    not_shown="how the size has to grow with the dimension",
    measure=claim,
    margin=0.0,
)
