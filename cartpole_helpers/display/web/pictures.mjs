// Un autre jeu que CartPole : ses propres images, ses valeurs d’action, son retour, son état.

import { COLOURS, DASHES, element, key } from "./page.mjs";
import { measure, number } from "./numbers.mjs";

export const PER_SECOND = 30; // pas par seconde, à la vitesse ordinaire
export const PACES = [0.1, 0.5, 1, 2, 4];

// L'image de chaque pas : celle qui fut gardée, ou la dernière qui l’ait été avant lui.
export function pictureView({ last, images, every, title }) {
  const addresses = images.map((bytes) =>
    URL.createObjectURL(new Blob([bytes], { type: "image/webp" })));
  const node = element("img", { class: "cp-picture" });
  const note = element("p", { class: "cp-note" }, every === 1 ? ""
    : `Une image sur ${number(every)} est gardée, pour que le carnet reste léger.`);
  let shown = null;

  function show(t) {
    const rank = t === last ? images.length - 1 : Math.floor(t / every);
    if (rank !== shown) node.src = addresses[rank];
    shown = rank;
    node.alt = `${title}, image du pas ${number(t)}`;
  }
  const end = () => addresses.forEach((address) => URL.revokeObjectURL(address));
  return { node: element("div", {}, node, note), show, end };
}

// Les images, que la page reçoit bout à bout.
export function cut(bytes, sizes) {
  let from = 0;
  return sizes.map((size) => bytes.slice(from, (from += size)));
}

// Le retour cumulé (T + 1,) : avant le premier pas, rien n’est gagné.
export function cumulated(rewards) {
  let total = 0;
  return [0, ...Array.from(rewards, (reward) => (total += reward))];
}

export function returnCurve({ returns }, finiteRuns) {
  return {
    title: "Retour cumulé",
    zero: false,
    series: finiteRuns(returns, { colour: "green" }),
    tell: (t) => measure(returns[t]),
  };
}

export function valueCurves({ names, values, last, action }, finiteRuns) {
  const look = (rank) =>
    ({ colour: COLOURS[rank % COLOURS.length], dash: DASHES[rank % DASHES.length], width: 1.6 });
  return {
    title: "Valeurs d’action",
    zero: false,
    series: names.flatMap((_, rank) => finiteRuns(values.map((one) => one[rank]), look(rank))),
    keys: names.map((name, rank) => key(look(rank), name)),
    tell: (t) => (t < last ? `${names[action(t)]}\u00a0: ${measure(values[t][action(t)])}` : ""),
  };
}

// Ce que l'agent observe : une ligne par composante.
export function componentsView({ components, states, hidden }) {
  const cells = components.map(() => element("td", { class: "cp-number" }));
  const rows = components.map((name, rank) =>
    element("tr", {}, element("th", { scope: "row" }, name), cells[rank]));
  const note = hidden ? [element("p", { class: "cp-note" },
    `Et ${number(hidden)} autres composantes, non montrées.`)] : [];
  const node = element("div", { class: "cp-mind cp-long" },
    element("strong", {}, "Ce que l’agent observe"),
    element("table", {}, element("tbody", {}, ...rows)), ...note);
  return {
    node,
    show: (t) => cells.forEach((cell, rank) => { cell.textContent = number(states[t][rank], 3); }),
  };
}
