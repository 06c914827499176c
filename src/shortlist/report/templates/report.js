"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  document.documentElement.classList.add("scripted");

  // The table: everything is set as text, never as markup.
  const STEP = 100;
  const table = get("table");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const keys = heads.map((h) => h.dataset.key);
  const classes = { r: "n", s: "st", i: "id", x: "tx", g: "n", c: "n", u: "gr", y: "ys" };
  const shown = { g: "h", c: "d" };
  const rows = data.rows.map((r, at) => ({ ...r, at, all: [r.i, r.x, r.u, r.y].join("\n").toLowerCase() }));
  let sort = { key: "", down: false };
  let limit = STEP;

  const cell = (row, key) => {
    const td = document.createElement("td");
    td.className = classes[key] || "";
    if ("ixuy".includes(key)) td.dir = "auto";
    const value = row[key];
    if (shown[key]) {
      if (value !== null) {
        const number = document.createElement("data");
        number.value = String(value);
        number.textContent = row[shown[key]];
        td.append(number);
      }
      if (key === "g" && row.p) {
        const parts = document.createElement("small");
        parts.textContent = row.p;
        td.append(parts);
      }
    } else {
      td.textContent = value === null ? "" : key === "r" ? value.toLocaleString("en-US") : value;
    }
    return td;
  };

  const compare = (a, b) => {
    const x = a[sort.key], y = b[sort.key];
    const gone = (v) => v === null || v === "";
    if (gone(x) || gone(y)) return gone(x) - gone(y) || a.at - b.at;
    const order = typeof x === "number" ? x - y : x < y ? -1 : x > y ? 1 : 0;
    return (sort.down ? -order : order) || a.at - b.at;
  };

  const draw = () => {
    const words = get("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const status = get("status").value;
    const group = get("group") ? get("group").value : "";
    const found = rows.filter((r) =>
      (!status || r.s === status) && (!group || r.u === group) && words.every((w) => r.all.includes(w)));
    if (sort.key) found.sort(compare);
    body.replaceChildren(...found.slice(0, limit).map((r) => {
      const tr = document.createElement("tr");
      tr.className = r.s.replace(" ", "-");
      tr.append(...keys.map((k) => cell(r, k)));
      return tr;
    }));
    if (!found.length) {
      const tr = document.createElement("tr");
      tr.className = "none-found";
      const td = document.createElement("td");
      td.colSpan = keys.length;
      td.textContent = "No row matches.";
      tr.append(td);
      body.append(tr);
    }
    get("found").textContent = `${found.length.toLocaleString("en-US")} of ${rows.length.toLocaleString("en-US")}`;
    get("more").hidden = found.length <= limit;
    get("more").textContent = `Show ${Math.min(STEP, found.length - limit)} more`;
  };

  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const numeric = "gc".includes(keys[i]);
      sort = sort.key === keys[i] ? { key: keys[i], down: !sort.down } : { key: keys[i], down: numeric };
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      draw();
    });
    head.replaceChildren(button);
  });
  const refresh = () => { limit = STEP; draw(); };
  ["search", "status", "group"].forEach((id) => get(id) && get(id).addEventListener("input", refresh));
  get("tools").addEventListener("submit", (e) => e.preventDefault());
  get("more").addEventListener("click", () => { limit += STEP; draw(); });
  get("tools").hidden = false;
  draw();

  // The map: the nearest point under the pointer, or the chosen rows in order by the arrow keys.
  const map = get("map");
  if (!map) return;
  const tip = get("tip"), halo = get("halo");
  const names = ["not chosen", "chosen", "dropped"];
  const ranked = data.points.filter((p) => p[2] === 1).sort((a, b) => (a[3] ?? Infinity) - (b[3] ?? Infinity));
  let step = -1;

  const hide = () => { tip.hidden = true; halo.setAttribute("d", ""); };
  const show = (p) => {
    const box = map.getBoundingClientRect();
    const scale = box.width / 1440;
    const name = document.createElement("b");
    name.textContent = names[p[2]] + (p[3] === null ? "" : `, rank ${p[3].toLocaleString("en-US")}`);
    const text = document.createElement("bdi");
    text.textContent = p[4];
    tip.replaceChildren(name, text);
    tip.hidden = false;
    const x = p[0] * scale, y = p[1] * scale, w = tip.offsetWidth, h = tip.offsetHeight;
    tip.style.left = `${Math.max(4, Math.min(box.width - w - 4, x - w / 2))}px`;
    tip.style.top = `${y - h - 14 < 4 ? y + 14 : y - h - 14}px`;
    const r = 9 / scale;
    halo.setAttribute("d", `M${p[0] - r} ${p[1]}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`);
  };
  map.addEventListener("pointermove", (e) => {
    const box = map.getBoundingClientRect();
    const scale = box.width / 1440;
    const x = (e.clientX - box.left) / scale, y = (e.clientY - box.top) / scale;
    let best = null, least = (24 / scale) ** 2;
    for (const p of data.points) {
      // A chosen point wins over its neighbours when both are near.
      const d = (p[0] - x) ** 2 + (p[1] - y) ** 2 - (p[2] === 1 ? (5 / scale) ** 2 : 0);
      if (d < least) { least = d; best = p; }
    }
    if (best) show(best); else hide();
  });
  map.addEventListener("pointerleave", hide);
  map.addEventListener("blur", hide);
  map.addEventListener("keydown", (e) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (e.key === "Escape") hide();
    if (!by || !ranked.length) return;
    e.preventDefault();
    step = (step + by + ranked.length) % ranked.length;
    show(ranked[step]);
  });
})();
