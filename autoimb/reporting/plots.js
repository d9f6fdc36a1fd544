// Draws the charts of the page when they come into view, in the colours of its theme.
(() => {
  "use strict";
  const root = document.querySelector(".autoimb");
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const places = [...document.querySelectorAll("[data-chart]")];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const CLEAR = "rgba(0,0,0,0)";
  let threshold = null;
  const CONFIG = { responsive: true, displayModeBar: false };

  // What a chart leaves open: ink, ground and lines, of every axis it may have.
  function theme() {
    const style = getComputedStyle(root);
    const [ink, line, panel] = ["--ink", "--line", "--panel"].map((name) =>
      style.getPropertyValue(name).trim(),
    );
    const axis = {
      gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true,
      title: { standoff: 8 },
    };
    return {
      layout: {
        paper_bgcolor: CLEAR, plot_bgcolor: CLEAR, xaxis: axis, yaxis: axis,
        font: { color: ink, family: style.fontFamily, size: 13 },
        hoverlabel: { bgcolor: panel, bordercolor: line, font: { color: ink } },
        legend: { bgcolor: CLEAR },
        margin: { l: 56, r: 16, t: 16, b: 48 },
      },
    };
  }

  function draw(place) {
    const { data, layout } = charts[place.dataset.chart];
    const themed = { ...structuredClone(layout), template: theme() };
    place.dataset.drawn = "true";
    themed.shapes = [...(layout.shapes ?? []), ...explored(layout)];
    return Plotly.react(place, structuredClone(data), themed, CONFIG);
  }

  // Where the threshold of the explorer lies in a chart, if it has an axis of thresholds.
  function explored(layout) {
    if (!layout.meta || threshold === null) return [];
    const inside = Math.min(Math.max(threshold, 1e-12), 1 - 1e-12);
    const x = Math.log(inside / (1 - inside));
    const line = { color: getComputedStyle(root).getPropertyValue("--ink").trim(), width: 2 };
    return [{ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, name: "explored", line }];
  }

  function follow({ detail }) {
    threshold = detail.threshold;
    for (const place of places) {
      const { layout } = charts[place.dataset.chart];
      if (!place.dataset.drawn || !layout.meta) continue;
      Plotly.relayout(place, { shapes: [...(layout.shapes ?? []), ...explored(layout)] });
    }
  }

  function redraw() {
    places.filter((place) => place.dataset.drawn).forEach(draw);
  }

  async function inflate(id) {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  async function start() {
    const script = document.createElement("script");
    script.textContent = await inflate("plotly");
    document.head.append(script);
    const seen = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          seen.unobserve(target);
          draw(target);
        }
      },
      { rootMargin: "400px" },
    );
    places.forEach((place) => seen.observe(place));
    dark.addEventListener("change", redraw);
    addEventListener("beforeprint", () => places.forEach(draw));
    document.documentElement.dataset.plots = "ready";
  }

  document.addEventListener("autoimb:threshold", follow);
  start().catch((error) => {
    document.documentElement.dataset.plots = "failed";
    for (const place of places) {
      place.textContent = `This browser cannot draw it (${error.message}): see the table.`;
    }
  });
})();
