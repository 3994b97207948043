"use strict";
// Pictures of one name become a slider over the steps; without this script they all stand side by side.
for (const slide of document.querySelectorAll(".slide")) {
  const range = slide.querySelector("input"), output = slide.querySelector("output");
  const figures = [...slide.parentElement.querySelectorAll("figure")];
  const show = () => {
    figures.forEach((figure, place) => { figure.hidden = place !== Number(range.value); });
    output.textContent = figures[range.value].dataset.step;
    range.setAttribute("aria-valuetext", `step ${figures[range.value].dataset.step}`);
  };
  range.addEventListener("input", show);
  slide.hidden = false;
  show();
}
