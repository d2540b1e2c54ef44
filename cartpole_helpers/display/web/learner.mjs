// Apprendre dans la page : des réglages, un DQN qui s’entraîne, sa courbe, son jeu, son diagnostic.

import { COLOURS, DASHES, button, element, key, numbers, slider } from "./page.mjs";
import { number } from "./numbers.mjs";
import { EPISODE_LIMIT, FORCE, TIME_STEP, advance, hasFallen, start } from "./physics.mjs";
import { actionValues } from "./policies.mjs";
import { scene } from "./scene.mjs";
import { chart } from "./chart.mjs";
import { diagnose } from "./checkup.mjs";
import { trainer } from "./trainer.mjs";

const SOLVED = 475;
const FORGOTTEN = 200; // après une réussite, un retour plus bas est un effondrement, comme au carnet 10
const HIGH = 520; // le haut de la courbe, un peu au-dessus des 500 pas d’un épisode
const KEPT = 5; // essais passés qui restent à l’écran
const REST = 0.7; // s pendant lesquelles on voit la chute, ou la fin, d’un épisode

export function render({ model, el }) {
  const runs = [];
  let active = null;
  const clinic = model.get("clinic");
  const settings = settingsForm(model);
  const engine = engineOf(model.get("worker"), hear);
  const stage = stageView(model.get("config"));
  const curves = curvesView(model.get("config").total_steps);
  const verdict = verdictView(clinic);

  const note = element("p", { class: "cp-note", role: "status", "aria-live": "polite" });
  const words = element("span", { class: "cp-told" }, "Prêt.");
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Avancement" });
  const main = button("Entraîner", (event) => event.detail < 2 && toggle(), { class: "cp-main" });
  const clear = button("Effacer les essais", wipe, { disabled: true });

  function toggle() {
    if (active) return engine.stop();
    const { config, seed, forget } = settings.chosen();
    active = {
      config, seed, forget, points: [], rows: [], rank: runs.length ? runs.at(-1).rank + 1 : 0,
      label: settings.label(),
    };
    runs.push(active);
    runs.splice(0, runs.length - KEPT - 1);
    engine.start({
      config,
      seed,
      forgetSince: forget ? model.get("forget").since : null,
      probes: { safe: states(model.get("safe")), doomed: states(model.get("doomed")) },
      ...model.get("pace"),
    });
    stage.follow(config);
    note.textContent = engine.apart() ? ""
      : "Ce navigateur refuse un fil de calcul à part\u00a0: la page calcule elle-même, par petites tranches.";
    draw();
  }

  function hear(news) {
    if (!active) return;
    if (news.error) {
      active.error = true;
      words.textContent = news.error;
    } else {
      active.points.push(...news.points);
      active.rows.push(...news.rows);
      active.news = news;
      stage.learned(news.weights, news.envSteps, news.done);
      solvedYet(active);
    }
    const ended = news.done ? active : null;
    if (news.done) active = null;
    if (ended || news.points?.length) curves.draw(runs, model.get("forget").since);
    drawStatus();
    if (ended && !news.error) note.textContent = conclusion(ended);
  }

  function solvedYet(run) {
    const first = run.points.find(({ y }) => y >= SOLVED);
    if (!first || run.solved) return;
    run.solved = { steps: first.x, seconds: run.news.seconds };
    note.textContent = reached(run.solved);
  }

  function wipe() {
    runs.splice(0, runs.length, ...(active ? [active] : []));
    draw();
  }

  function draw() {
    curves.draw(runs, model.get("forget").since);
    drawStatus();
  }

  function drawStatus() {
    const last = runs.at(-1);
    main.textContent = active ? "Arrêter" : "Entraîner";
    clear.disabled = runs.length < (active ? 2 : 1);
    bar.value = last?.news ? last.news.envSteps / last.config.total_steps : 0;
    if (!last?.error) words.textContent = last?.news ? progress(last) : "Prêt.";
    verdict.draw(last);
  }

  el.classList.add("cp", "cp-learner");
  el.replaceChildren(element(
    "div",
    { class: "cp-learn", role: "group", "aria-label": "Un DQN qui apprend dans la page" },
    element("div", { class: "cp-head" },
      element("div", { class: "cp-row" }, main, ...settings.seeds, clear),
      element("div", { class: "cp-row" }, bar, words),
      settings.forget,
      note),
    settings.node,
    element("div", { class: "cp-view" }, stage.node, curves.node, verdict.node),
  ));
  draw();
  return () => {
    engine.end();
    stage.end();
  };
}

function states(bytes) {
  const flat = numbers(bytes);
  return Array.from({ length: flat.length / 4 }, (_, i) => [...flat.subarray(4 * i, 4 * i + 4)]);
}

// Le calcul : un fil à part, fait du texte `source`, ou, s’il est refusé, des tranches dans la page.
function engineOf(source, hear) {
  let [thread, address] = [null, null];
  const here = trainer(hear);

  function started() {
    if (thread || address) return thread;
    try {
      address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      thread = new Worker(address);
      thread.onmessage = ({ data }) => hear(data);
    } catch {
      thread = null;
    }
    return thread;
  }

  function tell(order) {
    if (started()) thread.postMessage(order);
    else here[order.do](order);
  }

  // Un fil refusé après coup, par une règle de sécurité, le dit par une erreur : on reprend ici.
  function startHere(order) {
    thread = null;
    here.start(order);
  }

  return {
    apart: () => thread !== null,
    start(order) {
      tell({ do: "start", ...order });
      if (thread) thread.onerror = () => startHere(order);
    },
    stop: () => tell({ do: "stop" }),
    end() {
      here.stop();
      thread?.terminate();
      if (address) URL.revokeObjectURL(address);
    },
  };
}

// Les réglages : la graine, l’oubli, un curseur par champ.
function settingsForm(model) {
  const [base, forgetting] = [model.get("config"), model.get("forget")];
  const fields = model.get("fields");
  const values = Object.fromEntries(fields.map(({ name }) => [name, base[name]]));
  const seed = element("input", { type: "number", min: 0, max: 999999, step: 1, value: 0 });
  const other = button("Autre graine", () => { seed.value = wholeSeed() + 1; });
  const box = element("input", { type: "checkbox", change: onForget });
  const sliders = fields.map((field) => {
    const one = slider(field, { onInput: (rank) => { values[field.name] = field.values[rank]; } });
    one.draw({ rank: field.start });
    return { ...one, reset: () => one.draw({ rank: field.start }) };
  });
  const reset = button("Revenir à la recette", () => {
    for (const { name } of fields) values[name] = base[name];
    for (const one of sliders) one.reset();
  });
  const node = element(
    "section",
    { class: "cp-settings", "aria-label": "Réglages" },
    element("details", { open: window.innerWidth >= 900 },
      element("summary", {}, "Réglages du prochain essai"),
      ...sliders.map((one) => one.node),
      element("div", { class: "cp-row" }, reset)),
  );
  const lesson = element("details", {}, element("summary", {}, "Que se passe-t-il alors\u202f?"),
    element("p", {}, forgetting.told));
  const forget = element("div", { class: "cp-forget" },
    element("label", {}, box, element("strong", {}, "Provoquer l’oubli")),
    lesson);

  // Les curseurs que l’oubli remplace ne répondent plus.
  function onForget() {
    lesson.open = box.checked;
    fields.forEach(({ name }, i) => {
      sliders[i].node.querySelector("input").disabled = box.checked && name in forgetting.changes;
    });
  }

  function wholeSeed() {
    return Math.min(Math.max(Math.round(Number(seed.value)) || 0, 0), 999999);
  }

  function chosen() {
    seed.value = wholeSeed();
    const config = { ...base, ...values, ...(box.checked ? forgetting.changes : {}) };
    config.learning_rate_floor = Math.min(config.learning_rate_floor, config.learning_rate);
    config.warmup = Math.max(Math.min(config.warmup, config.capacity), config.batch_size);
    return { config, seed: wholeSeed(), forget: box.checked };
  }

  function label() {
    const changed = fields
      .filter(({ name }) => values[name] !== base[name] && !(box.checked && name in forgetting.changes))
      .map(({ name, choices, values: all }) => `${name} = ${choices[all.indexOf(values[name])]}`);
    return [`graine ${wholeSeed()}`, ...(box.checked ? ["oubli provoqué"] : []), ...changed].join(", ");
  }

  return { node, forget, seeds: [element("label", {}, "graine", seed), other], chosen, label };
}

// Le chariot, que conduit l’agent tel qu’il est : chaque épisode commence avec ses derniers poids.
function stageView(base) {
  const cart = scene();
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const caption = element("p", { class: "cp-note" }, "Tant que l’agent n’a rien appris, personne ne conduit.");
  const toggle = button(still ? "Montrer l’agent" : "Figer l’agent", () => {
    moving = !moving;
    toggle.textContent = moving ? "Figer l’agent" : "Montrer l’agent";
  });
  let [moving, latest, episode, config, before] = [!still, null, null, base, null];
  let frame = requestAnimationFrame(animate);

  function animate(now) {
    const elapsed = Math.min((now - (before ?? now)) / 1000, 0.1);
    before = now;
    frame = requestAnimationFrame(animate);
    if (!moving || !latest || document.hidden) return;
    episode ??= begun();
    episode.clock += elapsed;
    for (; episode && episode.clock >= TIME_STEP; episode.clock -= TIME_STEP) {
      if (!play()) break;
    }
  }

  function begun() {
    const widths = [4, ...config.hidden, 2];
    const rule = {
      first: 0, layers: config.hidden.concat(2).map((to, i) => [widths[i], to]),
      activation: "silu", scale: config.input_scale, mirror: false,
    };
    return {
      q: actionValues(rule, latest.weights), age: latest.envSteps, state: start(), steps: 0, clock: 0,
    };
  }

  // Un pas ; rend faux si l’épisode est fini : on le regarde encore un instant.
  function play() {
    if (episode.over) {
      if (episode.clock > REST) episode = null;
      return false;
    }
    const [left, right] = episode.q(episode.state);
    const action = right > left ? 1 : 0;
    episode.state = advance(episode.state, action ? FORCE : -FORCE);
    episode.steps += 1;
    episode.over = hasFallen(episode.state) || episode.steps >= EPISODE_LIMIT;
    cart.draw(episode.state, episode.over ? null : action, outcome(episode));
    caption.textContent = `L’agent du pas ${number(episode.age)} joue, sans hasard\u00a0: `
      + `${number(episode.steps)}\u00a0pas tenus.`;
    return true;
  }

  return {
    node: element("section", { class: "cp-live", "aria-label": "L’agent joue" }, cart.node,
      element("div", { class: "cp-beside" }, caption, toggle)),
    follow(chosen) {
      [config, latest, episode] = [chosen, null, null];
      caption.textContent = "Tant que l’agent n’a rien appris, personne ne conduit.";
    },
    // À la fin, le chariot cède aussitôt la place au dernier agent : le verdict parle de lui.
    learned(weights, envSteps, done) {
      latest = { weights, envSteps };
      if (done) episode = null;
    },
    end: () => cancelAnimationFrame(frame),
  };
}

function outcome({ over, steps, state }) {
  if (!over) return "";
  return hasFallen(state) ? `chute après ${number(steps)} pas` : "500 pas\u00a0: la limite";
}

// La courbe du dernier essai, en gras, sur celles des précédents.
function curvesView(total) {
  const plot = chart({
    title: "Retour moyen sans hasard", unit: "pas, sur 20 départs", xLabel: "pas de jeu", low: 0, high: HIGH,
    height: 230,
  });
  const keys = element("ul", { class: "cp-keys", "aria-label": "Essais montrés" });

  function draw(runs, since) {
    const shown = runs.map((run, i) => ({ ...run, ...look(run.rank, i === runs.length - 1) }));
    const series = shown.map(({ points, colour, dash, width, latest }) => ({
      x: points.map(({ x }) => x), y: points.map(({ y }) => y), colour, dash, width, dots: latest,
    }));
    const cut = runs.at(-1)?.forget;
    if (cut) series.unshift({ x: [since, since], y: [0, HIGH], colour: "muted", dash: "2 3", width: 1.2 });
    plot.draw({ series, marks: [{ y: SOLVED, text: "seuil\u00a0: 475" }], xRange: [0, total] });
    keys.replaceChildren(
      ...shown.map(({ label, ...style }) => key(style, label)),
      ...(cut ? [key({ colour: "muted", dash: "2 3", width: 1.2 }, "à partir d’ici, les chutes n’entrent plus en mémoire")] : []),
    );
  }

  return { node: element("section", { "aria-label": "Courbe d’apprentissage" }, plot.node, keys), draw };
}

function look(rank, latest) {
  return {
    colour: COLOURS[rank % COLOURS.length], dash: latest ? "" : DASHES[1 + (rank % (DASHES.length - 1))],
    width: latest ? 2.6 : 1.3, latest,
  };
}

// Le diagnostic du dernier essai, d’après les seuls relevés : sans lire ses réglages, hormis ε.
function verdictView(clinic) {
  const node = element("section", { class: "cp-diagnosis", "aria-label": "Diagnostic" });
  let shown = null;

  function draw(run) {
    const said = run ? spoken(clinic, run) : null;
    if (JSON.stringify(said) === shown) return;
    shown = JSON.stringify(said);
    node.hidden = !said;
    if (said) node.replaceChildren(...said.map(({ tag, css, text }) => element(tag, { class: css }, text)), scope);
  }

  const scope = element("details", { class: "cp-small" },
    element("summary", {}, "Ce que la page sait juger"), element("p", {}, clinic.scope));
  return { node, draw };
}

function spoken(clinic, run) {
  const found = diagnose(clinic, run.rows);
  const title = (text) => ({ tag: "h4", css: "cp-verdict", text: `Diagnostic\u00a0: ${text}` });
  if (!found) return [title("pas encore assez de mesures")];
  if (!found.length) {
    const best = Math.max(...run.points.map(({ y }) => y));
    const doubt = best < SOLVED ? "Le seuil n’est pourtant pas atteint\u00a0: laissez-lui le temps, ou cherchez un mal plus discret." : "";
    return [title(clinic.healthy), ...(doubt ? [{ tag: "p", css: "", text: doubt }] : [])];
  }
  const [first, ...others] = found;
  return [
    title(first.title),
    { tag: "p", css: "", text: first.evidence },
    { tag: "p", css: "", text: `Prochain examen\u00a0: ${first.test}` },
    { tag: "p", css: "", text: `Remède\u00a0: ${first.cure}` },
    ...(others.length ? [{ tag: "p", css: "cp-small",
      text: `Aussi possible\u00a0: ${others.map((one) => one.title).join(", ")}.` }] : []),
  ];
}

// Les phrases

function progress({ news, config }) {
  return [
    `${number(Math.min(news.envSteps, config.total_steps))}\u00a0pas sur ${number(config.total_steps)}`,
    `${number(news.gradientSteps)} mises à jour`,
    `ε\u00a0=\u00a0${number(news.epsilon, 2)}`,
    `${number(news.seconds, 1)}\u00a0s de calcul`,
  ].join(" · ");
}

function reached({ steps, seconds }) {
  return `Seuil de 475 atteint au pas ${number(steps)}, après ${number(seconds, 1)}\u00a0s de calcul.`;
}

function conclusion({ solved, points }) {
  const last = points.at(-1)?.y;
  if (last === undefined) return "Arrêté avant la première évaluation.";
  if (!solved) return `Le seuil de 475 n’est pas atteint\u00a0: ${number(last)} à la dernière évaluation.`;
  if (last < FORGOTTEN) return `${reached(solved)} Puis l’agent a oublié\u00a0: ${number(last)} à la dernière évaluation.`;
  return `${reached(solved)} Dernière évaluation\u00a0: ${number(last)}.`;
}
