// Entraîne une graine comme le fait la page, jusqu'à ce qu'une validation la dise prête, puis la
// juge. Lit sa question en JSON sur l'entrée ; dans_la_page.py la pose.

import { readFileSync } from "node:fs";
import { evaluate, stream, training } from "../cartpole_helpers/display/web/dqn.mjs";

const { config, seed, every, episodes, ready, judges } = JSON.parse(readFileSync(0, "utf8"));
const trained = training(config, seed);
const { turn, average } = trained;
const validation = stream(seed, "validation");
const began = process.cpuUsage();
const seconds = () => {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
};

let evaluating = 0;
let reached = false;
while (!reached && turn.envSteps < config.total_steps) {
  trained.advance();
  if (turn.envSteps % every >= config.carts || !turn.gradientSteps) continue;
  const before = seconds();
  reached = evaluate(config, average.weights, episodes, validation) >= ready;
  evaluating += seconds() - before;
}
const spent = seconds();
const returned = evaluate(config, average.weights, judges, stream(seed, "judge"));
process.stdout.write(JSON.stringify({
  reached, steps: turn.envSteps, updates: turn.gradientSteps, seconds: spent, evaluating, returned,
}));
