// Le panneau : des réglages, des commandes, le chariot, quatre courbes, et les essais superposés.

import { COLOURS, DASHES, button, element, kernel, key, slider, told } from "./page.mjs";
import { measure, number } from "./numbers.mjs";
import { LABELS, PAUSED, RUNNING } from "./phases.mjs";
import { scene } from "./scene.mjs";
import { chart } from "./chart.mjs";

const X_LABEL = "pas de jeu";
const WIDE = 1000; // px : en deçà, les réglages passent au-dessus des courbes, repliés
const SILENCE = 5000; // ms sans nouvelles d’un entraînement en cours

export function render({ model, el }) {
  const note = element("p", { class: "cp-note", role: "status", "aria-live": "polite" });
  const say = (text) => {
    note.textContent = text;
    note.classList.toggle("cp-alert", text !== "");
  };
  const form = settingsForm(model, (content) => ask(content));
  const ask = kernel(model, say, form.draw);
  const commands = commandRow(model, ask);
  const view = trainingView(model);
  const verdict = diagnosisView(model);
  const parts = [form, commands, view];

  el.classList.add("cp");
  el.replaceChildren(element(
    "div",
    { class: "cp-panel", role: "group", "aria-label": "Panneau d’entraînement" },
    element("div", { class: "cp-head" }, form.header, commands.node, note),
    form.node,
    element("div", { class: "cp-view" }, view.node, verdict.node, form.python),
  ));
  const drawForm = () => form.draw();
  const drawStatus = () => parts.forEach((part) => part.onStatus?.());
  const drawCurves = () => view.onCurves();
  model.on("change:form", drawForm);
  model.on("change:status", drawStatus);
  model.on("change:current change:past", drawCurves);
  model.on("change:diagnosis", verdict.draw);
  drawForm();
  drawStatus();
  drawCurves();
  verdict.draw();
  const close = watched(model);
  return () => {
    model.off("change:form", drawForm);
    model.off("change:status", drawStatus);
    model.off("change:current change:past", drawCurves);
    model.off("change:diagnosis", verdict.draw);
    ask.end();
    close();
    commands.end();
  };
}

// Dit au noyau que l’on regarde, puis que la page s’en va, rechargée ou fermée : l’essai ne continue
// pas sans témoin. Rend de quoi dire que cette vue est fermée.
function watched(model) {
  if (model.offline) return () => {};
  const leave = () => told(model, { do: "leave" });
  told(model, { do: "open" });
  window.addEventListener("pagehide", leave);
  return () => {
    window.removeEventListener("pagehide", leave);
    told(model, { do: "close" });
  };
}

// Les réglages : préréglages et graine en tête, un curseur par champ dessous.
function settingsForm(model, ask) {
  const sliders = new Map();
  const presets = model.get("presets").map((name) =>
    button(name, () => ask({ do: "use", preset: name }), { "aria-pressed": "false" }));
  const onSeed = () => (seed.value === "" ? draw() : ask({ do: "seed", seed: Number(seed.value) }));
  const seed = element("input", {
    type: "number", min: 0, step: 1, value: 0, style: "width: 7em",
    change: onSeed,
    // Dans JupyterLab, Entrée n’est pas un changement.
    keydown: ({ key: pressed }) => pressed === "Enter" && onSeed(),
  });
  const line = element("code", { class: "cp-code" });
  const pending = element("p", { class: "cp-note" });
  const groups = model.get("fields").map(({ group, fields }, rank) => element(
    "details",
    { open: rank === 0 && window.innerWidth >= WIDE },
    element("summary", {}, group),
    ...fields.map((field) => {
      const onChange = (rank) => ask({ do: "set", field: field.name, rank });
      const one = slider(field, { onChange });
      sliders.set(field.name, one);
      return one.node;
    }),
  ));
  const header = element(
    "div",
    { class: "cp-row" },
    element("span", {}, "Partir de"),
    ...presets,
    element("label", {}, "graine", seed),
  );
  const node = element(
    "section",
    { "aria-label": "Réglages" },
    element("div", { class: "cp-sliders" }, ...groups),
  );
  const python = element(
    "section",
    { class: "cp-python", "aria-label": "Réglages, en Python" },
    element("p", { class: "cp-note" }, "La ligne de Python qui refait ces réglages\u00a0:"),
    line,
    pending,
  );
  function draw() {
    const { chosen, preset, seed: value, line: text } = model.get("form");
    for (const [name, one] of sliders) one.draw(chosen[name]);
    for (const item of presets) item.setAttribute("aria-pressed", item.textContent === preset);
    if (document.activeElement !== seed) seed.value = value;
    line.textContent = text;
  }
  function onStatus() {
    pending.textContent = model.get("status").pending
      ? "Ces réglages diffèrent de ceux de l’essai montré\u00a0: ils serviront au prochain départ." : "";
  }
  return { node, header, python, draw, onStatus };
}

// Les commandes, et où l'on en est.
function commandRow(model, ask) {
  // Le second clic d’un double clic tomberait sur « Pause », que le premier vient d’écrire.
  const once = (event) => event.detail < 2 && ask({ do: main.dataset.does });
  const main = button("Démarrer", once, { class: "cp-main" });
  const one = button("Un tour", () => ask({ do: "step" }), { title: "Fait un seul tour de boucle" });
  const stop = button("Arrêter", () => ask({ do: "stop" }));
  const clear = button("Effacer", () => ask({ do: "clear" }), { title: "Efface toutes les courbes" });
  const examine = button("Diagnostiquer", () => ask({ do: "diagnose" }),
    { title: "Dit ce que l’examen de cet essai fait soupçonner" });
  const pace = element("select", { change: () => ask({ do: "pace", pace: pace.value }) },
    ...model.get("paces").map((name) => element("option", { value: name }, name)));
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Avancement" });
  const words = element("span", { class: "cp-told" });
  const node = element(
    "div",
    {},
    element("div", { class: "cp-row" }, main, one, stop, clear,
      ...(model.get("examined") ? [examine] : []), element("label", {}, "cadence", pace)),
    element("div", { class: "cp-row" }, bar, words),
  );
  let heard = Date.now();
  const watch = setInterval(() => {
    if (model.get("status").phase === RUNNING && Date.now() - heard > SILENCE) {
      words.textContent = "Plus de nouvelles du noyau\u00a0: il a peut-être été redémarré.";
    }
  }, 1000);
  function onStatus() {
    heard = Date.now();
    const { phase, now, remaining, error } = model.get("status");
    const active = phase === RUNNING;
    main.dataset.does = active ? "pause" : "start";
    main.textContent = active ? "Pause" : phase === PAUSED ? "Reprendre" : "Démarrer";
    one.disabled = active;
    stop.disabled = !active && phase !== PAUSED;
    clear.disabled = !now;
    examine.disabled = !now;
    pace.value = model.get("form").pace;
    bar.value = now ? Math.min(now.env_steps / now.total, 1) : 0;
    words.textContent = error || progress(phase, now, remaining);
    words.classList.toggle("cp-alert", Boolean(error));
  }
  return { node, onStatus, end: () => clearInterval(watch) };
}

function progress(phase, now, remaining) {
  if (!now) return "Prêt.";
  const label = LABELS[phase];
  const parts = [
    label[0].toUpperCase() + label.slice(1),
    `${number(Math.min(now.env_steps, now.total))} pas sur ${number(now.total)}`,
    `${number(now.gradient_steps)} mises à jour`,
  ];
  if (remaining != null) parts.push(`encore ${duration(remaining)}`);
  return parts.join(" · ");
}

function duration(seconds) {
  if (seconds < 100) return `${number(Math.ceil(seconds))}\u00a0s`;
  return seconds < 6000 ? `${number(seconds / 60)}\u00a0min` : `${number(seconds / 3600, 1)}\u00a0h`;
}

// Le chariot, quatre mesures et leurs courbes.
function trainingView(model) {
  const cart = scene();
  const measures = new Map(
    [["greedy", "retour sans hasard"], ["loss", "perte"], ["epsilon", "ε"], ["q", "Q(s₀)"]]
      .map(([name, label]) => [name, { label, value: element("td", { class: "cp-number" }) }]),
  );
  const table = element("table", {}, ...[...measures.values()].map(({ label, value }) =>
    element("tr", {}, element("th", { scope: "row" }, label), value)));
  const charts = {
    greedy: chart({ title: "Retour", unit: "pas", xLabel: X_LABEL, low: 0, high: 520 }),
    loss: chart({ title: "Perte", unit: "échelle logarithmique", xLabel: X_LABEL, log: true }),
    epsilon: chart({ title: "ε", unit: "part de hasard", xLabel: X_LABEL, low: 0, high: 1.04 }),
    q: chart({ title: "Q(s₀)", unit: "tige droite, immobile", xLabel: X_LABEL }),
  };
  const keys = element("ul", { class: "cp-keys", "aria-label": "Essais montrés" });
  const node = element(
    "section",
    { "aria-label": "Entraînement" },
    element("div", { class: "cp-live" }, cart.node, table),
    element("div", { class: "cp-charts" }, ...Object.values(charts).map(({ node: one }) => one)),
    keys,
  );

  function onStatus() {
    const { now } = model.get("status");
    for (const [name, { value }] of measures) value.textContent = now ? reading(name, now) : "—";
    if (!now) return cart.draw([0, 0, 0, 0]);
    if (now.state) cart.draw(now.state, now.action, `premier chariot, action ${["gauche", "droite"][now.action]}`);
  }

  function reading(name, now) {
    if (name === "loss" || name === "q") {
      if (now.diverged) return "non fini";
    }
    return now[name] == null ? "—" : measure(now[name]);
  }

  function onCurves() {
    const current = model.get("current");
    const runs = [...model.get("past"), ...(current.curves ? [current] : [])].map((run, rank, all) => ({
      ...run, ...look(run.rank), latest: rank === all.length - 1,
    }));
    // Un essai arrêté ne compte que pour les pas qu’il a faits : VERSION_1 en promet deux millions.
    const open = [RUNNING, PAUSED].includes(model.get("status").phase);
    const total = Math.max(1, ...runs.map((run) => (run.latest && open ? run.total : run.reached)));
    for (const [name, one] of Object.entries(charts)) {
      const series = runs.map((run) => ({
        ...run.curves[name], colour: run.colour, dash: run.dash, width: run.latest ? 2.4 : 1.3,
        dots: name === "greedy" && run.latest,
      }));
      if (name === "greedy" && current.curves) {
        series.unshift({ ...current.curves.played, colour: "muted", width: 1 });
      }
      one.draw({ series, marks: marks(name, current), xRange: [0, total] });
    }
    keys.replaceChildren(
      ...runs.map(({ label, line, latest, ...look }) =>
        key({ ...look, title: line, width: latest ? 2.4 : 1.3 }, label)),
      ...(current.curves ? [key({ colour: "muted", width: 1 }, "retour en jouant, hasard compris")] : []),
    );
  }

  return { node, onStatus, onCurves };
}

// Le diagnostic de l’essai : ce que l’on soupçonne, puis la feuille où cela se lit.
function diagnosisView(model) {
  const node = element("section", { class: "cp-diagnosis", "aria-label": "Diagnostic", "aria-live": "polite" });

  function draw() {
    const { label, lines, image, alt } = model.get("diagnosis");
    node.hidden = !lines;
    if (!lines) return node.replaceChildren();
    const [title, ...others] = lines;
    node.replaceChildren(
      element("p", { class: "cp-small" }, label),
      element("p", {}, element("strong", {}, title)),
      ...others.map((line) =>
        element("p", { class: line.startsWith(" ") ? "cp-indented" : "" }, line.trim())),
      element("img", { alt, src: `data:image/png;base64,${image}` }),
    );
  }
  return { node, draw };
}

// Chaque essai garde sa couleur et ses tirets, quel que soit le nombre d'essais restés à l'écran.
function look(rank) {
  return { colour: COLOURS[rank % COLOURS.length], dash: DASHES[rank % DASHES.length] };
}

function marks(name, { gamma }) {
  if (name === "greedy") return [{ y: 475, text: "seuil : 475" }];
  if (name !== "q" || !(gamma < 1)) return [];
  return [{ y: 1 / (1 - gamma), text: `plafond 1/(1−γ) = ${measure(1 / (1 - gamma))}`, kept: true }];
}
