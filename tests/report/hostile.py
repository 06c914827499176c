"""Foreign text that tries to run, to load, to break out, or to move the cursor."""

from __future__ import annotations

import itertools
from typing import Any

from tests.report.bundles import realistic

#: What a payload does if it runs: mark the page so that a reader of the page's tree sees it.
HIT = "document.documentElement.setAttribute('data-hit','1')"

_BODIES = (
    f"<script>{HIT}</script>",
    f"<ScRiPt>{HIT}</sCrIpT>",
    f"<script\n>{HIT}</script\n>",
    f"</script><script>{HIT}</script>",
    f"</SCRIPT ><img src=x onerror={HIT}>",
    f"<!--<script>--><script>{HIT}</script>",
    f"--><script>{HIT}</script><!--",
    f"]]><script>{HIT}</script>",
    f"<img src=x onerror={HIT}>",
    f'<img src="x" onerror="{HIT}">',
    f"<img/src/onerror={HIT}>",
    f"<svg onload={HIT}>",
    f"<svg><script>{HIT}</script></svg>",
    f"<svg><animate onbegin={HIT} attributeName=x dur=1s>",
    f"<svg><use href='data:image/svg+xml,<svg onload={HIT}/>'/></svg>",
    f"<body onload={HIT}>",
    f"<details open ontoggle={HIT}>",
    f"<input autofocus onfocus={HIT}>",
    f"<select autofocus onfocus={HIT}>",
    f"<video><source onerror={HIT}></video>",
    f"<audio src=x onerror={HIT}>",
    f"<iframe srcdoc='<script>parent.{HIT}</script>'>",
    f"<iframe src='javascript:parent.{HIT}'>",
    f"<object data='javascript:{HIT}'>",
    f"<embed src='javascript:{HIT}'>",
    f"<a href='javascript:{HIT}' autofocus onfocus={HIT}>x</a>",
    f"<form action='javascript:{HIT}'><button autofocus onfocus={HIT}>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={HIT}>",
    f"<noscript><p title='</noscript><img src=x onerror={HIT}>'>",
    f"<style>@import 'http://127.0.0.1:9/x.css';</style><img src=x onerror={HIT}>",
    f"<link rel=stylesheet href=http://127.0.0.1:9/x.css><img src=x onerror={HIT}>",
    f"<base href=http://127.0.0.1:9/><img src=x onerror={HIT}>",
    f"<meta http-equiv=refresh content='0;javascript:{HIT}'>",
    f"</title><script>{HIT}</script>",
    f"</style><script>{HIT}</script>",
    f"</textarea><script>{HIT}</script>",
    f"</option></select><script>{HIT}</script>",
    f"</td></tr></table><script>{HIT}</script>",
    f"</code></pre><script>{HIT}</script>",
    f"</svg><script>{HIT}</script>",
    f'"><script>{HIT}</script>',
    f"'><script>{HIT}</script>",
    f'" autofocus onfocus={HIT} x="',
    f"' autofocus onfocus={HIT} x='",
    f"x onmouseover={HIT}",
    f"{{{{ ''.__class__ }}}}<script>{HIT}</script>",
    f"{{% print(1) %}}<script>{HIT}</script>",
    f"${{{HIT}}}",
    f"`;{HIT};`",
    f'\\"}});{HIT};//',
    f"\u2028{HIT}\u2029",
    f"&lt;script&gt;{HIT}&lt;/script&gt;",
    f"&#60;script&#62;{HIT}&#60;/script&#62;",
    f"\\u003cscript\\u003e{HIT}\\u003c/script\\u003e",
    f"%3Cscript%3E{HIT}%3C/script%3E",
    f"＜script＞{HIT}＜/script＞",
    f"<\x00script>{HIT}</script>",
    f"<scr\x00ipt>{HIT}</script>",
    f"\ud800<script>{HIT}</script>\udfff",
    f"\x1b]8;;javascript:{HIT}\x07<script>{HIT}</script>",
)
_AROUND = ("{}", "a {} b", '"{}"', "'>{}<'", "\u202e{}\u202c")

PAYLOADS = tuple(around.format(body) for body, around in itertools.product(_BODIES, _AROUND))

#: What moves the cursor, hides text, links, or turns the direction round.
TERMINAL = (
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[H",
    "\x1b[1A\x1b[2K",
    "\x1b]0;title\x07",
    "\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;aGk=\x07",
    "\x1bP+q\x1b\\",
    "\x9b31m",
    "\x9d8;;x\x9c",
    "a\rb",
    "a\nb",
    "a\bb",
    "\x07",
    "\x00",
    "\x7f",
    "\x85",
    *(f"a{c}b" for c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"),
    "a\u2028b",
    "a\u2029b",
    "\ufeffa",
    "a\u200bb",
    "\ud800",
    "\udcff",
    "a\U000e0001\U000e0041",
    "\U000fffff\ufffe",
)


def everywhere(payloads: tuple[str, ...]) -> dict[str, Any]:
    """A bundle in which every string and every name that comes from outside is one of the payloads."""
    turn = itertools.cycle(payloads)
    b = realistic(n=400, k=60)
    b["title"] = next(turn)
    for row in b["rows"]:
        for key in ("id", "text", "group", "reason"):
            row[key] = next(turn)
        row["parts"] = {next(turn): v for v in row["parts"].values()}
    b["map"]["label"] = [next(turn) for _ in b["map"]["label"]]
    b["map"]["how"] = next(turn)
    b["groups"]["column"] = next(turn)
    b["groups"]["names"] = [next(turn) for _ in b["groups"]["names"]]
    b["manifest"] = {"files": list(payloads), **{p: p for p in payloads[:40]}}
    b["preview"]["lines"] += [{"name": p, "value": p} for p in payloads]
    b["preview"]["ignored"] = {p: p for p in payloads}
    b["preview"]["notes"] = list(payloads)
    for signal in b["preview"]["signals"]:
        signal.update({key: next(turn) for key in ("name", "role", "direction", "fill", "origin", "range")})
    evidence = b["evidence"]
    asked = evidence["asked"]
    asked["measured_on"] = next(turn)
    asked["constraints"] = [{**asked["constraints"][0], "text": p, "kind": p} for p in payloads]
    asked["costs"] = [{**asked["costs"][0], "name": p, "unit": p} for p in payloads[:20]]
    for part in (asked["objective"], asked["curve"], *asked["parts"], *evidence["helps"]):
        part["signals"] = {next(turn): v for v in part["signals"].values()}
    for part in asked["parts"]:
        part["term"] = next(turn)
    for h in evidence["helps"]:
        h.update({key: next(turn) for key in ("measure", "column", "how", "better", "evidence")})
    evidence["verdict"].update(line=next(turn), judged_by=list(payloads[:30]))
    return b
