"""Laws of the catalogue: every method says the same things about itself, in the same places."""

from __future__ import annotations

import dataclasses
import inspect
import re

from shortlist.core.claim import Claim
from shortlist.core.expression import expression, parse
from tests.strategies import Method, names


def it_has_a_role(method: Method) -> None:
    assert method.role, f"{method} has none of the roles by its annotations"


def it_has_two_examples(method: Method) -> None:
    shown = {expression(e) for e in getattr(method.module, "EXAMPLES", ()) if type(e) is method.cls}
    assert len(shown) >= (2 if dataclasses.fields(method.cls) else 1)


def its_page_says_what_it_costs_and_promises(method: Method) -> None:
    page = inspect.getdoc(method.module) or ""
    for field in (
        r"Source:",
        r"Deviates:",
        r"Cost:",
        r"Memory:",
        r"Guarantee:",
        r"Use (it )?when",
        r"[Nn]ot (when|for)",
    ):
        assert re.search(field, page), f"the docstring of {method.module.__name__} lacks {field!r}"
    source = page.partition("Source:")[2].partition("Deviates:")[0]
    assert re.search(r"\b(1[89]|20)\d\d\b|RFC \d|the definition", source), "no year of a source"
    assert re.search(r"doi:|arXiv:|https?://|aclanthology|\bsec\. |RFC \d|the definition", source), (
        "no source to follow"
    )


def its_claim_can_be_run(method: Method) -> None:
    claim = getattr(method.module, "CLAIM", None)
    assert isinstance(claim, Claim), f"{method.module.__name__} has no CLAIM"
    assert claim.measure.__module__ == method.module.__name__
    assert all((claim.paper, claim.says, claim.we_show, claim.not_shown))


def it_is_hyperparameters_and_nothing_else(method: Method) -> None:
    cls = method.cls
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen
    assert "__slots__" in vars(cls), "not slotted"
    fields = dataclasses.fields(cls)
    assert len(fields) <= 8
    assert all(f.kw_only for f in fields[1:]), "only the first may be positional"
    assert not {f.name for f in fields} & {"mode", "method", "verbose", "backend", "random_state"}
    assert all(isinstance(getattr(e, "seed", 0), int) for e in method.examples)
    assert cls.__mro__[1:] == (object,), "there is nothing to inherit"


def it_reads_back_from_its_expression(method: Method) -> None:
    for example in method.examples:
        again = parse(expression(example), names())
        assert again == example
        assert type(again) is type(example)
        assert expression(again) == expression(example)


LAWS = (
    it_has_a_role,
    it_has_two_examples,
    its_page_says_what_it_costs_and_promises,
    its_claim_can_be_run,
    it_is_hyperparameters_and_nothing_else,
    it_reads_back_from_its_expression,
)
