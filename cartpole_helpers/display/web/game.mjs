// Le jeu : pousser soi-même le chariot, puis laisser jouer une politique, et la bousculer.

import { button, element, kernel, numbers } from "./page.mjs";
import { number } from "./numbers.mjs";
import { FINISHED, PAUSED, READY, RUNNING } from "./phases.mjs";
import { advance, EPISODE_LIMIT, FORCE, hasFallen, start, TIME_STEP, X_LIMIT } from "./physics.mjs";
import { policy } from "./policies.mjs";
import { scene } from "./scene.mjs";

export const KNOCK = 40; // N, ajoutés pendant un pas à la poussée de 10 N
const LONGEST_FRAME = 0.1; // s : au-delà (onglet caché), le temps perdu n'est pas rattrapé
const REST = 1; // s entre la chute d'une politique et son départ suivant
const KNOCK_SHOWN = 12; // pas pendant lesquels une bousculade se lit sous le chariot
const SLOW = 0.3; // vitesse de départ : en temps réel, le jeu est presque injouable

// La partie, sans rien de ce qui la montre. `policy` vaut null quand le lecteur joue ;
// `onEnd(result)` reçoit chaque épisode qu'il a joué, seul, jusqu'au bout.
export class Play {
  constructor(onEnd = () => {}, random = Math.random) {
    this.onEnd = onEnd;
    this.random = random;
    this.policy = null;
    this.speed = SLOW;
    this.restart();
  }

  // Un nouvel épisode : une politique part aussitôt, le lecteur à sa première poussée.
  restart() {
    this.state = start(this.random);
    this.states = [...this.state];
    this.actions = [];
    this.steps = 0;
    this.action = null;
    this.knock = 0;
    this.knocked = null; // { step, force }
    this.late = 0; // s de CartPole déjà écoulées depuis le dernier pas
    this.resting = 0;
    this.slowest = Infinity;
    this.fastest = 0;
    this.stopped = false; // l'épisode a connu une pause
    this.phase = this.policy ? RUNNING : READY;
  }

  // Le lecteur pousse (1 : à droite), ou bouscule la politique qui joue.
  push(side) {
    if (this.phase === FINISHED) return;
    if (this.policy) {
      this.knock = side === 1 ? KNOCK : -KNOCK;
      return;
    }
    this.action = side;
    this.phase = RUNNING;
  }

  pause() {
    if (this.phase === RUNNING) {
      this.stopped = true;
      this.phase = PAUSED;
    } else if (this.phase === PAUSED) this.phase = RUNNING;
  }

  // Confie le chariot à `policy` dans l'état où il est ; null le rend au lecteur, dans un nouvel
  // épisode.
  handOver(policy) {
    this.policy = policy;
    if (!policy || this.phase === FINISHED) {
      this.restart();
      return;
    }
    this.steps = 0;
    this.knocked = null;
    this.phase = RUNNING;
  }

  get moving() {
    return this.phase === RUNNING || (this.phase === FINISHED && this.policy !== null);
  }

  // Laisse passer `seconds` de la montre du lecteur.
  frame(seconds) {
    const elapsed = Math.min(seconds, LONGEST_FRAME);
    if (this.phase === FINISHED && this.policy) this.rest(elapsed);
    if (this.phase !== RUNNING) return;
    this.late += elapsed * this.speed;
    while (this.late >= TIME_STEP && this.phase === RUNNING) {
      this.late -= TIME_STEP;
      this.step();
    }
  }

  rest(elapsed) {
    this.resting += elapsed;
    if (this.resting >= REST) this.restart();
  }

  step() {
    if (this.policy) this.action = this.policy(this.state);
    this.state = advance(this.state, (this.action === 1 ? FORCE : -FORCE) + this.knock);
    if (this.knock) this.knocked = { step: this.steps, force: this.knock };
    this.knock = 0;
    this.steps += 1;
    if (!this.policy) this.record();
    if (hasFallen(this.state) || (!this.policy && this.steps === EPISODE_LIMIT)) this.end();
  }

  record() {
    this.states.push(...this.state);
    this.actions.push(this.action);
    this.slowest = Math.min(this.slowest, this.speed);
    this.fastest = Math.max(this.fastest, this.speed);
  }

  end() {
    this.phase = FINISHED;
    this.late = 0;
    if (this.policy) return;
    const { steps, slowest, fastest, stopped } = this;
    const buffers = [new Float64Array(this.states).buffer, new Uint8Array(this.actions).buffer];
    this.onEnd({ steps, slowest, fastest, stopped, buffers });
  }

  // L'état entre deux pas : x et θ vont tout droit vers leur valeur suivante, qui, avec Euler
  // explicite, ne dépend pas de l'action.
  get between() {
    const [x, xDot, theta, thetaDot] = this.state;
    return [x + this.late * xDot, xDot, theta + this.late * thetaDot, thetaDot];
  }
}

// Les phrases

function ending(play) {
  const when = `après ${inSteps(play.steps)}`;
  if (Math.abs(play.state[0]) > X_LIMIT) return `Sortie du rail ${when}.`;
  if (hasFallen(play.state)) return `Chute de la tige ${when}.`;
  return `Interrompu à ${inSteps(play.steps)}, la tige tient encore.`;
}

export function sentence(play, name) {
  const said = play.policy ? policySentence(play, name) : readerSentence(play);
  return play.phase === PAUSED ? "En pause\u00a0: Espace pour reprendre." : said;
}

function readerSentence(play) {
  if (play.phase === READY) return "Poussez d’un côté ou de l’autre pour commencer.";
  if (play.phase === FINISHED) return `${ending(play)} Entrée pour recommencer.`;
  return "À vous\u00a0! Une poussée dure jusqu’à ce que vous choisissiez l’autre.";
}

function policySentence(play, name) {
  if (play.phase === FINISHED) return `${ending(play)} «\u00a0${name}\u00a0» recommence.`;
  return `«\u00a0${name}\u00a0» joue. Bousculez le chariot\u00a0: `
    + `${KNOCK}\u00a0N pendant un pas, à gauche ou à droite.`;
}

export function caption(play) {
  if (play.phase === READY) return "";
  const seconds = number(play.steps * TIME_STEP, 2);
  const count = `pas\u00a0${number(play.steps)} (${seconds}\u00a0s)`;
  if (play.knocked && play.steps - play.knocked.step < KNOCK_SHOWN) {
    const [before, after] = play.knocked.force > 0 ? ["", "\u00a0→"] : ["←\u00a0", ""];
    return `${count} · ${before}bousculade${after}`;
  }
  return play.steps > EPISODE_LIMIT ? `${count}, au-delà des ${EPISODE_LIMIT} d’un épisode` : count;
}

function inSteps(count) {
  return `${number(count)}\u00a0pas`;
}

// Comment le lecteur a joué ces essais : la vitesse compte autant que le score.
export function manner(results) {
  const low = Math.min(...results.map((result) => result.slowest));
  const high = Math.max(...results.map((result) => result.fastest));
  const range = low === high ? times(low) : `de ${times(low)} à ${times(high)}`;
  const pace = low === 1 ? "en temps réel" : `au ralenti ${range}`;
  return results.some((result) => result.stopped) ? `${pace}, avec pause` : pace;
}

function times(speed) {
  return `×${number(speed, speed === 1 ? 0 : 1)}`;
}

export function mean(results) {
  return results.reduce((sum, result) => sum + result.steps, 0) / results.length;
}

export function best(results) {
  return results.reduce((a, b) => (b.steps > a.steps ? b : a));
}

// La page

export function render({ model, el }) {
  el.classList.add("cp");
  const results = [];
  const [rules, weights] = [model.get("policies"), numbers(model.get("weights"))];
  const alert = element("p", { class: "cp-alert", role: "alert" });
  const ask = kernel(model, (text) => { alert.textContent = text; });
  const play = new Play((result) => {
    results.push(result);
    table.show(results);
    if (!model.offline) ask({ kind: "episode" }, result.buffers);
  });
  const picture = scene();
  const status = element("p", { class: "cp-note", role: "status" });
  const controls = commands(play, wake);
  const pilot = pilots(play, rules, weights, wake);
  const table = scores(rules, model.get("trials"));
  const parcel = post(model);

  let frame = 0;
  let before = null;

  function show() {
    picture.draw(play.between, play.action, caption(play));
    write(status, sentence(play, pilot.name));
    controls.show();
    pilot.show();
  }

  function tick(time) {
    play.frame((time - (before ?? time)) / 1000);
    show();
    before = play.moving ? time : null;
    frame = play.moving ? requestAnimationFrame(tick) : 0;
  }

  function wake() {
    show();
    frame ||= requestAnimationFrame(tick);
  }

  const board = stage(picture.node);
  const left = element("div", {}, board, controls.node, status);
  const right = element("div", {}, pilot.node, table.node, parcel.node);
  el.append(element("div", {
    class: "cp-game", "data-lm-suppress-shortcuts": "true",
    keydown: keys(play, wake), click: backTo(board),
  }, left, right), alert);
  table.show(results);
  show();
  return () => {
    cancelAnimationFrame(frame);
    parcel.stop();
    ask.end();
  };
}

function stage(drawing) {
  return element("div", {
    class: "cp-stage", tabindex: 0, role: "application",
    "aria-label": "Jeu du chariot. Flèches gauche et droite\u00a0: pousser. Espace\u00a0: pause. "
      + "Entrée\u00a0: recommencer.",
  }, drawing, element("p", { class: "cp-hint" }, "Cliquez ici pour jouer au clavier"));
}

// Après un bouton cliqué à la souris, les touches reviennent au jeu : Espace n'y recliquerait pas.
function backTo(board) {
  return (event) => {
    if (event.detail > 0 && event.target.closest("button")) board.focus({ preventScroll: true });
  };
}

// Les touches valent partout dans le jeu, sauf là où elles servent déjà.
function keys(play, wake) {
  const actions = {
    ArrowLeft: () => play.push(0),
    ArrowRight: () => play.push(1),
    " ": () => play.pause(),
    Enter: () => play.restart(),
    r: () => play.restart(),
  };
  return (event) => {
    const { key, target } = event;
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    const taken = [" ", "Enter"].includes(key) ? "select, input, button" : "select, input";
    const modified = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    if (!action || modified || target.closest(taken)) return;
    event.preventDefault();
    if (event.repeat) return;
    action();
    wake();
  };
}

function commands(play, wake) {
  const then = (action) => () => {
    action();
    wake();
  };
  const sides = [0, 1].map((side) => pushButton(then(() => play.push(side))));
  const pause = button("Pause", then(() => play.pause()));
  const restart = button("Recommencer", then(() => play.restart()));
  const pace = speed(play);
  function show() {
    const word = play.policy ? "Bousculer" : "Pousser";
    write(sides[0], `← ${word} à gauche`);
    write(sides[1], `${word} à droite →`);
    sides.forEach((node, side) =>
      node.setAttribute("aria-pressed", !play.policy && play.action === side));
    write(pause, play.phase === PAUSED ? "Reprendre" : "Pause");
    pause.disabled = ![RUNNING, PAUSED].includes(play.phase);
  }
  const node = element("div", {},
    element("div", { class: "cp-row cp-pushes" }, ...sides),
    element("div", { class: "cp-row" }, pause, restart, pace));
  return { node, show };
}

// Le doigt ou la souris poussent dès qu'ils touchent ; le clavier, lui, ne fait qu'un clic.
function pushButton(push) {
  return button("", (event) => event.detail === 0 && push(), {
    pointerdown: (event) => event.button === 0 && push(),
  });
}

function speed(play) {
  const value = element("output", {}, times(SLOW));
  const slider = element("input", {
    type: "range", min: 0.1, max: 1, step: 0.1, value: SLOW, "aria-valuetext": times(SLOW),
    input: () => {
      play.speed = Number(slider.value);
      write(value, times(play.speed));
      slider.setAttribute("aria-valuetext", times(play.speed));
    },
  });
  return element("label", { class: "cp-speed" }, "Vitesse", slider, value);
}

function pilots(play, rules, weights, wake) {
  const options = rules.map(({ name }, i) => element("option", { value: i }, name));
  const chosen = () => rules[select.selectedIndex];
  const take = () => play.handOver(policy(chosen(), weights));
  const select = element("select", { change: () => play.policy && (take(), wake()) }, ...options);
  const hand = button("Laisser jouer", () => {
    if (play.policy) play.handOver(null);
    else take();
    wake();
  });
  select.selectedIndex = rules.length - 1;
  return {
    node: element("div", { class: "cp-row cp-pilots" },
      element("label", {}, "Politique", select), hand),
    get name() { return chosen().name; },
    show() {
      write(hand, play.policy ? "Reprendre la main" : "Laisser jouer");
      hand.classList.toggle("cp-main", play.policy !== null);
    },
  };
}

// Le tableau des retours, celui du lecteur à sa place parmi les autres.
function scores(rules, trials) {
  const body = element("tbody");
  const told = element("p", { class: "cp-note" });
  const heading = (text) => element("th", { scope: "col" }, text);
  const node = element("table", { class: "cp-scores" },
    element("caption", {},
      `Retour moyen de ${trials} épisodes (${inSteps(EPISODE_LIMIT)} au plus)`),
    element("thead", {}, element("tr", {}, heading("Qui joue"), heading("Retour"),
      element("td", { "aria-hidden": "true" }))),
    body);
  function show(results) {
    const rows = [...rules.map(({ name, mean }) => [name, mean, ""]), ...readerRows(results)];
    body.replaceChildren(...rows.sort((a, b) => b[1] - a[1]).map((row) => scoreRow(...row)));
    write(told, summary(results));
  }
  return { node: element("div", {}, node, told), show };
}

function readerRows(results) {
  if (!results.length) return [];
  const top = best(results);
  return [
    ["Vous, en moyenne", mean(results), "cp-you"],
    ["Vous, au mieux", top.steps, "cp-you"],
  ];
}

function scoreRow(name, value, kind) {
  const width = (100 * value) / EPISODE_LIMIT;
  return element("tr", { class: kind },
    element("th", { scope: "row" }, name),
    element("td", { class: "cp-number" }, number(value, 1)),
    element("td", { class: "cp-bar", "aria-hidden": "true" },
      element("div", { style: `width: ${width.toFixed(1)}%` })));
}

function summary(results) {
  if (!results.length) return "Menez un épisode à son terme\u00a0: vous entrerez dans le tableau.";
  const top = best(results);
  const tries = results.length === 1 ? "1 essai" : `${number(results.length)} essais`;
  return `Vous\u00a0: ${tries}, ${manner(results)}. `
    + `Dernier\u00a0: ${inSteps(results.at(-1).steps)}\u00a0; `
    + `meilleur\u00a0: ${inSteps(top.steps)}, ${manner([top])}.`;
}

// Où vont les épisodes du lecteur.
function post(model) {
  const node = element("p", { class: "cp-small" });
  const show = () => write(node, model.offline
    ? "Cette page n’est reliée à aucun noyau\u00a0: vos épisodes ne la quittent pas."
    : "Épisodes finis reçus par Python, dans l’attribut «\u00a0episodes\u00a0»\u00a0: "
      + `${model.get("received")}.`);
  model.on("change:received", show);
  show();
  return { node, stop: () => model.off("change:received", show) };
}

// Un texte inchangé n'est pas récrit : un lecteur d'écran l'annoncerait de nouveau.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
