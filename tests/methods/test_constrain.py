"""Constraints as objects and as text: what they refuse, how they are written, what a report says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.account import broken_shares
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.expression import expression, parse
from shortlist.core.limits import NoWitness, bind, bind_rows, report
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Tags
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack, budget_from_text
from shortlist.methods.constrain.quota import Quota, count_of, quota_from_text
from shortlist.methods.constrain.reading import budget_text, quota_text, read_budget, read_quota
from shortlist.methods.constrain.shown import Shown

NAMES = {c.__name__: c for c in (Cardinality, Knapsack, Quota, Include, Exclude, Shown)}
WITH = settings(deadline=None, derandomize=True, database=None)


def pool(n: int = 10) -> Pool:
    """Languages de, en, de, en ...; tags t0 on all, t1 on every third; costs 0, 1, 2 ..."""
    return Pool.of(
        {
            "lang": Labels.of(["de" if i % 2 == 0 else "en" for i in range(n)]),
            "tags": Tags.of([["t0", "t1"] if i % 3 == 0 else ["t0"] for i in range(n)]),
            "tokens": Costs(np.arange(n, dtype=np.float64), "tokens"),
            "score": Scores(np.arange(n, dtype=np.float64)),
        }
    )


class TestWhatIsRefused:
    @pytest.mark.parametrize("bound", [True, -1, 1.5, -0.1, math.nan, "3", None, 1 << 60, [1]])
    def test_a_quota_bound_is_a_count_or_a_share(self, bound: object) -> None:
        with pytest.raises(UsageError, match=r"Quota\('lang'\)"):
            Quota("lang", at_least={"de": bound})

    def test_a_quota_bounds_something_by_names(self) -> None:
        with pytest.raises(UsageError, match="bounds nothing"):
            Quota("lang")
        with pytest.raises(UsageError, match="named by strings"):
            Quota("lang", at_most={3: 1})

    def test_an_unknown_group_names_the_near_ones(self) -> None:
        labels = Labels.of(["german", "french", "english"])
        with pytest.raises(UsageError, match=r"'lang' has no group 'germann'; did you mean 'german'"):
            Quota("lang", at_most={"germann": 1}).rows(Pool.of({"lang": labels}), 3)
        with pytest.raises(UsageError, match="no groups at all"):
            Quota("lang", at_most={"x": 1}).rows(Pool.of({"lang": Labels.of([])}), 3)

    def test_a_signal_without_groups_is_named(self) -> None:
        with pytest.raises(ContractError, match=r"no signal 'source'.*\['lang', 'tags'\]"):
            Quota("source", at_most=1).rows(pool(), 3)
        with pytest.raises(ContractError, match="'score' is Scores, not groups"):
            Quota("score", at_most=1).rows(pool(), 3)

    @pytest.mark.parametrize("most", [True, -1, math.nan, math.inf, "many", None, 10**400])
    def test_a_budget_is_a_finite_number(self, most: object) -> None:
        with pytest.raises(UsageError, match="Knapsack: at_most"):
            Knapsack("tokens", at_most=most)

    @pytest.mark.parametrize("k", [True, -1, 2.0, "3", None])
    def test_a_size_is_a_whole_number(self, k: object) -> None:
        with pytest.raises(UsageError, match="Cardinality: k"):
            Cardinality(k)

    def test_a_least_size_is_no_more_than_the_size(self) -> None:
        with pytest.raises(UsageError, match="at_least=4 is more than k=3"):
            Cardinality(3, at_least=4)
        with pytest.raises(UsageError, match="k must be at least 0"):
            bind(pool(), [], -1)

    @pytest.mark.parametrize("rows", ["12", b"1", 3, [1.0], [True], [-1], [None]])
    @pytest.mark.parametrize("kind", [Include, Exclude, Shown])
    def test_rows_are_numbers(self, kind: type, rows: object) -> None:
        with pytest.raises(UsageError, match=kind.__name__):
            kind(rows)

    def test_a_row_to_include_is_in_the_pool(self) -> None:
        with pytest.raises(UsageError, match=r"include=12,99: not in this pool of 10 rows"):
            bind(pool(), [Include((1, 99, 12))], 3)
        kept = pool().take(np.array([2, 5]))
        limits = bind(kept, [Include([5]), Exclude([2, 3]), Shown([7])], 2)
        assert limits.must.tolist() == [1]
        assert limits.k == 1

    def test_what_no_house_rule_says_is_refused(self) -> None:
        from shortlist.core.contracts import Row

        with pytest.raises(ContractError, match="least sum of weights"):
            bind_rows([Row("w>=1", "knapsack", None, np.ones(3), 1, np.inf)], 3)
        with pytest.raises(ContractError, match="no count lies between"):
            bind_rows([Row("x", "quota", None, None, 2, 1)], 3)


class TestShares:
    def test_shares_are_exact(self) -> None:
        assert [count_of(0.1, 500, least=side) for side in (True, False)] == [50, 50]
        assert count_of(1 / 3, 300, least=False) == count_of(1 / 3, 300, least=True) == 100
        assert (count_of(0.07, 100, least=True), count_of(0.57, 100, least=False)) == (7, 57)
        assert (count_of(0.1, 505, least=True), count_of(0.1, 505, least=False)) == (51, 50)
        assert (count_of(1.0, 7, least=True), count_of(1, 7, least=True), count_of(0.0, 7, least=False)) == (
            7,
            1,
            0,
        )

    @given(st.integers(0, 1000), st.integers(0, 1000))
    @WITH
    def test_per_mille_of_any_size(self, share: int, k: int) -> None:
        assert count_of(share / 1000, k, least=True) == -(-share * k // 1000)
        assert count_of(share / 1000, k, least=False) == share * k // 1000

    def test_shares_are_of_what_can_be_chosen(self) -> None:
        limits = bind(pool(), [Quota("lang", at_least={"en": 0.5}), Exclude(range(8))], 100)
        assert (limits.k, limits.rows[1].low) == (2, 1)
        assert limits.names == ("size=100", "lang:en>=50%", "exclude=0,1,2,3,4,… (8 rows)")

    def test_a_choice_that_ended_early_is_asked_again(self) -> None:
        rules = [Quota("lang", at_most={"de": 0.5}), Knapsack("tokens", at_most=2)]
        limits = bind(pool(), rules, 4)
        at = np.array([0, 2])
        assert limits.check(at) == []
        assert broken_shares(pool(), rules, at) == ["lang:de<=50%: 2 found, at most 1 allowed"]
        assert broken_shares(pool(), rules, np.array([0, 1])) == []


class TestText:
    @pytest.mark.parametrize(
        ("text", "by", "least", "most"),
        [
            ("lang:de>=10%", "lang", {"de": 0.1}, None),
            ("source:web<=200", "source", None, {"web": 200}),
            ("source<=40%", "source", None, 0.4),
            ("source>=3", "source", 3, None),
            (" lang : a b >= 5 ", "lang", {"a b": 5}, None),
            ("lang:de=50", "lang", {"de": 50}, {"de": 50}),
            ("lang:de==7", "lang", {"de": 7}, {"de": 7}),
            ("lang:日本語≥0.5", "lang", {"日本語": 0.5}, None),
            ("url:http://x<=1,000", "url", None, {"http://x": 1000}),
            ("op:a<=b>=1_0", "op", {"a<=b": 10}, None),
            ("op:x=>=2", "op", {"x=": 2}, None),
            ('"a:b":c<=12.5 %', "a:b", None, {"c": 0.125}),
            ('lang:"">=1', "lang", {"": 1}, None),
            ("lang:de<=1e3", "lang", None, {"de": 1000}),
            ("lang:de<=1e-2", "lang", None, {"de": 0.01}),
            ("lang:de<=1.0", "lang", None, {"de": 1.0}),
        ],
    )
    def test_quotas_are_read(self, text: str, by: str, least: object, most: object) -> None:
        assert quota_from_text(text) == Quota(by, at_least=least, at_most=most)

    def test_known_signals_say_where_the_name_ends(self) -> None:
        assert quota_from_text("a:b:c>=1", ["a", "a:b"]) == Quota("a:b", at_least={"c": 1})
        assert quota_from_text("a:b>=1", ["a:b"]) == Quota("a:b", at_least=1)
        assert quota_from_text("a:b>=1", ["ab"]) == Quota("a", at_least={"b": 1})

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "no bound"),
            ("lang:de", "no bound"),
            ("lang:de>10", "write >="),
            ("lang:de>=", "is no count"),
            ("lang:de>=ten", "'ten' is no count"),
            ("lang:de>=-3", "'-3' is no count"),
            ("lang:de>=1,00", "is no count"),
            ("lang:de>=e3", "is no count"),
            ("lang:de>=150%", "at most 100%"),
            ("lang:de>=3.5", "a count is a whole number"),
            ("lang:de=10%", "bound it with >= or <="),
            (":de>=3", "the signal is not named"),
            (">=3", "the signal is not named"),
            ("lang:>=3", "the group is not named"),
        ],
    )
    def test_what_cannot_be_read_says_why_in_one_line(self, text: str, why: str) -> None:
        with pytest.raises(UsageError, match="cannot read the quota") as e:
            quota_from_text(text)
        assert why in str(e.value)
        assert "write lang:de>=10%" in str(e.value)
        assert "\n" not in str(e.value)

    @pytest.mark.parametrize(
        ("text", "by", "most"),
        [
            ("tokens=20000", "tokens", 20000),
            ("tokens=20k", "tokens", 20000),
            ("tokens <= 1.5M", "tokens", 1500000),
            ("usd≤0.25", "usd", 0.25),
            ("b=1G", "b", 10**9),
            ("tokens=20,000", "tokens", 20000),
            ("a b=1e4", "a b", 10000),
        ],
    )
    def test_budgets_are_read(self, text: str, by: str, most: float) -> None:
        assert budget_from_text(text) == Knapsack(by, at_most=most)

    @pytest.mark.parametrize(
        "text", ["tokens", "=3", "tokens>=3", "tokens=nan", "tokens=-1", "tokens=1,5", "x<3"]
    )
    def test_budgets_that_cannot_be_read(self, text: str) -> None:
        with pytest.raises(UsageError, match=r"cannot read the budget .*write tokens=20000"):
            budget_from_text(text)

    @given(
        st.text(min_size=1),
        st.none() | st.text(),
        st.sampled_from([">=", "<="]),
        st.integers(0, 99) | st.floats(0, 1),
    )
    @settings(WITH, max_examples=500)
    def test_what_is_written_reads_back(self, by: str, group: str | None, sign: str, bound: float) -> None:
        assert read_quota(quota_text(by, group, sign, bound)) == (by, group, sign, bound)

    @given(st.text(min_size=1), st.integers(0, 10**9) | st.floats(1e-6, 1e15))
    @settings(WITH, max_examples=300)
    def test_budgets_read_back(self, by: str, most: float) -> None:
        assert read_budget(budget_text(by, most)) == (by, most)

    @pytest.mark.parametrize(
        "rule",
        [
            Cardinality(np.int64(5), at_least=2),
            Knapsack("tokens", at_most=np.float32(2.5)),
            Knapsack("tokens", at_most=2e4),
            Quota("lang", at_least={"a'b": np.float64(0.1)}, at_most=np.int32(3)),
            Include(np.array([3, 1])),
            Exclude(range(3)),
            Shown(()),
        ],
    )
    def test_expressions_read_back(self, rule: object) -> None:
        assert parse(expression(rule), NAMES) == rule
        assert "np." not in expression(rule)


class TestReport:
    def test_every_line_of_the_report(self) -> None:
        rules = [
            Quota("lang", at_least={"de": 2}, at_most={"en": 0.5}),
            Knapsack("tokens", at_most=20),
            Include([1]),
            Exclude([9]),
        ]
        limits = bind(pool(), rules, 4)
        lines = report(limits, np.array([1, 0, 2, 4]))
        assert [(x["text"], x["value"], x["low"], x["high"], x["slack"], x["tight"]) for x in lines] == [
            ("size=4", 4, None, 4, 0, True),
            ("lang:de>=2", 3, 2, None, 1, False),
            ("lang:en<=50%", 1, None, 2, 1, False),
            ("tokens<=20", 7, None, 20, 13, False),
            ("include=1", 1, 1, None, 0, True),
            ("exclude=9", 0, None, 0, 0, True),
        ]
        assert [x["kind"] for x in lines] == ["size", "quota", "quota", "knapsack", "include", "exclude"]

    def test_a_budget_is_tight_where_nothing_more_fits(self) -> None:
        limits = bind(pool().take(np.arange(5, 10)), [Knapsack("tokens", at_most=12)], 5)
        assert report(limits, np.array([0]))[1]["tight"] is False
        assert report(limits, np.array([1]))[1]["tight"] is False
        assert report(limits, np.array([4]))[1]["tight"] is True

    def test_rounding_never_shows(self) -> None:
        costs = Pool.of({"usd": Costs(np.full(10, 0.1))})
        limits = bind(costs, [Knapsack("usd", at_most=0.3)], 10)
        at = np.arange(3)
        assert 0.1 + 0.1 + 0.1 > 0.3
        assert limits.check(at) == []
        assert report(limits, at)[1]["slack"] == 0
        assert limits.check(np.arange(4)) == ["usd<=0.3: 0.4 found, at most 0.3 allowed"]

    def test_a_rule_for_every_group_is_many_lines_of_one_rule(self) -> None:
        rows = Quota("lang", at_most=0.5).rows(pool(), 4)
        assert [r.text for r in rows] == ["lang:de<=50%", "lang:en<=50%"]
        assert {r.rule for r in rows} == {"lang<=50%"}

    def test_positions_outside_or_twice_are_violations(self) -> None:
        limits = bind(pool(), [], 3)
        assert limits.check(np.array([1, 1])) == ["a row was chosen twice"]
        assert limits.check(np.array([10])) == ["position 10 is not among 10 rows"]


class TestLimits:
    def test_reasons_are_named(self) -> None:
        rules = [
            Quota("lang", at_least={"de": 2}, at_most={"en": 1}),
            Knapsack("tokens", at_most=8),
            Exclude([2]),
            Shown([4]),
        ]
        limits = bind(pool(), rules, 3)
        state = limits.start()
        why = {name: i for i, name in enumerate(limits.names)}
        assert limits.refuses(state, 2) == why["exclude=2"]
        assert limits.refuses(state, 4) == why["shown=4"]
        assert limits.refuses(state, 9) == why["tokens<=8"]
        assert limits.shown.tolist() == [4]
        state = limits.add(state, 1)
        assert limits.refuses(state, 3) == why["lang:en<=1"]
        assert limits.refuses(state, 1) == -1
        small = bind(pool(), [Quota("lang", at_least={"de": 2})], 2)
        assert small.names[small.refuses(small.start(), 1)] == "lang:de>=2"
        full = small.add(small.add(small.start(), 0), 2)
        assert small.names[small.refuses(full, 4)] == "size=2"

    def test_what_is_not_allowed_cannot_be_added(self) -> None:
        limits = bind(pool(), [Exclude([2]), Knapsack("tokens", at_most=3)], 3)
        for x in (2, 9):
            with pytest.raises(ContractError, match="may not be taken"):
                limits.add(limits.start(), x)
        with pytest.raises(ContractError, match="may not be taken"):
            limits.add(limits.add(limits.start(), 1), 1)

    def test_the_reserve_is_kept_cheap(self) -> None:
        # 2 rows of de cost at least 0 + 2, so 6 of the 8 tokens are free for others
        limits = bind(pool(), [Quota("lang", at_least={"de": 2}), Knapsack("tokens", at_most=8)], 5)
        allowed = np.flatnonzero(limits.allows(limits.start(), np.arange(10)))
        assert allowed.tolist() == [0, 1, 2, 3, 4, 5, 6, 8]

    def test_a_given_witness_is_made_cheap_and_small_or_refused(self) -> None:
        rules = [Quota("lang", at_least={"de": 1}), Knapsack("tokens", at_most=8)]
        limits = bind(pool(), rules, 3, witness=np.array([8, 3]))
        assert limits.allows(limits.start(), np.array([8]))[0]
        assert limits.first.rest[0] == pytest.approx(8)
        with pytest.raises(ContractError, match="breaks a bound"):
            bind(pool(), rules, 3, witness=np.array([1]))
        with pytest.raises(ContractError, match="may not be taken"):
            bind(pool(), [*rules, Exclude([8])], 3, witness=np.array([8]))

    def test_edges(self) -> None:
        assert bind(pool(0), [Quota("tags", at_most=0.5)], 3).k == 0
        assert bind(pool(), [], 0).k == 0
        assert not bind(pool(), [], 0).allows(bind(pool(), [], 0).start(), np.arange(10)).any()
        assert bind(pool(), []).k == 10
        assert bind(pool(), [Cardinality(4)]).k == 4
        assert bind(pool(), [Cardinality(4), Cardinality(3)], 5).k == 3
        assert bind(pool(), [Cardinality(4)], 3).names == ("size=3", "size=4")
        with pytest.raises(NoWitness):
            bind(pool(), [Cardinality(20, at_least=11)])

    def test_many_groups_and_read_only_arrays(self) -> None:
        n = 3000
        codes = (np.arange(n) % 1000).astype(np.int32)
        cost = np.ones(n)
        codes.flags.writeable = cost.flags.writeable = False
        many = Pool.of({"author": Labels(codes, tuple(map(str, range(1000)))), "c": Costs(cost)})
        limits = bind(many, [Quota("author", at_least=1, at_most=2), Knapsack("c", at_most=1200)], 1500)
        state, taken = limits.start(), []
        for x in np.random.default_rng(0).permutation(n).tolist():
            if limits.may(state, x):
                state = limits.add(state, x)
                taken.append(x)
        assert len(taken) == 1200
        assert limits.check(np.array(taken)) == []
