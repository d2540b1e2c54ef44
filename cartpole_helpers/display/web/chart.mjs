// Un graphique : des courbes, des axes gradués à la française, une largeur qui suit la page.

import { element, shape } from "./page.mjs";
import { exact, measure, superscript } from "./numbers.mjs";

export const LEFT = 46;
export const RIGHT = 10;
export const TOP = 8;
export const BOTTOM = 34;

// series : [{x, y, colour, dash, width, dots, band: [bas, haut]}] ; marks : [{y, text}] ;
// `low` et `high` bornent l'axe vertical, qui sinon suit les données ; `log` le rend logarithmique.
export function chart({ title, unit, xLabel, height = 160, low, high, log = false }) {
  const svg = shape("svg", { class: "cp-chart", height, role: "img", "aria-label": title });
  const heading = element("figcaption", {}, title, element("span", {}, unit ? ` (${unit})` : ""));
  const node = element("figure", { class: "cp-figure" }, heading, svg);
  let last = { series: [], marks: [], xRange: [0, 1] };

  function draw(content = last) {
    last = content;
    const width = Math.max(svg.clientWidth || 320, 160);
    const range = yRange(content, low, high, log);
    const [xLow, xHigh] = content.xRange;
    const across = (x) => LEFT + ((x - xLow) / (xHigh - xLow || 1)) * (width - LEFT - RIGHT);
    const up = (y) => {
      const [a, b, v] = log ? [...range, y].map(Math.log10) : [...range, y];
      return height - BOTTOM - ((v - a) / (b - a || 1)) * (height - BOTTOM - TOP);
    };
    const marks = (content.marks ?? []).filter(({ y }) => y >= range[0] && y <= range[1]);
    const drawn = content.series.flatMap((one) => curve(one, across, up, range, log));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(
      ...yAxis(log ? decades(range) : steps(range, 4), up, width, log),
      ...xAxis(steps([xLow, xHigh], width < 260 ? 2 : 4), across, height, xLabel, width),
      ...marks.map((mark) => reference(mark, up, width)),
      ...drawn,
      ...marks.map((mark) => referenceName(mark, up)),
    );
  }

  new ResizeObserver(() => draw()).observe(svg);
  return { node, draw };
}

function yRange({ series, marks = [] }, low, high, log) {
  const shown = series.flatMap(({ y, band }) => [...y, ...(band ?? []).flat()]);
  const values = [...shown, ...marks.filter((mark) => mark.kept).map((mark) => mark.y)]
    .filter((v) => v != null && Number.isFinite(v) && (!log || v > 0));
  if (!values.length) return log ? [0.1, 10] : [low ?? 0, high ?? 1];
  const bottom = low ?? values.reduce((a, b) => Math.min(a, b));
  const top = high ?? values.reduce((a, b) => Math.max(a, b));
  if (log) return [10 ** Math.floor(Math.log10(bottom)), 10 ** Math.ceil(Math.log10(top * 1.0001))];
  const margin = (top - bottom || Math.abs(top) || 1) * 0.06;
  return [low ?? bottom - margin, high ?? top + margin];
}

function curve({ x, y, colour, dash = "", width = 2, dots = false, band }, across, up, range, log) {
  const shown = (v) => v != null && Number.isFinite(v) && (!log || v > 0);
  const clamp = (v) => Math.min(Math.max(v, range[0]), range[1]);
  const place = (i, v) => `${across(x[i]).toFixed(1)} ${up(clamp(v)).toFixed(1)}`;
  const kept = [...y.keys()].filter((i) => shown(y[i]));
  if (!kept.length) return [];
  const parts = [];
  if (band) {
    const [bottom, top] = band;
    const edge = [...kept.map((i) => place(i, top[i])), ...kept.toReversed().map((i) => place(i, bottom[i]))];
    parts.push(shape("path", { d: `M${edge.join("L")}Z`, class: `cp-band cp-fill-${colour}` }));
  }
  const path = `M${kept.map((i) => place(i, y[i])).join("L")}`;
  parts.push(shape("path", {
    d: path, class: `cp-line cp-stroke-${colour}`, "stroke-dasharray": dash, "stroke-width": width,
  }));
  if (dots || kept.length === 1) {
    const dot = (i) =>
      shape("circle", { cx: across(x[i]), cy: up(clamp(y[i])), r: 2.6, class: `cp-fill-${colour}` });
    parts.push(...(dots ? kept : kept.slice(-1)).map(dot));
  }
  return parts;
}

function yAxis(ticks, up, width, log) {
  return ticks.flatMap((value) => [
    shape("line", { class: "cp-grid", x1: LEFT, x2: width - RIGHT, y1: up(value), y2: up(value) }),
    shape("text", { class: "cp-tick", x: LEFT - 5, y: up(value) + 4, "text-anchor": "end" },
      log ? `10${superscript(Math.round(Math.log10(value)))}` : tick(value)),
  ]);
}

function xAxis(ticks, across, height, label, width) {
  const base = height - BOTTOM;
  const anchor = (value) => (across(value) > width - 30 ? "end" : "middle");
  return [
    shape("line", { class: "cp-axis", x1: LEFT, x2: width - RIGHT, y1: base, y2: base }),
    ...ticks.map((value) =>
      shape("text", { class: "cp-tick", x: across(value), y: base + 14, "text-anchor": anchor(value) },
        tick(value))),
    shape("text", { class: "cp-tick", x: width - RIGHT, y: height - 4, "text-anchor": "end" }, label),
  ];
}

function reference({ y }, up, width) {
  return shape("line", { class: "cp-mark", x1: LEFT, x2: width - RIGHT, y1: up(y), y2: up(y) });
}

// Écrit par-dessus les courbes, sur un liseré : il se lit où elles le croisent.
function referenceName({ y, text }, up) {
  return shape("text", { class: "cp-tick cp-above", x: LEFT + 4, y: up(y) + 12 }, text);
}

// Des graduations rondes : 1, 2 ou 5 fois une puissance de dix.
export function steps([low, high], count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => (first + i) * step);
}

export function decades([low, high]) {
  const [first, last] = [Math.round(Math.log10(low)), Math.round(Math.log10(high))];
  const jump = Math.max(Math.ceil((last - first) / 4), 1);
  return steps([first, last], (last - first) / jump).filter(Number.isInteger).map((p) => 10 ** p);
}

function tick(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 1e6) ? measure(value) : exact(value);
}
