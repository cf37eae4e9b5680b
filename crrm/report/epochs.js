"use strict";
// A slider over epochs. Elements with data-frame are shown at that epoch alone; a .walker goes
// where its data-path leads: one "x,y" or "x,y,low,high" an epoch, "-" where there is nothing.
for (const scope of document.querySelectorAll("[data-frames]")) {
  const names = JSON.parse(scope.dataset.frames);
  const control = scope.querySelector(".control");
  const [button, range, output] = ["button", "input", "output"].map(
      (tag) => control.querySelector(tag));
  const parts = Array.from(scope.querySelectorAll("[data-frame]"));
  const walkers = Array.from(scope.querySelectorAll(".walker"), (element) => ({
    element, whisker: element.querySelector(".whisker"), path: element.dataset.path.split(" ")}));

  const show = (frame) => {
    range.value = frame;
    output.textContent = names[frame];
    range.setAttribute("aria-valuetext", names[frame]);
    for (const part of parts) part.classList.toggle("off", Number(part.dataset.frame) !== frame);
    for (const {element, whisker, path} of walkers) {
      const [x, y, low, high] = path[frame].split(",").map(Number);
      element.classList.toggle("off", path[frame] === "-");
      if (path[frame] === "-") continue;
      element.setAttribute("transform", `translate(${x} ${y})`);
      if (whisker) whisker.setAttribute("d", low === undefined ? "" : `M${low - x} 0H${high - x}`);
    }
  };

  const kFrameTime = Math.max(60, 4000 / names.length);  // ms: all epochs in four seconds
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "▶";
    button.setAttribute("aria-label", "play");
  };
  const step = () => {
    if (Number(range.value) + 1 < names.length) show(Number(range.value) + 1);
    else stop();
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (Number(range.value) + 1 === names.length) show(0);
    timer = setInterval(step, kFrameTime);
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "pause");
  });
  range.addEventListener("input", () => {
    stop();
    show(Number(range.value));
  });
  control.hidden = false;
  stop();
  show(names.length - 1);
}
