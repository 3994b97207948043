"use strict";
// What all live pages share. Whatever a journal names becomes text of an element, never markup.
const live = (() => {
  const EVERY = 2000, SOON = 60;  // ms between two questions; where older records are still being read

  const make = (tag, given = {}, ...children) => {
    const { label, ...properties } = given, element = Object.assign(document.createElement(tag), properties);
    if (label) element.setAttribute("aria-label", label);
    element.append(...children);
    return element;
  };

  const put = (id, text) => {
    const element = document.getElementById(id);
    if (element.textContent !== text) element.textContent = text;
  };

  const figures = pairs => pairs.map(([name, figure]) => `${name} ${figure}`).join(", ");

  const spark = values => {
    const there = values.filter(value => value !== null), low = Math.min(...there), span = Math.max(...there) - low || 1;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS(svg.namespaceURI, "path");
    const at = (value, i) => `${(120 * i / Math.max(1, values.length - 1)).toFixed(1)} ${(22 - 20 * (value - low) / span).toFixed(1)}`;
    let pen = "M";
    path.setAttribute("d", values.map((value, i) => {
      const drawn = value === null ? "" : pen + at(value, i);
      pen = value === null ? "M" : "L";
      return drawn;
    }).join(""));
    svg.setAttribute("viewBox", "0 0 120 24");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", "spark");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", there.length ? `The newest ${values.length} readings of the loss` : "No loss yet");
    svg.append(path);
    return svg;
  };

  const answered = async (address, options = {}) => {
    const answer = await fetch(address, { cache: "no-store", ...options });
    if (answer.status === 401 && !options.method) location.assign("/login");
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.problem ?? answer.statusText);
    return told;
  };

  // Ask again and again, while somebody looks. `take` is given each answer.
  const poll = async (address, take) => {
    for (;;) {
      let wait = EVERY;
      if (!document.hidden) {
        try {
          const answer = await answered(address());
          put("told", "");
          await take(answer);
          if (answer.read === false) wait = SOON;
        } catch (error) {
          put("told", error instanceof TypeError ? "The server does not answer; this page asks again." : error.message);
        }
      }
      await new Promise(done => setTimeout(done, wait));
    }
  };

  return { make, put, figures, spark, answered, poll };
})();
