// L'explorateur : des curseurs sur une étude archivée, et un entraînement pour de vrai.

import { button, element, kernel, key, numbers, slider } from "./page.mjs";
import { number } from "./numbers.mjs";
import { LABELS, RUNNING } from "./phases.mjs";
import { chart } from "./chart.mjs";

const SOLVED = 475;

export function render({ model, el }) {
  const fields = model.get("fields");
  const instants = model.get("instants");
  const seeds = model.get("seeds");
  const returns = numbers(model.get("returns"), Uint16Array);
  const ranks = fields.map(({ start }) => start);
  let before = null; // la combinaison d’avant le dernier geste, gardée pour comparer

  const note = element("p", { class: "cp-note", role: "status", "aria-live": "polite" });
  const ask = kernel(model, (text) => {
    note.textContent = text;
    note.classList.toggle("cp-alert", text !== "");
  });
  const plot = chart({
    title: "Retour sans hasard", unit: "pas, par graine", xLabel: "pas de jeu", low: 0, high: 520, height: 240,
  });
  const verdict = element("p", { class: "cp-verdict", role: "status", "aria-live": "polite" });
  const told = element("p", { class: "cp-note", role: "status" });
  const line = element("code", { class: "cp-code", "aria-label": "Réglages, en Python" });
  const seed = element("select", {}, ...seeds.map((value) => element("option", { value }, String(value))));
  const train = button("L’entraîner pour de vrai",
    () => ask({ do: "train", ranks: [...ranks], seed: Number(seed.value) }), { class: "cp-main" });
  const stop = button("Arrêter", () => ask({ do: "stop" }));
  const sliders = fields.map((field, rank) => {
    const onInput = (value) => {
      before = [...ranks];
      ranks[rank] = value;
      draw();
    };
    const one = slider(field, { onInput });
    one.draw({ rank: field.start });
    return one.node;
  });

  function archived(places) {
    const size = seeds.length * instants.length;
    const place = places.reduce((sum, rank, i) => sum * fields[i].choices.length + rank, 0);
    return seeds.map((_, i) =>
      [...returns.subarray(place * size + i * instants.length, place * size + (i + 1) * instants.length)]);
  }

  function draw() {
    const curves = archived(ranks);
    const live = model.get("live");
    const shown = live.greedy && live.ranks.join() === ranks.join();
    const width = (i) => (shown && seeds[i] === live.seed ? 2.2 : 0.9);
    const series = curves.map((y, i) => ({ x: instants, y, colour: "sky", width: width(i) }));
    if (before) series.push({ x: instants, y: median(archived(before)), colour: "muted", dash: "2 3", width: 2 });
    series.push({ x: instants, y: median(curves), colour: "blue", width: 3 });
    if (shown) series.push({ ...live.greedy, colour: "vermilion", dash: "7 3", width: 2.2, dots: true });
    plot.draw({ series, marks: [{ y: SOLVED, text: "seuil : 475" }], xRange: [0, instants.at(-1)] });
    verdict.textContent = summary(curves, instants);
    keys.replaceChildren(...legend(Boolean(before), shown && live.seed));
    const active = live.phase === RUNNING;
    stop.disabled = !active;
    told.textContent = liveText(live, shown);
    told.classList.toggle("cp-alert", Boolean(live.error));
    line.textContent = live.line ?? "";
    line.hidden = !live.line;
  }

  const keys = element("ul", { class: "cp-keys" });
  el.classList.add("cp");
  el.replaceChildren(element(
    "div",
    { class: "cp-explorer", role: "group", "aria-label": "Curseurs sur une étude archivée" },
    element("div", { class: "cp-sliders" }, ...sliders),
    element(
      "div",
      { class: "cp-view" },
      verdict,
      plot.node,
      keys,
      element("div", { class: "cp-row" }, train, element("label", {}, "graine", seed), stop),
      told,
      line,
      note,
    ),
  ));
  model.on("change:live", draw);
  draw();
  return () => {
    model.off("change:live", draw);
    ask.end();
  };
}

function median(curves) {
  return curves[0].map((_, instant) => {
    const sorted = curves.map((y) => y[instant]).sort((a, b) => a - b);
    const middle = sorted.length / 2;
    return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  });
}

function summary(curves, instants) {
  const solved = curves.filter((y) => y.at(-1) >= SOLVED).length;
  const ever = curves.map((y) => instants[y.findIndex((v) => v >= SOLVED)] ?? Infinity).sort((a, b) => a - b);
  const half = ever[Math.ceil(ever.length / 2) - 1];
  const first = Number.isFinite(half)
    ? `la moitié ont atteint 475 au moins une fois dès ${number(half)} pas`
    : "plus de la moitié ne l’ont jamais atteint";
  return `À la fin, ${solved} graine${solved > 1 ? "s" : ""} sur ${curves.length} à 475 ou plus\u00a0; ${first}.`;
}

function legend(compared, seed) {
  const keys = [
    key({ colour: "sky", width: 0.9 }, "une graine"),
    key({ colour: "blue", width: 3 }, "médiane"),
  ];
  if (compared) keys.push(key({ colour: "muted", dash: "2 3", width: 2 }, "médiane d’avant le dernier réglage"));
  if (seed !== false && seed != null) {
    keys.push(key({ colour: "sky", width: 2.2 }, `graine ${seed}, archivée`));
    keys.push(key({ colour: "vermilion", dash: "7 3", width: 2.2 }, `graine ${seed}, pour de vrai`));
  }
  return keys;
}

function liveText(live, shown) {
  if (live.error) return live.error;
  if (!live.phase) return "";
  const where = shown ? "" : " (ailleurs que sous ces curseurs)";
  return `Entraînement ${LABELS[live.phase]}${where}\u00a0: ${number(live.env_steps)} pas, graine ${live.seed}.`;
}
