"use strict";
(() => {
  const { make, put, figures, spark, poll } = live;
  const body = document.querySelector("#runs tbody");

  const step = run => run.step === null ? "" : `${run.step}${run.total ? ` / ${run.total}` : ""}`;
  const cells = run => [
    make("th", { scope: "row" }, make("a", { href: `/run/${run.key}`, textContent: run.name })),
    ...(run.problem ? [make("td", { className: "problem", colSpan: 5, textContent: run.problem })] : [
      make("td", {}, make("span", { className: `word ${run.word}`, textContent: run.word }), make("span", { className: "told" })),
      make("td", { className: "number", textContent: step(run) }),
      make("td", { textContent: figures(run.figures.slice(0, 3)) }),
      make("td", {}, spark(run.spark)),
      make("td", { textContent: run.event })])];

  // A row is made anew only where something has changed, so that nobody loses the place at which they are.
  const rows = new Map();
  const update = ({ told, silence, ...run }) => {
    const row = rows.get(run.key) ?? make("tr"), now = JSON.stringify(run), before = row.now;
    if (now !== before) row.replaceChildren(...cells(run));
    row.now = now;
    if (told) row.querySelector(".told").textContent = told;
    rows.set(run.key, row);
    return row;
  };

  poll(() => "/api/runs", ({ runs, folder, left_out }) => {
    put("folder", ` in ${folder}`);
    put("told", `${runs.length} ${runs.length === 1 ? "run" : "runs"}${left_out ? `; ${left_out} older ones are left out` : ""}`);
    document.getElementById("runs").hidden = !runs.length;
    const there = runs.map(update);
    if (there.length !== body.children.length || there.some((row, i) => row !== body.children[i])) body.replaceChildren(...there);
  });
})();
