// Répond à une question posée en JSON sur l'entrée, avec le DQN même de la page.

import { readFileSync } from "node:fs";
import { degrees, diagnose, examiner } from "../../cartpole_helpers/display/web/checkup.mjs";
import * as dqn from "../../cartpole_helpers/display/web/dqn.mjs";
import { trainer } from "../../cartpole_helpers/display/web/trainer.mjs";

const columns = (table) =>
  Object.fromEntries(Object.entries(table).map(([name, values]) => [name, Float64Array.from(values.flat())]));

// Des mises à jour sur des lots donnés, depuis des poids donnés : tout ce qu'elles calculent.
function updates({ config, weights, batches }) {
  const trained = dqn.training(config, 0);
  for (const [name, values] of Object.entries(weights)) trained[name].weights.set(values);
  return batches.map((batch) => {
    const states = columns(batch).observation.map((value, i) => value * config.input_scale[i % 4]);
    const q = trained.online.forward(states, config.batch_size).slice(0, 2 * config.batch_size);
    const loss = trained.learn(columns(batch));
    trained.synchronise();
    const nets = ["online", "target", "average"].map((name) => [name, trained[name].weights.slice()]);
    return {
      q, loss, goal: trained.goal.slice(), gradient: trained.online.gradient.slice(),
      ...Object.fromEntries(nets),
    };
  });
}

// Ce qui sort d'une fenêtre de `length` pas où l'on pousse `steps`, tour après tour.
function folded({ length, gamma, steps }) {
  const window = dqn.stepWindow(length, gamma, steps[0].action.length);
  return steps.map(({ truncated, ...lived }) => {
    const out = window.push(columns(lived), truncated);
    return out && Object.fromEntries(Object.entries(out).map(([name, values]) => [name, values.slice()]));
  });
}

// Un anneau où l'on ajoute des transitions une à une, puis les places que l'on y tire.
function ring({ capacity, transitions, draws }) {
  const memory = dqn.replay(capacity);
  const given = columns(transitions);
  for (let i = 0; i < given.action.length; i += 1) memory.add(given, i);
  const batch = columns(Object.fromEntries(Object.keys(transitions).map((name) =>
    [name, new Array(draws.length * (name.endsWith("bservation") ? 4 : 1)).fill(0)])));
  const next = draws[Symbol.iterator]();
  memory.sample(batch, () => next.next().value);
  return { size: memory.size, kept: memory.kept, batch };
}

// Un entraînement de `turns` tours : où il en est, ce que tient sa mémoire, ce qu'en dit un regard.
function trained({ config, seed, turns, forgetSince, probes }) {
  const run = dqn.training(config, seed, forgetSince ?? Infinity);
  const examined = probes && examiner(run, probes);
  const losses = [];
  for (let i = 0; i < turns; i += 1) {
    losses.push(run.advance().loss);
    examined?.add();
  }
  const { kept, size } = run.memory;
  const memory = Object.fromEntries(Object.entries(kept).map(([name, values]) =>
    [name, values.slice(0, size * (name.endsWith("bservation") ? 4 : 1))]));
  const nets = ["online", "target", "average"].map((name) => [name, run[name].weights]);
  return { memory, losses, turn: run.turn, row: examined?.look(), ...Object.fromEntries(nets) };
}

// Un entraînement entier, mené comme dans la page, et ce que la clinique en conclut.
function whole({ order, clinic }) {
  return new Promise((resolve) => {
    const [points, rows] = [[], []];
    const served = trainer((news) => {
      points.push(...news.points);
      rows.push(...news.rows);
      if (!news.done) return;
      const found = diagnose(clinic, rows) ?? [];
      resolve({ points, rows, names: found.map(({ name }) => name), seconds: news.seconds });
    });
    served.start(order);
  });
}

const answers = {
  updates,
  folded,
  ring,
  trained,
  whole,
  draws: ({ seed, purpose, count }) => {
    const draw = dqn.stream(seed, purpose);
    return Array.from({ length: count }, draw);
  },
  held: ({ cases }) => cases.map((given) => dqn.heldAction(...given)),
  schedules: ({ config, steps }) => steps.map((step) => [
    dqn.epsilonAt(config, step), dqn.learningRateAt(config, step), dqn.averageRateAt(config, step)]),
  judged: ({ config, weights, episodes, draws }) => {
    const next = draws[Symbol.iterator]();
    return dqn.evaluate(config, Float64Array.from(weights), episodes, () => next.next().value);
  },
  initial: ({ hidden, seed }) => dqn.initialWeights(hidden, dqn.stream(seed, "weights")),
  diagnoses: ({ clinic, charts }) => charts.map((rows) => ({
    degrees: degrees(clinic, rows),
    said: (diagnose(clinic, rows) ?? []).map(({ name, evidence }) => [name, evidence]),
  })),
  refusal: ({ config }) => {
    try {
      dqn.training(config, 0);
      return null;
    } catch (error) {
      return error.message;
    }
  },
};

// JSON n'écrit ni tableaux typés, ni NaN, ni l'infini : ceux-là passent en texte.
const written = (_, value) => {
  if (ArrayBuffer.isView(value)) return [...value];
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
};
const read = (_, value) => (["NaN", "Infinity"].includes(value) ? Number(value) : value);

const { task, ...question } = JSON.parse(readFileSync(0, "utf8"), read);
process.stdout.write(JSON.stringify(await answers[task](question), written));
