"use strict";
// Shows the face of a map's point that is pointed at, or gone to with the arrow keys; and on a page
// that is served while training, fetches its content anew.
(() => {
  const data = () => JSON.parse(document.getElementById("faces")?.textContent || "{}");

  function pictureOf(all, number) {
    const [text, sheet, place] = all.faces[number];
    const box = document.createElement("div");
    if (sheet >= 0) {
      const { columns, count } = all.sheets[sheet];
      const rows = Math.ceil(count / columns);
      const face = document.createElement("span");
      face.className = `face sheet${sheet}`;
      face.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
      const share = (i, n) => (n > 1 ? (100 * i) / (n - 1) : 0);
      face.style.backgroundPosition =
        `${share(place % columns, columns)}% ${share(Math.floor(place / columns), rows)}%`;
      box.append(face);
    }
    box.append(text);
    return box;
  }

  function prepareMap(all, map) {
    const svg = map.querySelector("svg");
    const tip = map.querySelector(".tip");
    const points = JSON.parse(map.dataset.points);  // [x, y, face], in units of the picture
    const side = svg.viewBox.baseVal.width;
    const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    ring.setAttribute("class", "ring");
    ring.setAttribute("r", "6");
    ring.setAttribute("visibility", "hidden");
    svg.append(ring);
    let at = -1;

    function show(i) {
      at = i;
      const [x, y, face] = points[i];
      ring.setAttribute("cx", x);
      ring.setAttribute("cy", y);
      ring.setAttribute("visibility", "visible");
      tip.replaceChildren(pictureOf(all, face));
      tip.hidden = false;
      tip.style.left = x < side / 2 ? `${(100 * (x + 12)) / side}%` : "auto";
      tip.style.right = x < side / 2 ? "auto" : `${(100 * (side - x + 12)) / side}%`;
      tip.style.top = `${(100 * Math.max(0, y - 20)) / svg.viewBox.baseVal.height}%`;
    }
    function hide() {
      tip.hidden = true;
      ring.setAttribute("visibility", "hidden");
    }
    function nearest(event) {
      const box = svg.getBoundingClientRect();
      const scale = side / box.width;
      const px = (event.clientX - box.left) * scale, py = (event.clientY - box.top) * scale;
      let best = -1, least = 400;  // within 20 units
      points.forEach(([x, y], i) => {
        const d = (x - px) ** 2 + (y - py) ** 2;
        if (d < least) [best, least] = [i, d];
      });
      if (best >= 0) show(best);
      else hide();
    }
    svg.addEventListener("pointermove", nearest);
    svg.addEventListener("pointerdown", nearest);
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("focus", () => show(Math.max(0, at)));
    svg.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -at, End: -at - 1 };
      if (event.key === "Escape") hide();
      if (!(event.key in steps)) return;
      event.preventDefault();
      show((at + steps[event.key] + points.length) % points.length);
    });
  }

  const prepareMaps = () => {
    const maps = document.querySelectorAll(".map");
    if (maps.length === 0) return;
    const all = data();
    maps.forEach((map) => prepareMap(all, map));
  };
  prepareMaps();

  const live = document.querySelector(".live");
  if (!live) return;
  const status = live.querySelector("[role=status]");
  async function refresh() {
    try {
      const answer = await fetch(live.dataset.url, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const open = [...document.querySelectorAll("main details")].map((d) => d.open);
      document.querySelector("main").innerHTML = await answer.text();
      document.querySelectorAll("main details").forEach((d, i) => { d.open = Boolean(open[i]); });
      status.textContent = `as of ${new Date().toLocaleTimeString()}`;
    } catch {
      status.textContent = "the training has ended, or does not answer: what is shown is the last that was heard";
    }
  }
  setInterval(refresh, 1000 * Number(live.dataset.seconds));
  live.querySelector("form")?.addEventListener("submit", (event) => {
    if (!confirm("Stop the training? It saves its state, and --resume goes on.")) event.preventDefault();
  });
})();
