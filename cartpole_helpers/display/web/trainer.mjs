// Un entraînement mené par tranches, dans un fil à part ou, à défaut, dans celui de la page.

import { evaluate, stream, training } from "./dqn.mjs";
import { examiner } from "./checkup.mjs";

const SLICE = 12; // ms de calcul entre deux respirations
const NEWS = 80; // ms entre deux nouvelles

// Rend `start` et `stop` ; `post` reçoit les nouvelles : où l’on en est, les poids de l’agent
// glouton, et ce qui s’est ajouté à la courbe et au relevé depuis les dernières.
export function trainer(post) {
  let current = null;

  function start(order) {
    const { config, seed, forgetSince, probes, episodes, evaluateEvery, looks } = order;
    const trained = training(config, seed, forgetSince ?? Infinity);
    current = {
      ...order,
      trained,
      examined: examiner(trained, probes),
      draw: stream(seed, "validation"),
      evaluation: { every: evaluateEvery, episodes },
      lookEvery: Math.max(Math.floor(config.total_steps / looks), 1),
      seconds: 0,
      told: -Infinity,
    };
    forgetNews(current);
    next(current);
  }

  function stop() {
    if (!current) return;
    tell(current, true);
    current = null;
  }

  function next(run) {
    if (run !== current) return; // arrêté, ou remplacé, entre deux tranches
    const began = performance.now();
    try {
      while (performance.now() - began < SLICE && !over(run)) turn(run);
    } catch (error) {
      current = null;
      post({ error: error.message, done: true });
      return;
    }
    run.seconds += (performance.now() - began) / 1000;
    if (over(run)) return stop();
    if (performance.now() - run.told > NEWS) tell(run, false);
    setTimeout(next, 0, run);
  }

  function tell(run, done) {
    const { turn: now, average } = run.trained;
    post({
      done,
      envSteps: now.envSteps,
      gradientSteps: now.gradientSteps,
      epsilon: now.epsilon,
      seconds: run.seconds,
      weights: Float32Array.from(average.weights),
      points: run.points,
      rows: run.rows,
    });
    run.told = performance.now();
    forgetNews(run);
  }

  return { start, stop };
}

function over({ trained, config }) {
  return trained.turn.envSteps >= config.total_steps;
}

function turn(run) {
  const { trained, examined, config, evaluation, draw } = run;
  const { envSteps, gradientSteps } = trained.advance();
  examined.add();
  const crossed = (every) => envSteps % every < config.carts;
  if (crossed(evaluation.every) && gradientSteps) {
    const value = evaluate(config, trained.average.weights, evaluation.episodes, draw);
    run.points.push({ x: envSteps, y: value });
    examined.judged(value);
  }
  if (crossed(run.lookEvery)) run.rows.push(examined.look());
}

function forgetNews(run) {
  run.points = [];
  run.rows = [];
}

// Fait d’un fil à part un serviteur : il obéit aux messages { do: "start" | "stop" }.
export function serve(scope) {
  const served = trainer((news) => scope.postMessage(news));
  scope.onmessage = ({ data }) => served[data.do](data);
}
