// Ce que partagent les pages : leurs éléments, l'échange avec le noyau.

const SVG = "http://www.w3.org/2000/svg";
const PATIENCE = 2500; // ms sans réponse après quoi l’on dit que le noyau se tait
const FOCUSABLE = new Set(["button", "input", "select", "summary"]);
export const COLOURS = ["blue", "vermilion", "green", "purple", "orange", "sky"];
export const DASHES = ["", "7 3", "2 2", "9 3 2 3", "12 3", "4 4"];

// Les enfants sont des nœuds ou des textes, jamais du HTML : un nom hostile reste un nom.
function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

export function element(tag, attributes = {}, ...children) {
  const node = filled(document.createElement(tag), attributes, children);
  // Sans cela, JupyterLab prendrait pour lui les touches de ce qui a le focus, flèches comprises.
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) node.dataset.lmSuppressShortcuts = "true";
  return node;
}

export function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

export function button(label, onClick, attributes = {}) {
  return element("button", { type: "button", click: onClick, ...attributes }, label);
}

// Un curseur sur des choix déjà écrits : `onInput(rang)` le suit, `onChange(rang)` attend qu’on le
// lâche ; `draw({ rank, text })` le met où il doit être.
export function slider({ name, label, help, choices }, { onInput = () => {}, onChange = () => {} }) {
  const last = choices.length - 1;
  const value = element("output", { class: "cp-chosen" });
  const show = (text) => {
    value.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  const input = element("input", {
    type: "range", min: 0, max: last, step: 1, name, "aria-label": `${label} (${name})`,
    input: () => {
      show(choices[input.value]);
      onInput(Number(input.value));
    },
    change: () => onChange(Number(input.value)),
  });
  const node = element(
    "div",
    { class: "cp-slider" },
    element("div", { class: "cp-name" }, element("span", {}, label), element("code", {}, name), value),
    element("div", { class: "cp-range" },
      element("span", { class: "cp-small" }, choices[0]),
      input,
      element("span", { class: "cp-small" }, choices[last])),
    element("div", { class: "cp-small" }, help),
  );
  function draw({ rank, text = choices[rank] }) {
    input.value = rank;
    show(text);
  }
  return { node, draw };
}

// Une ligne de légende : un bout du trait, puis ce qu’il est.
export function key({ colour, dash = "", width, title }, label) {
  const line = shape("line", {
    x1: 0, x2: 34, y1: 5, y2: 5, class: `cp-stroke-${colour}`, "stroke-dasharray": dash, "stroke-width": width,
  });
  return element("li", { title }, shape("svg", { width: 34, height: 10, "aria-hidden": "true" }, line), label);
}

// Un trait d'octets devient un tableau de nombres ; il peut ne pas commencer sur un multiple de 4.
export function numbers(view, Kind = Float32Array) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  return new Kind(bytes.buffer);
}

// Rend `ask(content, buffers)`, qui parle au noyau ; `say(text)` montre au lecteur ce qui cloche,
// et `onRefusal()` remet la page dans l'état que le noyau connaît. `ask.end()` cesse d'écouter.
export function kernel(model, say, onRefusal = () => {}) {
  const waiting = new Map();
  const hear = (reply) => {
    if (!waiting.has(reply.answer)) return;
    clearTimeout(waiting.get(reply.answer));
    waiting.delete(reply.answer);
    say(reply.error ?? "");
    if (reply.error) onRefusal();
  };
  model.on("msg:custom", hear);
  const ask = (content, buffers = []) => {
    if (model.offline) {
      say("Il n’y a pas de noyau derrière cette page\u00a0: ouvrez le carnet et exécutez la cellule.");
      return;
    }
    const id = Math.random().toString(36).slice(2);
    const late = () => say("Le noyau ne répond pas\u00a0: il calcule, ou il a été redémarré. "
      + "S’il a redémarré, exécutez de nouveau la cellule.");
    waiting.set(id, setTimeout(late, PATIENCE));
    if (!told(model, { ...content, id }, buffers)) late();
  };
  ask.end = () => model.off("msg:custom", hear);
  return ask;
}

// Dit `content` au noyau ; rend faux si son fil est coupé, ce que JupyterLab signale par une erreur.
export function told(model, content, buffers = []) {
  try {
    model.send(content, undefined, buffers);
    return true;
  } catch {
    return false;
  }
}

// Rend la page vivante là où il n'y a pas de noyau, à partir de l'état gardé dans le carnet.
export function mount(place, render, state) {
  const revive = (value) => (value?.base64 === undefined ? value : decoded(value.base64));
  for (const el of document.querySelectorAll(`[data-page="${place}"]:not([data-alive])`)) {
    const values = Object.fromEntries(Object.entries(state).map(([k, v]) => [k, revive(v)]));
    const model = { offline: true, get: (name) => values[name], on() {}, off() {}, send() {} };
    el.dataset.alive = "";
    el.replaceChildren();
    render({ model, el });
  }
}

function decoded(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new DataView(bytes.buffer);
}
