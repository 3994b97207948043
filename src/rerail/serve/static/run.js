"use strict";
(() => {
  const { make, put, figures, answered, poll } = live;
  const by = id => document.getElementById(id), key = location.pathname.split("/")[2], api = `/api/run/${key}`;
  const DASHES = { SKIP: [1, 2], REWIND: [5, 2], HALT: [1, 0], COMMIT: [5, 2, 1, 2] };
  const WIDE = 30, EVENTS = 60;  // a range of more than this factor reads better on a logarithmic axis
  let cursor = "", marks = { tick: [], number: [], move: [], text: [] };

  // -- Curves: each has its points by tick, and is drawn anew when they change and somebody can see it.
  const curves = new Map();
  const seen = new IntersectionObserver(found => found.forEach(one => {
    const curve = one.target.curve;
    curve.visible = one.isIntersecting;
    draw(curve);
  }), { rootMargin: "200px" });

  const columns = curve => {
    const rows = [...curve.points.values()].sort((a, b) => a[0] - b[0]), column = i => rows.map(row => row[i]);
    const lost = rows.filter(row => row[4]).map(row => row[0]);
    return { points: { tick: column(0), value: column(1), low: column(2), high: column(3) }, lost: { tick: lost }, events: marks };
  };

  const spec = data => {
    const there = [...data.points.low, ...data.points.high].filter(value => value !== null);
    const low = Math.min(...there), high = Math.max(...there), log = low > 1e-100 && high / low > WIDE;
    const x = { field: "tick", type: "quantitative", title: "tick", scale: { nice: false, zero: false }, axis: { format: "d", tickCount: 6, tickMinStep: 1, labelOverlap: true } };
    const y = { field: "value", type: "quantitative", title: null, scale: log ? { type: "log" } : { type: "linear", zero: false }, axis: { tickCount: 5, format: ".4~g", labelOverlap: true } };
    const moves = Object.keys(DASHES), color = { field: "move", type: "nominal", legend: null, scale: { domain: moves, range: moves.map(move => `var(--${move})`) } };
    const strokeDash = { ...color, scale: { domain: moves, range: moves.map(move => DASHES[move]) } };
    const point = data.points.tick.length <= 60;
    const layers = [
      { data: { name: "events" }, mark: { type: "rule", clip: true }, encoding: { x, color, strokeDash } },
      { data: { name: "points" }, mark: { type: "area", color: "var(--line)", opacity: .18 }, encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } } },
      { data: { name: "points" }, mark: { type: "line", stroke: "var(--line)", point: point && { fill: "var(--line)", size: 12 } }, encoding: { x, y } },
      { data: { name: "lost" }, mark: { type: "point", shape: "triangle-down", fill: "var(--HALT)", stroke: null, size: 50 }, encoding: { x, y: { value: 6 } } },
    ];
    return { layer: layers.filter(layer => data[layer.data.name].tick.length) };
  };

  const draw = async curve => {
    if (!curve.changed || !curve.visible || curve.busy || curve.frame.matches(":hover, :focus-within")) return;
    curve.busy = true;
    curve.changed = false;
    const data = columns(curve), old = curve.frame.lastElementChild;
    const plot = make("div", { className: "plot next", tabIndex: 0, role: "img", label: `Chart of ${curve.name}` });
    curve.frame.append(plot);
    const view = await rerail.draw(plot, { spec: spec(data), data, hover: { data: "points", x: "tick", labels: [["tick", "tick"], ["value", curve.name]], marks: "events", lost: "lost" } });
    plot.className = "plot";
    old?.remove();
    curve.view?.finalize();
    curve.view = view;
    curve.busy = false;
  };

  const ORDER = ["loss/total", "loss/", "eval/", "grad/norm", "lr", "time/step"];
  const rank = name => ORDER.findIndex(one => one === name || (one.endsWith("/") && name.startsWith(one)));
  const before = name => [...by("charts").children].find(figure => rank(figure.getAttribute("aria-label")) > rank(name)) ?? null;

  const curve = name => {
    if (!curves.has(name)) {
      const frame = make("div", { className: "live" }), made = { frame, name, points: new Map(), changed: true, visible: false, note: make("figcaption") };
      frame.curve = made;
      made.figure = make("figure", { className: "chart", label: name }, make("h3", { textContent: name }), frame, made.note);
      by("charts").insertBefore(made.figure, before(name));
      curves.set(name, made);
      seen.observe(frame);
    }
    return curves.get(name);
  };

  const told = value => value === null ? "not finite" : String(Number(value.toPrecision(4)));
  const takeSignals = (signals, whole) => {
    if (whole) curves.forEach(one => { one.points.clear(); one.changed = true; });
    for (const [name, rows] of Object.entries(signals)) {
      const one = curve(name);
      rows.forEach(row => one.points.set(row[0], row));
      const last = rows[rows.length - 1];
      one.changed = true;
      one.note.textContent = `${told(last[1])} at tick ${last[0]}`;
    }
  };

  // -- What the guard did
  const cases = new Map();
  const line = (label, texts) => texts.length ? [make("dt", { textContent: label }), ...texts.map(text => make("dd", { textContent: text }))] : [];
  const proof = one => {
    const text = make("pre", { textContent: "" }), details = make("details", {}, make("summary", { textContent: "In full, with the trials" }), text);
    details.addEventListener("toggle", async () => {
      if (!details.open) return;
      const answer = await fetch(`${api}/explain?tick=${one.tick}`);
      text.textContent = answer.ok ? await answer.text() : "This is not told any more; the report has it.";
    });
    return details;
  };
  const shownCase = one => make("article", { className: "proof", id: `intervention-${one.number}`, tabIndex: -1 },
    make("h3", {}, make("span", { className: `${one.move in DASHES ? one.move : ""} move`, textContent: one.move }), ` at tick ${one.tick}, step ${one.step}`),
    make("dl", {}, ...line("Seen", one.seen), ...line("Cause", one.cause ? [one.cause] : []),
      ...line(one.proved ? "Proved remedy" : "Decided", one.decided), ...line("Done", one.done ? [one.done] : []), ...line("Then", one.effects)),
    proof(one));

  const takeCases = rows => {
    const place = by("cases"), there = new Set(rows.map(one => one.tick));
    cases.forEach((kept, tick) => { if (!there.has(tick)) kept.element.remove(), cases.delete(tick); });
    rows.forEach(one => {
      const kept = cases.get(one.tick), now = JSON.stringify(one);
      if (kept?.now === now) return;
      const element = shownCase(one);
      element.querySelector("details").open = kept?.element.querySelector("details").open ?? false;
      kept ? kept.element.replaceWith(element) : place.prepend(element);
      cases.set(one.tick, { now, element });
    });
    by("none").hidden = rows.length > 0;
    marks = { tick: rows.map(one => one.tick), number: rows.map(one => one.number), move: rows.map(one => one.move), text: rows.map(one => `${one.move}: ${one.seen[0] ?? ""}`) };
    curves.forEach(each => { each.changed = true; });
  };

  // -- Events, pictures, sounds
  const clock = seconds => seconds === null ? "" : new Date(seconds * 1000).toLocaleTimeString();
  const takeEvents = (events, whole) => {
    const list = by("events");
    if (whole) list.replaceChildren();
    events.forEach(one => list.prepend(make("li", {}, make("span", { className: "when", textContent: `${clock(one.time)} ${one.where}` }), one.text)));
    while (list.children.length > EVENTS) list.lastElementChild.remove();
  };

  let showing = "";
  const takeShown = artifacts => {
    const now = JSON.stringify(artifacts);
    if (now === showing) return;
    showing = now;
    by("shown-section").hidden = !artifacts.length;
    by("shown").replaceChildren(...artifacts.map(one => {
      const src = `${api}/artifact/${one.number}`, caption = `${one.caption || one.name}, step ${one.step}`;
      const thing = one.media.startsWith("audio/") ? make("audio", { src, controls: true, preload: "metadata", label: caption })
        : one.media.startsWith("image/") ? make("img", { src, alt: caption }) : make("p", { textContent: one.path });
      return make("figure", { label: caption }, make("h3", { textContent: one.name }), thing, make("figcaption", { textContent: caption }));
    }));
  };

  // -- What can be asked of the run
  const WISHES = { training: ["pause", "stop"], silent: ["pause", "stop"], paused: ["resume", "stop"] };
  const token = make("input", { type: "password", autocomplete: "off", id: "token" }), heard = make("span", { role: "status", id: "heard" });
  const ask = async wish => {
    heard.textContent = "";
    try {
      const body = JSON.stringify({ wish, token: token.value });
      await answered(`${api}/request`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      heard.textContent = `Asked to ${wish}; a run does that between two steps.`;
    } catch (error) { heard.textContent = error.message; }
  };
  let offered = "";
  const offer = word => {
    const wishes = WISHES[word] ?? [];
    if (offered === wishes.join()) return;
    offered = wishes.join();
    by("controls").replaceChildren(...(wishes.length ? [make("label", { htmlFor: "token", textContent: "Token" }), token] : []),
      ...wishes.map(wish => make("button", { type: "button", textContent: wish[0].toUpperCase() + wish.slice(1), onclick: () => ask(wish) })), heard);
  };

  const takeState = (name, state, read) => {
    document.title = `${name}: ${state.word} - rerail`;
    put("name", name);
    put("state", read === false ? "Reading the journal" : state.told.charAt(0).toUpperCase() + state.told.slice(1));
    put("step", state.step === null ? "" : `step ${state.step}${state.total ? ` of ${state.total}` : ""}, tick ${state.tick}`);
    put("figures", figures(state.figures));
    put("held", state.held_out.length ? `On held-out data: ${figures(state.held_out)}` : "");
    put("knobs", state.knobs ? `In force: ${state.knobs}` : "");
    const bar = by("progress");
    bar.hidden = !state.total || state.step === null;
    if (!bar.hidden) bar.max = state.total, bar.value = Math.min(state.step, state.total);
  };

  by("report").href = `/run/${key}/report`;
  poll(() => `${api}?since=${encodeURIComponent(cursor)}`, answer => {
    cursor = answer.cursor;
    takeState(answer.name, answer.state, answer.read);
    takeSignals(answer.signals, answer.whole);
    if (answer.interventions) takeCases(answer.interventions);
    takeEvents(answer.events, answer.whole);
    takeShown(answer.artifacts);
    if (answer.control) offer(answer.state.word);
    if (curves.size) put("about", `A point stands for ${answer.stride === 1 ? "one tick" : `${answer.stride} ticks, with its lowest and highest value`}. A red triangle: not finite.${answer.left_out ? ` ${answer.left_out} signals are left out here.` : ""}`);
    if (answer.read === false) put("told", "Older records are still being read.");
    curves.forEach(draw);
  });
})();
