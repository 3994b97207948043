"use strict";
// Draws the charts of a page with Vega-Embed. A chart is {spec, data, hover}: data sets by name, as columns.
// Colours of a spec are CSS variables of the page, so that light and dark need no second drawing.
(() => {
  const FONT = "system-ui, sans-serif";
  const AXIS = { domain: false, ticks: false, gridColor: "var(--grid)", labelColor: "var(--muted)",
    titleColor: "var(--muted)", titleFontWeight: 400, labelFont: FONT, titleFont: FONT };
  const CONFIG = { aria: false, background: "transparent", view: { stroke: null }, font: FONT, axis: AXIS, customFormatTypes: false,
    line: { stroke: "var(--line)", strokeWidth: 1.5 }, legend: { labelColor: "var(--ink)", titleColor: "var(--muted)" } };
  const NEAR = 8;  // pixels within which an event is meant

  const rows = columns => {
    const names = Object.keys(columns);
    return names.length ? columns[names[0]].map((_, i) => Object.fromEntries(names.map(n => [n, columns[n][i]]))) : [];
  };
  const tables = data => Object.fromEntries(Object.entries(data).map(([name, columns]) => [name, rows(columns)]));
  const shared = () => JSON.parse(document.getElementById("shared")?.textContent ?? "{}");
  const told = value => value === null ? "not finite" : typeof value === "number" ? String(Number(value.toPrecision(5))) : String(value);

  const nearest = (points, x, at) => {
    let low = 0, high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle][x] <= at) low = middle; else high = middle;
    }
    return high < 0 ? -1 : Math.abs(points[low][x] - at) <= Math.abs(points[high][x] - at) ? low : high;
  };

  // The box that follows the pointer: text alone, so that no name can become an element.
  const box = document.createElement("div");
  box.className = "hover";
  box.setAttribute("role", "status");
  const say = (lines, left, top) => {
    box.replaceChildren(...lines.map(line => Object.assign(document.createElement("p"), { textContent: line })));
    box.hidden = !lines.length;
    box.style.left = `${Math.max(4, Math.min(left + 14, scrollX + innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${top + 14}px`;
  };

  const reader = (view, hover, data, runs) => {
    const points = [...data[hover.data]].sort((a, b) => a[hover.x] - b[hover.x]);
    const lines = at => {
      const index = nearest(points, hover.x, at);
      if (index < 0) return [];
      const x = points[index][hover.x], offset = runs?.findLast?.(run => run[0] <= x)?.[1];
      const same = points.filter(point => point[hover.x] === x);
      const read = same.map(point => hover.labels.map(([column, label]) =>
        `${label} ${told(point[column])}`.trim()).join(", "));
      return [...read, ...(offset === undefined ? [] : [`${hover.index} ${x + offset}`])];
    };
    const near = (name, at) => {
      const scale = view.scale("x");
      return (data[name] ?? []).filter(one => Math.abs(scale(one[hover.x]) - scale(at)) <= NEAR);
    };
    const lost = at => near(hover.lost, at).map(one => `not finite at ${hover.x} ${one[hover.x]}`);
    const event = one => `No. ${one.number}: ${one.text}`;
    const read = at => [...lines(at), ...lost(at).slice(0, 2), ...near(hover.marks, at).slice(0, 4).map(event)];
    return { points, read, mark: at => near(hover.marks, at)[0] };
  };

  const lead = mark => {
    const row = mark && document.getElementById(`intervention-${mark.number}`);
    if (row) row.focus();
  };

  const pointed = (plot, view, hover, data, runs) => {
    const { points, read, mark } = reader(view, hover, data, runs);
    const under = event => view.scale("x").invert(
      event.clientX - plot.querySelector("svg").getBoundingClientRect().left - origin());
    const origin = () => view.padding().left + view.origin()[0];
    const hide = () => say([], 0, 0);
    let index = -1, from = 0;
    plot.addEventListener("pointermove", event => {
      const at = under(event);
      index = nearest(points, hover.x, at);
      plot.style.cursor = mark(at) ? "pointer" : "";
      say(read(at), event.pageX, event.pageY);
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("pointerdown", event => { from = event.clientX; });
    plot.addEventListener("click", event => { if (Math.abs(event.clientX - from) < NEAR) lead(mark(under(event))); });
    plot.addEventListener("keydown", event => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -1e9, End: 1e9 }[event.key];
      if (event.key === "Escape") hide();
      if (event.key === "Enter" && points[index]) lead(mark(points[index][hover.x]));
      if (step === undefined || !points.length) return;
      event.preventDefault();
      index = Math.max(0, Math.min(points.length - 1, index + step));
      const at = points[index][hover.x], frame = plot.getBoundingClientRect();
      say(read(at), scrollX + frame.left + origin() + view.scale("x")(at), scrollY + frame.top);
    });
  };

  const draw = async (plot, chart, common = {}) => {
    const data = tables({ ...common.data, ...chart.data });
    const spec = { width: "container", height: "container", autosize: { type: "fit", contains: "padding" }, ...chart.spec, datasets: data };
    const made = await vegaEmbed(plot, spec, { ast: true, renderer: "svg", actions: false, tooltip: false, defaultStyle: false, config: CONFIG });
    if (chart.hover) pointed(plot, made.view, chart.hover, data, common.runs?.[chart.hover.index]);
    return made.view;
  };

  const start = () => {
    document.body.append(box);
    say([], 0, 0);
    const common = shared(), plots = document.querySelectorAll(".plot:has(+ script)");
    const show = plot => {
      seen.unobserve(plot);
      draw(plot, JSON.parse(plot.nextElementSibling.textContent), common);
    };
    const seen = new IntersectionObserver(found => found.filter(one => one.isIntersecting).forEach(one => show(one.target)), { rootMargin: "400px" });
    plots.forEach(plot => seen.observe(plot));
    addEventListener("beforeprint", () => plots.forEach(plot => plot.firstChild || show(plot)));
  };

  globalThis.rerail = { draw, say };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
