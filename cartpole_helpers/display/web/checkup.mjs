// L’examen d’un entraînement fait dans la page : ce qu’on y relève, comme teaching/clinic/charts.py,
// et ce qu’on en conclut, comme teaching/clinic/diagnosis.py, dont viennent noms, seuils et phrases.

import { measure } from "./numbers.mjs";
import { THETA_LIMIT, X_LIMIT } from "./physics.mjs";
import { STATE, network } from "./dqn.mjs";

const SAMPLE = 512; // transitions de chaque sorte sur lesquelles on interroge les réseaux
const SURE = 1 + 1e-5; // une limite dépassée de si peu ne l’est peut-être qu’à l’arrondi

// Le relevé

// Suit `trained`, ce qu’a rendu `training` : `add` à chaque tour, `look` rend une ligne du relevé,
// mesurée depuis le regard d’avant. `probes` : les états sûrs, puis ceux qui tombent (N, 4).
export function examiner(trained, probes) {
  const { config, turn, memory } = trained;
  const [online, target] = ["online", "target"].map((name) =>
    network(config.hidden, trained[name].weights, SAMPLE));
  const states = scaled(probes.safe.concat(probes.doomed), config.input_scale);
  const safe = probes.safe.length;
  let [before, then] = [trained.online.weights.slice(), turn.gradientSteps];
  let [losses, epsilons, returns, greedy] = [[], [], [], NaN];

  function add() {
    if (turn.updated) {
      losses.push(turn.loss);
      epsilons.push(turn.epsilon);
    }
    returns.push(...turn.returns);
  }

  function look() {
    const row = {
      env_steps: turn.envSteps,
      gradient_steps: turn.gradientSteps,
      epsilon: mean(epsilons),
      played: mean(returns),
      greedy,
      drift: drift(before, trained.online.weights, turn.gradientSteps - then),
      ...lossMeasures(losses),
      ...values(),
      ...audit(),
    };
    before.set(trained.online.weights);
    then = turn.gradientSteps;
    [losses, epsilons, returns, greedy] = [[], [], [], NaN];
    return row;
  }

  function values() {
    const count = states.length / STATE;
    const q = online.forward(states, count).slice(0, 2 * count);
    const other = target.forward(states, count);
    const gaps = Array.from(q, (value, i) => Math.abs(value - other[i]));
    return {
      q_safe: mean(best(q).slice(0, safe)),
      q_limit: finite(q) ? peak(Array.from(q, Math.abs)) : Infinity,
      target_safe: mean(best(other).slice(0, safe)),
      lag: mean(gaps),
    };
  }

  // Ce que garde la mémoire, et l’actualisation γ que trahissent les valeurs : à l’équilibre, la
  // moyenne de Q(s, a) − r y est γ fois celle de max Q(s'), nulle après une chute.
  function audit() {
    const { kept, size } = memory;
    const [falls, others] = [[], []];
    for (let i = 0; i < size; i += 1) (fallen(kept.nextObservation, i) ? falls : others).push(i);
    if (!size) return { stored: 0 };
    const share = falls.length / size;
    const following = best(answers(target, kept.nextObservation, spread(others)));
    const learned = share * average(excess(falls)) + (1 - share) * average(excess(others));
    return {
      stored: size,
      stored_reward: mean(kept.reward.subarray(0, size)),
      stored_falls: share,
      discount: learned / ((1 - share) * average(following)),
    };
  }

  function excess(rows) {
    const chosen = spread(rows);
    const q = answers(online, memory.kept.observation, chosen);
    return chosen.map((row, i) => q[2 * i + memory.kept.action[row]] - memory.kept.reward[row]);
  }

  // Q (N, A) aux lignes `rows` d’une colonne d’états ; la dernière est répétée, jusqu’à un multiple
  // de 4 que demande le réseau.
  function answers(asked, column, rows) {
    const count = 4 * Math.ceil(rows.length / 4);
    const states = Array.from({ length: count }, (_, i) => {
      const row = rows[Math.min(i, rows.length - 1)];
      return [...column.subarray(STATE * row, STATE * (row + 1))];
    });
    return asked.forward(scaled(states, config.input_scale), count).slice(0, 2 * rows.length);
  }

  return { add, look, judged: (value) => { greedy = value; } };
}

function scaled(states, scale) {
  return Float64Array.from(states.flat(), (value, i) => value * scale[i % STATE]);
}

function fallen(states, row) {
  return Math.abs(states[STATE * row]) > X_LIMIT * SURE
    || Math.abs(states[STATE * row + 2]) > THETA_LIMIT * SURE;
}

function best(q) {
  return Array.from({ length: q.length / 2 }, (_, i) => Math.max(q[2 * i], q[2 * i + 1]));
}

// Au plus `SAMPLE` des lignes, à intervalles réguliers.
function spread(rows) {
  const gap = Math.ceil(rows.length / SAMPLE);
  return rows.filter((_, i) => i % gap === 0);
}

function drift(before, after, updates) {
  if (!updates) return NaN;
  const moved = Math.sqrt(mean(before.map((weight, i) => (after[i] - weight) ** 2)));
  return Number.isFinite(moved) ? moved / updates : Infinity;
}

// La moyenne des pertes, et ln(médiane / premier décile), qui en demande huit.
function lossMeasures(losses) {
  if (!finite(losses)) return { loss: Infinity, loss_spread: NaN };
  const sizes = losses.map((loss) => Math.abs(loss) + 1e-12);
  const tail = losses.length < 8 ? NaN : Math.log(quantile(sizes, 0.5) / quantile(sizes, 0.1));
  return { loss: mean(losses), loss_spread: tail };
}

// Les résumés

function finite(values) {
  return values.every(Number.isFinite);
}

function mean(values) {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : NaN;
}

function average(values) {
  return values.length ? mean(values) : 0;
}

function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low === high ? low : low + (place % 1) * (high - low);
}

const known = (summary) => (values) => {
  const seen = values.filter((value) => !Number.isNaN(value));
  return seen.length ? summary(seen) : NaN;
};
const median = known((values) => quantile(values, 0.5));
const peak = known((values) => values.reduce((a, b) => Math.max(a, b)));
const least = known((values) => values.reduce((a, b) => Math.min(a, b)));
const lastThird = (values, fewest = 1) => values.slice(-Math.max(Math.floor(values.length / 3), fewest));
const late = (values) => median(lastThird(values));

// Les signes : une mesure chacun, dans l’ordre de diagnosis.py, et ce qui les dit au lecteur.

const share = (value) => `${told(100 * value)}\u00a0%`;

function told(value) {
  if (Number.isFinite(value)) return measure(value);
  return value > 0 ? "l’infini" : "une valeur non finie";
}

function targetMoves({ target_safe: target, gradient_steps: updates }) {
  const values = target.filter((_, i) => updates[i] > 0);
  return (peak(values) - least(values)) / Math.max(peak(values.map(Math.abs)), 1e-3);
}

function updateRate({ env_steps: steps, gradient_steps: updates }) {
  const half = Math.floor(steps.length / 2);
  return (updates.at(-1) - updates[half]) / (steps.at(-1) - steps[half]);
}

function withoutFalls({ stored, stored_falls: falls }) {
  const seen = falls.filter((value, i) => stored[i] > 0 && !Number.isNaN(value));
  return seen.length ? seen.filter((value) => value === 0).length / seen.length : NaN;
}

function blowUp({ q_limit: q, loss }) {
  return peak(q.map((value, i) => larger(value, Math.sqrt(Math.abs(loss[i])))));
}

function larger(a, b) {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) ? a : Math.max(a, b);
}

function horizon({ discount, stored_reward: reward }) {
  const left = 1 - late(discount);
  return left <= 0 ? Infinity : Math.max(Math.abs(late(reward)), 1) / left;
}

function lateRise({ q_safe: q }) {
  const tail = lastThird(q, 2);
  const middle = Math.ceil(tail.length / 2);
  return Math.abs((median(tail.slice(middle)) - median(tail.slice(0, middle))) / late(q));
}

function closest({ lag, gradient_steps: updates }) {
  return peak(lag.filter((_, i) => updates[i] > 0));
}

const follows = (c) => (Number.isNaN(targetMoves(c)) ? NaN : Number(targetMoves(c) > 1e-6));

const SIGNS = {
  "perte négative": {
    measures: [(c) => -least(c.loss)],
    evidence: (c) => `Une erreur au carré n’est jamais négative, or la perte descend à ${told(least(c.loss))}.`,
  },
  "récompense perdue": {
    measures: [(c) => late(c.stored_reward.map(Math.abs))],
    evidence: (c) => `La récompense moyenne en mémoire vaut ${told(late(c.stored_reward))}, alors que chaque `
      + "pas joué en rapporte une.",
  },
  "valeurs qui explosent": {
    measures: [blowUp],
    evidence: (c) => `Q atteint ${told(peak(c.q_limit))} et la perte ${told(peak(c.loss))}, alors qu’un épisode `
      + "ne rapporte pas plus de 500.",
  },
  "ε bloqué haut": {
    measures: [(c) => late(c.epsilon), (c) => peak(lastThird(c.epsilon)) - least(lastThird(c.epsilon))],
    evidence: (c) => `À la fin, ε vaut encore ${told(late(c.epsilon))}, et ne bouge plus\u00a0: l’agent joue surtout `
      + `au hasard, pour un retour de ${told(late(c.played))} en jouant.`,
  },
  "aucune exploration": {
    measures: [(c) => peak(c.epsilon)],
    evidence: (c) => `ε n’a jamais dépassé ${told(peak(c.epsilon))}.`,
  },
  "mises à jour trop rares": {
    measures: [updateRate],
    evidence: (c) => `Il y a ${told(1000 * updateRate(c))} mises à jour pour 1\u202f000 pas de jeu.`,
  },
  "cible jamais synchronisée": {
    measures: [targetMoves],
    evidence: (c) => `Le réseau cible rend ${told(late(c.target_safe))} du début à la fin, quand le réseau `
      + `principal en est à ${told(late(c.q_safe))}.`,
  },
  "cible trop lente": {
    measures: [(c) => 1 - late(c.target_safe) / late(c.q_safe), follows],
    evidence: (c) => `Le réseau cible en est à ${told(late(c.target_safe))} dans les états sûrs, et le réseau `
      + `principal à ${told(late(c.q_safe))}.`,
  },
  "pas de réseau cible": {
    measures: [closest],
    evidence: (c) => "La cible et le réseau principal rendent toujours les mêmes valeurs\u00a0: l’écart est de "
      + `${told(closest(c))}.`,
  },
  "taux d'apprentissage trop grand": {
    measures: [(c) => peak(c.drift)],
    evidence: (c) => `Les poids se sont déplacés, en moyenne, de ${told(peak(c.drift))} par mise à jour.`,
  },
  "taux d'apprentissage trop petit": {
    measures: [(c) => peak(c.drift)],
    evidence: (c) => `Les poids ne se sont jamais déplacés, en moyenne, de plus de ${told(peak(c.drift))} par `
      + "mise à jour.",
  },
  "taux d'apprentissage tombé au plancher": {
    measures: [(c) => late(c.drift) / peak(c.drift)],
    evidence: (c) => `Les poids se déplaçaient, en moyenne, de ${told(peak(c.drift))} par mise à jour\u202f; à la fin, `
      + `de ${told(late(c.drift))}.`,
  },
  "lot trop petit": {
    measures: [(c) => median(c.loss_spread)],
    evidence: (c) => "Une mise à jour sur dix a une perte au moins "
      + `${told(Math.exp(median(c.loss_spread)))} fois plus petite que la perte médiane.`,
  },
  "mémoire sans chute": {
    measures: [withoutFalls],
    evidence: (c) => `Dans ${share(withoutFalls(c))} des relevés, la mémoire (${told(late(c.stored))} `
      + "transitions) ne contient plus une seule chute.",
  },
  "γ = 1 ou presque": {
    measures: [(c) => late(c.discount)],
    evidence: (c) => `Les valeurs se suivent comme si γ valait ${told(late(c.discount))}\u202f; dans les états sûrs, `
      + `elles en sont à ${told(late(c.q_safe))}.`,
  },
  "γ trop petit": {
    measures: [horizon, lateRise],
    evidence: (c) => `Les valeurs ne voient que ${told(horizon(c))} pas devant elles.`,
  },
};

// Le diagnostic

// Rend le degré de chaque maladie que la page sait juger : au moins 1 si ses signes sont là.
export function degrees({ illnesses, measures }, rows) {
  const chart = columns(measures, rows);
  return illnesses.map(({ name, either, signs }) => {
    const each = signs.map((sign, i) => degree(sign, SIGNS[name].measures[i](chart)));
    if (either) return peak(each);
    const low = each.filter((value) => value < 1); // un seul sous 1 suffit à l’écarter
    return Math.min(...(low.length ? low : each));
  });
}

function degree({ threshold, below, fact }, value) {
  if (Number.isNaN(value)) return NaN;
  if (fact) return (below ? value <= threshold : value > threshold) ? Infinity : 0;
  if (below) return value > 0 ? threshold / value : Infinity;
  return value / threshold;
}

// Rend les hypothèses, de la plus directe à la plus ambiguë, ou null s’il est trop tôt.
export function diagnose(clinic, rows) {
  if (rows.length < clinic.enough) return null;
  const found = degrees(clinic, rows);
  const chart = columns(clinic.measures, rows);
  return clinic.illnesses
    .filter((_, i) => found[i] >= 1)
    .map((illness) => ({ ...illness, evidence: SIGNS[illness.name].evidence(chart) }));
}

function columns(measures, rows) {
  return Object.fromEntries(measures.map((name) => [name, rows.map((row) => row[name] ?? NaN)]));
}
