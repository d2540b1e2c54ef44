// Un épisode image par image : le jeu, ce qu'en pense l'agent, ses courbes ; de CartPole, le plan
// (θ, θ̇), et d'un autre jeu, ses propres images.

import { BOTTOM, LEFT, RIGHT, TOP, chart, steps } from "./chart.mjs";
import { button, element, numbers, shape } from "./page.mjs";
import { exact, measure, number } from "./numbers.mjs";
import { THETA_LIMIT, TIME_STEP, X_LIMIT } from "./physics.mjs";
import {
  PACES, PER_SECOND, componentsView, cumulated, cut, pictureView, returnCurve, valueCurves,
} from "./pictures.mjs";
import { scene } from "./scene.mjs";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2];
const SIDES = ["\u25c2\u00a0gauche", "droite\u00a0\u25b8"];
const NOTHING = "\u2014";
const BARE = "Aucune politique n’a été donnée\u00a0: le fond reste vide.";
const DEGREES = 180 / Math.PI;
const STRIP = 112; // hauteur d'une courbe, en pixels
const RECENT = 25; // pas de la fin du chemin, tracés plus gras
const LONGEST = 100; // ms entre deux images : au-delà, la page était cachée
const GRID = 25; // cases sur chaque côté d'une carte
const BOX = { left: 48, top: 8, width: 364, height: 272 }; // le plan (θ, θ̇) dans son dessin

export function render({ model, el }) {
  const episode = unpack(model);
  const { last } = episode;
  let [now, speed, before, next] = [0, 1, null, null]; // `next` : l'image demandée, si l'on joue

  const bar = controls(episode, { seek, toggle, hasten: (value) => { speed = value; } });
  const pick = (t) => { toggle(false); seek(t); };
  const game = episode.images ? pictureView(episode) : cartView(episode);
  const rest = episode.images ? componentsView(episode) : planeView(episode);
  const views = [game, bar, mindView(episode), stripsView(episode, pick, bar.focus), rest];

  function seek(t) {
    now = Math.min(Math.max(t, 0), last);
    for (const view of views) view.show(Math.floor(now));
    if (now === last) toggle(false);
  }

  function toggle(wanted = next === null) {
    cancelAnimationFrame(next);
    if (wanted && now === last) seek(0);
    before = null;
    next = wanted ? requestAnimationFrame(advance) : null;
    bar.playing(wanted);
  }

  function advance(time) {
    if (!el.isConnected) return;
    const elapsed = Math.min(time - (before ?? time), LONGEST) / 1000;
    before = time;
    next = requestAnimationFrame(advance);
    seek(now + speed * elapsed * episode.perSecond);
  }

  function onKey(event) {
    if (event.key !== " " || event.target.closest("button, select")) return;
    event.preventDefault();
    toggle();
  }

  el.classList.add("cp", "cp-player");
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  el.addEventListener("keydown", onKey);
  el.append(
    element("p", { class: "cp-title" }, element("strong", {}, episode.title),
      `\u00a0: ${number(last)}\u00a0pas, ${episode.ending}`),
    element("div", { class: "cp-player-grid" }, ...views.map((view) => view.node)),
  );
  seek(0);
  return () => {
    toggle(false);
    game.end?.();
    el.removeEventListener("keydown", onKey);
  };
}

// L'épisode que disent les octets de la page, écrits par player.py et pictures.py.
export function unpack(model) {
  const scale = model.get("scale");
  const states = rows(numbers(model.get("observations"), Int16Array), scale.length)
    .map((row) => row.map((whole, k) => scale[k] * whole));
  const actions = numbers(model.get("actions"), Uint8Array);
  const epsilons = numbers(model.get("epsilon"));
  const names = model.get("names") ?? SIDES;
  const values = model.get("q_values") && rows(numbers(model.get("q_values")), names.length);
  const common = {
    title: model.get("title"),
    ending: model.get("ending"),
    every: model.get("every"),
    states,
    last: states.length - 1,
    action: (t) => actions[t],
    epsilon: (t) => epsilons[epsilons.length > 1 ? t : 0],
    names,
    values,
  };
  return { ...common, ...(model.get("pictures") ? pictured(model) : ofCartPole(model, values)) };
}

function rows(flat, width) {
  return Array.from({ length: flat.length / width },
    (_, t) => Array.from(flat.subarray(width * t, width * (t + 1))));
}

function ofCartPole(model, values) {
  return {
    perSecond: 1 / TIME_STEP,
    speeds: SPEEDS.map((value) => [value, `×\u00a0${exact(value)}`]),
    along: (t) => t * TIME_STEP,
    seconds: (t) => ` (${number(t * TIME_STEP, 2)}\u00a0s)`,
    axis: "temps (s)",
    gaps: values && values.map(([left, right]) => right - left),
    plane: model.get("plane"),
    map: model.get("maps") && bits(model.get("maps")),
  };
}

function pictured(model) {
  const rewards = numbers(model.get("rewards"));
  const pace = (value) => `${exact(value * PER_SECOND)}\u00a0pas par seconde`;
  return {
    perSecond: PER_SECOND,
    speeds: PACES.map((value) => [value, pace(value)]),
    along: (t) => t,
    seconds: () => "",
    axis: "pas",
    components: model.get("components"),
    hidden: model.get("hidden"),
    images: cut(numbers(model.get("pictures"), Uint8Array), model.get("sizes")),
    rewards,
    returns: cumulated(rewards),
  };
}

function bits(view) {
  const bytes = numbers(view, Uint8Array);
  return (i) => (bytes[i >> 3] >> (i & 7)) & 1;
}

const worth = (value) => (Math.abs(value) < 1000 ? number(value, 3) : measure(value));
const gapText = (gap) => (gap > 0 && gap < Infinity ? "+" : "") + worth(gap);
const told = (name, value, digits, unit) =>
  `${name}\u00a0=\u00a0${number(value, digits)}${unit}`;

function cartView({ states, last, action, ending }) {
  const { node, draw } = scene();
  const show = (t) => draw(states[t], t < last ? action(t) : null, t < last ? "" : ending);
  return { node: element("div", {}, node), show };
}

// Lire, reculer, avancer, ralentir, aller à un instant.
function controls({ last, ending, speeds, seconds }, { seek, toggle, hasten }) {
  const go = (t) => { toggle(false); seek(t); };
  const play = button("Lire", () => toggle(), { class: "cp-main" });
  const range = element("input", {
    type: "range", min: 0, max: last, value: 0, "aria-label": "Instant de l’épisode",
    input: () => go(Number(range.value)),
  });
  const by = (step) => () => go(Number(range.value) + step);
  const back = button("\u2212\u00a01\u00a0pas", by(-1), { "aria-label": "Reculer d’un pas" });
  const forward = button("+\u00a01\u00a0pas", by(1), { "aria-label": "Avancer d’un pas" });
  const option = ([value, label]) =>
    element("option", { value, selected: value === 1 }, label);
  const speed = element("select", { change: () => hasten(Number(speed.value)) },
    ...speeds.map(option));
  const where = element("span", { class: "cp-where" });

  function show(t) {
    const instant = `pas\u00a0${number(t)} sur ${number(last)}${seconds(t)}`;
    where.textContent = t === last ? `${instant}\u00a0: ${ending}` : instant;
    range.value = t;
    range.setAttribute("aria-valuetext", where.textContent);
    back.disabled = t === 0;
    forward.disabled = t === last;
  }

  const row = element("div", { class: "cp-row" }, play, back, forward,
    element("label", {}, "vitesse", speed), where);
  return {
    node: element("div", { class: "cp-wide" }, row, range),
    show,
    playing: (yes) => { play.textContent = yes ? "Pause" : "Lire"; },
    focus: () => range.focus({ preventScroll: true }),
  };
}

// Les valeurs d'action, leur écart s'il n'y en a que deux, ε, et l'action : celle que Q préfère, ou
// non.
function mindView(episode) {
  const { last, names, values, gaps, epsilon, action, rewards, returns } = episode;
  const line = (name, cell) => element("tr", {}, element("th", { scope: "row" }, name), cell);
  const [gap, chance, done, reward, total] = Array.from({ length: 5 }, () => element("td"));
  const worths = names.map(() => element("td"));
  const bar = gaps && gapBar(gaps);
  const label = (name, side) => `Q(${rewards ? name : ["gauche", "droite"][side]})`;
  const known = values ? names.map((name, rank) => line(label(name, rank), worths[rank])) : [];
  const apart = gaps ? [
    line("droite \u2212 gauche", gap),
    element("tr", {}, element("td", { colspan: 2 }, bar.node)),
  ] : [];
  const earned = rewards ? [line("récompense", reward), line("retour cumulé", total)] : [];
  const node = element("div", { class: `cp-mind${rewards ? " cp-long" : ""}` },
    element("strong", {}, values ? "Ce qu’en pense l’agent" : "Ce que fait la politique"),
    element("table", {}, element("tbody", {},
      ...known, ...apart, line("ε", chance), line("action", done), ...earned)),
    values ? "" : element("p", { class: "cp-note" },
      "Elle n’a pas de valeurs d’action\u00a0: ni Q, ni écart à montrer."));

  function showValues(t) {
    worths.forEach((cell, rank) => {
      const best = t < last && isPreferred(values[t], rank);
      cell.textContent = t < last ? worth(values[t][rank]) + (best ? "\u00a0: préférée" : "") : NOTHING;
    });
    if (!gaps) return;
    gap.textContent = t < last ? gapText(gaps[t]) : NOTHING;
    bar.show(t < last ? gaps[t] : 0);
  }

  function show(t) {
    if (values) showValues(t);
    chance.textContent = t < last ? number(epsilon(t), 3) : NOTHING;
    done.textContent = t < last ? names[action(t)] + verdict(episode, t) : NOTHING;
    if (!rewards) return;
    reward.textContent = t < last ? measure(rewards[t]) : NOTHING;
    total.textContent = measure(returns[t]);
  }
  return { node, show };
}

// L'action de ce rang vaut-elle plus que chacune des autres ?
function isPreferred(values, rank) {
  return values.every((value, other) => other === rank || values[rank] > value);
}

function verdict(episode, t) {
  if (!episode.values) return "";
  if (!episode.values[t].every(Number.isFinite)) return " (Q non fini)";
  if (!isContrary(episode, t)) return " (gloutonne)";
  return episode.epsilon(t) > 0 ? " (au hasard)" : " (non gloutonne, malgré ε\u00a0=\u00a00)";
}

// Q préférait-elle une autre action ? Une égalité ne préfère rien.
export function isContrary({ values, action }, t) {
  return values[t].every(Number.isFinite) && values[t][action(t)] < Math.max(...values[t]);
}

// L'écart, de part et d'autre de zéro, à l'échelle du plus grand de l'épisode.
function gapBar(gaps) {
  const widest = gaps.filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  const fill = element("span", { class: "cp-gap-fill" });
  const node = element("div", { class: "cp-gap", "aria-hidden": "true" },
    element("span", {}, SIDES[0]),
    element("span", { class: "cp-gap-track" }, fill),
    element("span", {}, SIDES[1]));

  function show(gap) {
    const share = Number.isFinite(gap) ? (50 * gap) / widest : 0;
    fill.style.left = `${50 + Math.min(share, 0)}%`;
    fill.style.width = `${Math.abs(share)}%`;
    fill.classList.toggle("cp-right", share > 0);
  }
  return { node, show };
}

// Les courbes ; un clic y mène à l'instant, et les touches au curseur.
function stripsView(episode, pick, focus) {
  const { last, values } = episode;
  const curves = episode.images ? otherCurves(episode) : cartCurves(episode);
  const strips = curves.map((curve, i) =>
    strip(curve, episode, pick, i === curves.length - 1 ? episode.axis : ""));
  const legend = ({ keys }) => (keys ? [element("ul", { class: "cp-keys" }, ...keys)] : []);
  const contrary = values ? values.filter((_, t) => isContrary(episode, t)).length : 0;
  const lead = episode.images ? "L" : "Points\u00a0: l";
  const note = contrary
    ? [element("p", { class: "cp-note" }, `${lead}’action n’est pas celle que Q préfère `
      + `(${number(contrary)} pas sur ${number(last)}).`)]
    : [];
  return {
    node: element("div", { click: focus },
      ...strips.flatMap((one, i) => [one.node, ...legend(curves[i])]), ...note),
    show: (t) => strips.forEach((one) => one.show(t)),
  };
}

function cartCurves(episode) {
  const curves = [angleCurve(episode), positionCurve(episode)];
  return episode.gaps ? [...curves, gapCurve(episode)] : curves;
}

function otherCurves(episode) {
  const total = returnCurve(episode, finiteRuns);
  return episode.values ? [valueCurves(episode, finiteRuns), total] : [total];
}

function angleCurve({ states }) {
  const theta = states.map((state) => state[2] * DEGREES);
  return {
    title: "Angle θ", unit: "°", limit: THETA_LIMIT * DEGREES,
    series: [{ y: theta, colour: "orange" }],
    tell: (t) => `${told("θ", theta[t], 1, "°")}, `
      + told("θ̇", states[t][3] * DEGREES, 0, "\u00a0°/s"),
  };
}

function positionCurve({ states }) {
  const x = states.map((state) => state[0]);
  return {
    title: "Position x", unit: "m", limit: X_LIMIT,
    series: [{ y: x, colour: "blue" }],
    tell: (t) => `${told("x", x[t], 2, "\u00a0m")}, ${told("ẋ", states[t][1], 2, "\u00a0m/s")}`,
  };
}

function gapCurve(episode) {
  const { last, gaps } = episode;
  const contrary = gaps.map((gap, t) => (isContrary(episode, t) ? gap : NaN));
  return {
    title: "Q(droite) \u2212 Q(gauche)",
    series: [...finiteRuns(gaps), { y: contrary, colour: "vermilion", dots: true, width: 0 }],
    tell: (t) => (t < last ? gapText(gaps[t]) : NOTHING),
  };
}

// Une courbe par suite de valeurs finies : rien ne se trace là où une valeur manque.
export function finiteRuns(values, look = { colour: "purple" }) {
  const runs = [];
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    if (!i || !Number.isFinite(values[i - 1])) runs.push({ y: [], from: i, ...look });
    runs.at(-1).y.push(value);
  });
  return runs;
}

// Une courbe, le curseur de l'instant, et ce qu'elle vaut alors.
function strip({ title, unit, limit, series, tell, zero = true }, { last, along }, pick, xLabel) {
  const { node, draw } = chart({ title, unit, xLabel, height: STRIP });
  const cursor = element("span", { class: "cp-cursor" });
  const value = element("span", { class: "cp-value" });
  const frame = element("div", {
    class: "cp-strip",
    pointerdown: (event) => { frame.setPointerCapture(event.pointerId); point(event); },
    pointermove: (event) => { if (event.buttons) point(event); },
  }, node, cursor, value);

  function point(event) {
    const { left, width } = frame.getBoundingClientRect();
    pick(Math.round((last * (event.clientX - left - LEFT)) / (width - LEFT - RIGHT)));
  }

  function show(t) {
    cursor.style.left = `calc(${LEFT}px + (100% - ${LEFT + RIGHT}px) * ${t / last})`;
    value.textContent = tell(t);
  }

  cursor.style.bottom = `${BOTTOM}px`;
  cursor.style.height = `${STRIP - BOTTOM - TOP}px`;
  const placed = ({ from = 0, ...one }) =>
    ({ width: 1.6, x: one.y.map((_, i) => along(from + i)), ...one });
  draw({
    series: series.map(placed),
    marks: [{ y: 0, text: "", kept: zero }, { y: limit, text: "" }, { y: -limit, text: "" }],
    xRange: [0, along(last)],
  });
  return { node: frame, show };
}

// Le plan (θ, θ̇) : où pousserait la politique, le chemin parcouru, l'instant.
function planeView({ states, last, plane, map, every }) {
  const spots = states.map((state) => plane.map((bound, k) => place(state[2 + k] / bound, k)));
  const ground = map && planeMap(map);
  const path = shape("path", { class: "cp-trail" });
  const recent = shape("path", { class: "cp-trail cp-recent" });
  const dot = shape("circle", { class: "cp-point", r: 5.5 });
  const svg = shape("svg", { class: "cp-plane", viewBox: "0 0 420 320", role: "img" },
    ...(ground ? [ground.node] : []), ...planeAxes(plane), path, recent, dot);
  const note = element("p", { class: "cp-note" });
  const reach = plane.map((bound) => number(bound * DEGREES));
  const extent = `Axes\u00a0: ±${reach[0]}° et ±${reach[1]}\u00a0°/s\u202f; `
    + "tirets\u00a0: chute à ±12°.";

  function show(t) {
    const slice = Math.min(Math.round(t / every), Math.floor(last / every));
    const line = (from) => `M${spots.slice(from, t + 1).map((spot) => spot.join(" ")).join("L")}`;
    path.setAttribute("d", line(0));
    recent.setAttribute("d", line(Math.max(t - RECENT, 0)));
    dot.setAttribute("cx", spots[t][0]);
    dot.setAttribute("cy", spots[t][1]);
    ground?.show(slice);
    note.textContent = `${ground ? about(slice * every) : BARE} ${extent}`;
    svg.setAttribute("aria-label", "Plan de l’angle et de sa vitesse\u00a0: "
      + `${number(states[t][2] * DEGREES, 1)}°, ${number(states[t][3] * DEGREES)}\u00a0°/s`);
  }

  function about(t) {
    const [x, xDot] = states[t];
    return "Fond\u00a0: ce que ferait la politique "
      + `pour ${told("x", x, 2, "\u00a0m")}, ${told("ẋ", xDot, 2, "\u00a0m/s")} `
      + `(pas\u00a0${number(t)}), case par case (${GRID}\u00a0×\u00a0${GRID}).`;
  }

  const legend = map ? "\u00a0: la politique y pousse \u25c2 ou \u25b8" : "";
  const title = element("figcaption", {}, "Plan (θ, θ̇)", element("span", {}, legend));
  return { node: element("figure", { class: "cp-figure" }, title, svg, note), show };
}

// La place, en unités du dessin, de `share`, entre −1 et 1, sur l'axe de θ (0) ou de θ̇ (1).
function place(share, axis) {
  const along = BOX.left + ((1 + share) / 2) * BOX.width;
  const up = BOX.top + ((1 - share) / 2) * BOX.height;
  return (axis === 0 ? along : up).toFixed(1);
}

function planeAxes([theta, spin]) {
  const [right, base] = [BOX.left + BOX.width, BOX.top + BOX.height];
  const text = (attributes, words) => shape("text", { class: "cp-tick", ...attributes }, words);
  const ticks = (bound) => steps([-bound * DEGREES, bound * DEGREES], 6);
  const fall = (side) => place((side * THETA_LIMIT) / theta, 0);
  return [
    shape("path", { class: "cp-frame", d: `M${BOX.left} ${BOX.top}V${base}H${right}V${BOX.top}Z` }),
    ...[-1, 1].map((side) =>
      shape("line", { class: "cp-fall", x1: fall(side), x2: fall(side), y1: BOX.top, y2: base })),
    ...ticks(theta).map((value) => text(
      { x: place(value / DEGREES / theta, 0), y: base + 15, "text-anchor": "middle" },
      number(value),
    )),
    ...ticks(spin).map((value) => text(
      { x: BOX.left - 6, y: place(value / DEGREES / spin, 1), dy: 4, "text-anchor": "end" },
      number(value),
    )),
    text({ x: right, y: base + 33, "text-anchor": "end" }, "angle θ (°)"),
    text({ x: BOX.left - 40, y: base + 33 }, "\u2191 vitesse θ̇ (°/s)"),
  ];
}

// Les cases d'une carte : deux fonds clairs, et des triangles tournés du côté où l'on pousse.
function planeMap(map) {
  const [width, height] = [BOX.width / GRID, BOX.height / GRID];
  const fills = ["left", "right"].map((side) => shape("path", { class: `cp-push-${side}` }));
  const arrows = shape("path", { class: "cp-push-arrow" });
  const cells = Array.from({ length: GRID * GRID }, (_, i) => {
    const [row, column] = [Math.floor(i / GRID), i % GRID];
    const [x, y] = [BOX.left + column * width, BOX.top + (GRID - 1 - row) * height];
    return { i, x, y, marked: row % 4 === 2 && column % 4 === 2 };
  });
  const square = ({ x, y }) => `M${x.toFixed(2)} ${y.toFixed(2)}h${width}v${height}h${-width}z`;
  const triangle = ({ x, y }, side) => {
    const [tail, top] = [x + width / 2 - 3 * side, y + height / 2 - 3.5];
    return `M${tail.toFixed(1)} ${top.toFixed(1)}l${6 * side} 3.5l${-6 * side} 3.5z`;
  };

  function show(slice) {
    const action = (cell) => map(slice * cells.length + cell.i);
    fills.forEach((fill, side) =>
      fill.setAttribute("d", cells.filter((cell) => action(cell) === side).map(square).join("")));
    arrows.setAttribute("d", cells.filter((cell) => cell.marked)
      .map((cell) => triangle(cell, action(cell) ? 1 : -1)).join(""));
  }
  return { node: shape("g", {}, ...fills, arrows), show };
}
