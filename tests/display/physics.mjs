// Répond à une question posée en JSON sur l'entrée, avec les modules mêmes que joue la page.

import { readFileSync } from "node:fs";
import { caption, manner, Play, sentence } from "../../cartpole_helpers/display/web/game.mjs";
import * as numbers from "../../cartpole_helpers/display/web/numbers.mjs";
import { LABELS } from "../../cartpole_helpers/display/web/phases.mjs";
import { advance, hasFallen, start } from "../../cartpole_helpers/display/web/physics.mjs";
import { actionValues, policy } from "../../cartpole_helpers/display/web/policies.mjs";

const base64 = (buffer) => Buffer.from(buffer).toString("base64");

function floats(text) {
  return new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
}

// Ce que joue chaque politique dans chaque état, et ses valeurs d'action si c'est un réseau.
function policies({ rules, weights, states }) {
  const flat = floats(weights);
  return rules.map((rule) => ({
    actions: states.map(policy(rule, flat)),
    q: rule.kind === "network" ? states.map(actionValues(rule, flat)) : null,
  }));
}

// Une partie menée par `events` : ["push", 1], ["frame", 0.02], ["handOver", 2], ["speed", 0.5]…
// Rend ce que l'on en voit après chacun, et les épisodes finis.
function story({ events, rules = [], weights = "", draw = 0.5 }) {
  const results = [];
  const play = new Play((result) => results.push(result), () => draw);
  const chosen = (index) => policy(rules[index], floats(weights));
  const act = {
    handOver: (index) => play.handOver(index === null ? null : chosen(index)),
    speed: (value) => { play.speed = value; },
    place: (state) => { play.state = state; },
  };
  const seen = events.map(([name, ...values]) => {
    (act[name] ?? play[name].bind(play))(...values);
    const { phase, steps, state, action, between } = play;
    const words = { said: sentence(play, "X"), under: caption(play) };
    return { phase, steps, state, action, between, ...words };
  });
  return { seen, results: results.map(told) };
}

// Un lecteur parfait : il pousse, à chaque image, comme le ferait `rule`.
function reader({ rule, draw, speed }) {
  let result = null;
  const play = new Play((one) => { result = one; }, () => draw);
  play.speed = speed;
  const choose = policy(rule, new Float32Array());
  while (!result) {
    play.push(choose(play.state));
    play.frame(0.016);
  }
  return told(result);
}

function told(result) {
  return { ...result, manner: manner([result]), buffers: result.buffers.map(base64) };
}

const answers = {
  advance: ({ states, forces }) => states.map((state, i) => advance(state, forces[i])),
  fallen: ({ states }) => states.map(hasFallen),
  starts: ({ count }) => Array.from({ length: count }, () => start()),
  written: ({ cases }) => cases.map(([name, ...given]) => numbers[name](...given)),
  labels: () => LABELS,
  policies,
  story,
  reader,
};

const { task, ...question } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(answers[task](question)));
