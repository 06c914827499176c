"""Shortlist: the engine for choosing. `import shortlist as sl`.

Written by tools/exports.py. A name is loaded when it is first used, so the import itself takes no numba, no
pyarrow and a few milliseconds (docs/adr/004).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shortlist.catalogue import MODULES

if TYPE_CHECKING:
    from shortlist.adapters.ann import ApproximateKNN
    from shortlist.adapters.minilm import MiniLM
    from shortlist.core.ballots import Approvals
    from shortlist.core.budget import Budget, Ledger
    from shortlist.core.choice import Choice, Trace
    from shortlist.core.claim import Claim
    from shortlist.core.clusters import Clusters
    from shortlist.core.contracts import (
        Approximate,
        Built,
        Clusterer,
        Constraint,
        Deduper,
        Encoder,
        Grapher,
        Limits,
        Need,
        Objective,
        Row,
        Scorer,
        Solver,
    )
    from shortlist.core.drops import Drops
    from shortlist.core.effects import Ask, Gather, Make, Plan, Scan, alone, ask, lockstep, scan
    from shortlist.core.errors import (
        BudgetExhausted,
        CheckFailed,
        ContractError,
        InfeasibleError,
        InputError,
        MemoryRefused,
        ShortlistError,
        StorageError,
        UsageError,
    )
    from shortlist.core.pool import Pool
    from shortlist.core.recipe import Recipe
    from shortlist.core.signals import Costs, Labels, Neighbors, Scores, Tags, Terms, Text, Vectors
    from shortlist.doors.bias import Bias, BiasStudy, bias
    from shortlist.doors.compare import Comparison, Measure, compare
    from shortlist.doors.curate import Curation, Work, curate
    from shortlist.doors.read import read
    from shortlist.doors.select import select
    from shortlist.doors.update import Update, update
    from shortlist.doors.verify import Check, verify
    from shortlist.measures.axioms import Justified, ejr, ejr_plus, jr, pjr
    from shortlist.measures.coverage import Coverage
    from shortlist.measures.group_cover import GroupCover
    from shortlist.measures.mean_score import MeanScore
    from shortlist.measures.probe import Probe
    from shortlist.measures.vendi import Vendi
    from shortlist.methods.cluster.farthest_first import FarthestFirst
    from shortlist.methods.cluster.k_means import KMeans
    from shortlist.methods.cluster.mini_batch import MiniBatchKMeans
    from shortlist.methods.constrain.cardinality import Cardinality
    from shortlist.methods.constrain.exclude import Exclude
    from shortlist.methods.constrain.include import Include
    from shortlist.methods.constrain.knapsack import Knapsack
    from shortlist.methods.constrain.laminar import Laminar
    from shortlist.methods.constrain.precedence import Precedence
    from shortlist.methods.constrain.prefix import Prefix
    from shortlist.methods.constrain.quota import Quota
    from shortlist.methods.constrain.separation import Separation
    from shortlist.methods.constrain.shown import Shown
    from shortlist.methods.dedup.cosine import Cosine
    from shortlist.methods.dedup.cosine_leakage import CosineLeakage
    from shortlist.methods.dedup.exact_text import ExactText
    from shortlist.methods.dedup.jaccard import Jaccard
    from shortlist.methods.dedup.leakage import Leakage
    from shortlist.methods.dedup.minhash import MinHash
    from shortlist.methods.dedup.sem_dedup import SemDedup
    from shortlist.methods.dedup.simhash import SimHash
    from shortlist.methods.encode.lsa import LSA
    from shortlist.methods.encode.tfidf import TFIDF
    from shortlist.methods.graph.knn import KNN
    from shortlist.methods.objective.assortment_revenue import AssortmentRevenue
    from shortlist.methods.objective.borda import Borda
    from shortlist.methods.objective.chamberlin_courant import ChamberlinCourant
    from shortlist.methods.objective.checked import Checked
    from shortlist.methods.objective.count_entropy import CountEntropy
    from shortlist.methods.objective.facility_location import FacilityLocation
    from shortlist.methods.objective.facility_location_cg import FacilityLocationCG
    from shortlist.methods.objective.facility_location_mi import FacilityLocationMI
    from shortlist.methods.objective.facility_location_query_mi import FacilityLocationQueryMI
    from shortlist.methods.objective.feature_based import FeatureBased, Log, Saturate, Sqrt
    from shortlist.methods.objective.graph_coverage import GraphCoverage
    from shortlist.methods.objective.graph_cut import GraphCut
    from shortlist.methods.objective.graph_cut_cg import GraphCutCG
    from shortlist.methods.objective.graph_cut_mi import GraphCutMI
    from shortlist.methods.objective.group_coverage import GroupCoverage
    from shortlist.methods.objective.label_graph_gain import LabelGraphGain
    from shortlist.methods.objective.log_det import LogDet
    from shortlist.methods.objective.log_det_cg import LogDetCG
    from shortlist.methods.objective.log_det_mi import LogDetMI
    from shortlist.methods.objective.max_min_dispersion import MaxMinDispersion
    from shortlist.methods.objective.max_sum_dispersion import MaxSumDispersion
    from shortlist.methods.objective.mmr import MMR
    from shortlist.methods.objective.modular import Modular
    from shortlist.methods.objective.positional_score import PositionalScore
    from shortlist.methods.objective.probabilistic_set_cover import ProbabilisticSetCover
    from shortlist.methods.objective.proportional_approval import ProportionalApproval
    from shortlist.methods.objective.represented import Represented
    from shortlist.methods.objective.saturated_coverage import SaturatedCoverage
    from shortlist.methods.objective.set_cover import SetCover
    from shortlist.methods.objective.soft_suppression import SoftSuppression
    from shortlist.methods.objective.sum_coverage import SumCoverage
    from shortlist.methods.objective.sum_redundancy import SumRedundancy
    from shortlist.methods.objective.weighted_sum import Sum
    from shortlist.methods.solve.branch_and_bound import BranchAndBound
    from shortlist.methods.solve.cost_benefit import CostBenefit
    from shortlist.methods.solve.crossing_quotas import CrossingQuotas
    from shortlist.methods.solve.cutting_planes import CuttingPlanes
    from shortlist.methods.solve.double_greedy import DoubleGreedy
    from shortlist.methods.solve.dynamic import Dynamic
    from shortlist.methods.solve.equal_shares import EqualShares
    from shortlist.methods.solve.exhaustive import Exhaustive
    from shortlist.methods.solve.greedy import Greedy
    from shortlist.methods.solve.greedy_monroe import GreedyMonroe
    from shortlist.methods.solve.lazy_greedy import LazyGreedy
    from shortlist.methods.solve.local_search import LocalSearch
    from shortlist.methods.solve.partial_enumeration import PartialEnumeration
    from shortlist.methods.solve.phragmen import Phragmen
    from shortlist.methods.solve.quota_filling import QuotaFilling
    from shortlist.methods.solve.random_draw import Random
    from shortlist.methods.solve.random_greedy import RandomGreedy
    from shortlist.methods.solve.repair import Repair
    from shortlist.methods.solve.sieve import Sieve
    from shortlist.methods.solve.stochastic_greedy import StochasticGreedy
    from shortlist.methods.solve.submodular_order import SubmodularOrder
    from shortlist.methods.solve.suited_greedy import SuitedGreedy
    from shortlist.methods.solve.swap import Swap
    from shortlist.methods.solve.threshold_greedy import ThresholdGreedy
    from shortlist.methods.solve.top import Top
    from shortlist.methods.solve.two_round import TwoRound
    from shortlist.run.driver import Local, Outcome, Price
    from shortlist.store.roles import Roles

__version__ = "0.1.0"

__all__ = [
    "Approvals",
    "Approximate",
    "ApproximateKNN",
    "Ask",
    "AssortmentRevenue",
    "Bias",
    "BiasStudy",
    "Borda",
    "BranchAndBound",
    "Budget",
    "BudgetExhausted",
    "Built",
    "Cardinality",
    "ChamberlinCourant",
    "Check",
    "CheckFailed",
    "Checked",
    "Choice",
    "Claim",
    "Clusterer",
    "Clusters",
    "Comparison",
    "Constraint",
    "ContractError",
    "Cosine",
    "CosineLeakage",
    "CostBenefit",
    "Costs",
    "CountEntropy",
    "Coverage",
    "CrossingQuotas",
    "Curation",
    "CuttingPlanes",
    "Deduper",
    "DoubleGreedy",
    "Drops",
    "Dynamic",
    "Encoder",
    "EqualShares",
    "ExactText",
    "Exclude",
    "Exhaustive",
    "FacilityLocation",
    "FacilityLocationCG",
    "FacilityLocationMI",
    "FacilityLocationQueryMI",
    "FarthestFirst",
    "FeatureBased",
    "Gather",
    "GraphCoverage",
    "GraphCut",
    "GraphCutCG",
    "GraphCutMI",
    "Grapher",
    "Greedy",
    "GreedyMonroe",
    "GroupCover",
    "GroupCoverage",
    "Include",
    "InfeasibleError",
    "InputError",
    "Jaccard",
    "Justified",
    "KMeans",
    "KNN",
    "Knapsack",
    "LSA",
    "LabelGraphGain",
    "Labels",
    "Laminar",
    "LazyGreedy",
    "Leakage",
    "Ledger",
    "Limits",
    "Local",
    "LocalSearch",
    "Log",
    "LogDet",
    "LogDetCG",
    "LogDetMI",
    "MMR",
    "Make",
    "MaxMinDispersion",
    "MaxSumDispersion",
    "MeanScore",
    "Measure",
    "MemoryRefused",
    "MinHash",
    "MiniBatchKMeans",
    "MiniLM",
    "Modular",
    "Need",
    "Neighbors",
    "Objective",
    "Outcome",
    "PartialEnumeration",
    "Phragmen",
    "Plan",
    "Pool",
    "PositionalScore",
    "Precedence",
    "Prefix",
    "Price",
    "ProbabilisticSetCover",
    "Probe",
    "ProportionalApproval",
    "Quota",
    "QuotaFilling",
    "Random",
    "RandomGreedy",
    "Recipe",
    "Repair",
    "Represented",
    "Roles",
    "Row",
    "Saturate",
    "SaturatedCoverage",
    "Scan",
    "Scorer",
    "Scores",
    "SemDedup",
    "Separation",
    "SetCover",
    "ShortlistError",
    "Shown",
    "Sieve",
    "SimHash",
    "SoftSuppression",
    "Solver",
    "Sqrt",
    "StochasticGreedy",
    "StorageError",
    "SubmodularOrder",
    "SuitedGreedy",
    "Sum",
    "SumCoverage",
    "SumRedundancy",
    "Swap",
    "TFIDF",
    "Tags",
    "Terms",
    "Text",
    "ThresholdGreedy",
    "Top",
    "Trace",
    "TwoRound",
    "Update",
    "UsageError",
    "Vectors",
    "Vendi",
    "Work",
    "alone",
    "ask",
    "bias",
    "compare",
    "curate",
    "ejr",
    "ejr_plus",
    "jr",
    "lockstep",
    "pjr",
    "read",
    "scan",
    "select",
    "update",
    "verify",
]

if not TYPE_CHECKING:  # to a type checker a misspelt name stays an error

    def __getattr__(name: str) -> Any:
        if name not in MODULES:
            raise AttributeError(f"module 'shortlist' has no name {name!r}")
        value = globals()[name] = getattr(import_module(MODULES[name]), name)
        return value

    def __dir__() -> list[str]:
        return [*__all__, "__version__"]
