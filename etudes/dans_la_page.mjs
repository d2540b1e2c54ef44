// Entraîne une graine comme le fait la page, s'arrête quand un certificat dit l'agent prêt, puis le
// juge. dans_la_page.py pose la question, en JSON, sur l'entrée.

import { readFileSync } from "node:fs";
import { evaluate, stream, training } from "../cartpole_helpers/display/web/dqn.mjs";

const { config, seed, every, episodes, hopeful, certificate, sure, judges } = JSON.parse(readFileSync(0, "utf8"));
const trained = training(config, seed);
const { turn, average } = trained;
const validation = stream(seed, "validation");
const returned = (count, draw) => evaluate(config, average.weights, count, draw);

// Les secondes de processeur de tous les fils, compilation et ramasse-miettes compris.
const began = process.cpuUsage();
function seconds() {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

function isReady() {
  return returned(episodes, validation) >= hopeful && returned(certificate, validation) >= sure;
}

let [ready, evaluating] = [false, 0];
while (!ready && turn.envSteps < config.total_steps) {
  trained.advance();
  if (turn.envSteps % every >= config.carts || !turn.gradientSteps) continue;
  const before = seconds();
  ready = isReady();
  evaluating += seconds() - before;
}
const spent = seconds();
process.stdout.write(JSON.stringify({
  ready,
  steps: turn.envSteps,
  updates: turn.gradientSteps,
  seconds: spent,
  evaluating,
  judged: returned(judges, stream(seed, "judge")),
}));
