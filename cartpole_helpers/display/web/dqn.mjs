// Un DQN entier, sans noyau ni bibliothèque : les règles de dqn.py, la boucle de training.py.
//
// Les réglages sont les champs de `Config`, sous leur nom. Rien n’est alloué pendant une mise à
// jour : chaque tableau l’est une fois, au départ.

import { EPISODE_LIMIT, FORCE, advance, hasFallen, start } from "./physics.mjs";

export const STATE = 4;
const ACTIONS = 2;
const FREE = -1; // aucune action au hasard n’est prolongée
const PURPOSES = ["weights", "exploration", "replay", "carts", "validation", "judge"];

// Le hasard

// Rend une suite de nombres dans [0, 1), une par graine et par usage : deux usages ne partagent
// aucun tirage. C’est le générateur sfc32 de C. Doty-Humphrey.
export function stream(seed, purpose) {
  let [a, b, c, count] = [seed | 0, (seed / 2 ** 32) | 0, PURPOSES.indexOf(purpose), 1];
  const draw = () => {
    const sum = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i += 1) draw();
  return draw;
}

// Les règles, celles de config.py et de dqn.py

export function epsilonAt({ epsilon_start: first, epsilon_end: last, epsilon_steps: steps }, envSteps) {
  return first + Math.min(envSteps / steps, 1) * (last - first);
}

export function learningRateAt(config, updates) {
  const decayed = config.learning_rate * config.learning_rate_decay ** updates;
  return Math.max(decayed, config.learning_rate_floor);
}

export function averageRateAt({ average_rate: rate, average_tail: tail }, updates) {
  return Math.min(Math.max(rate, tail > 0 ? 1 / (tail * Math.max(updates, 1)) : 0), 1);
}

// La cible du Double DQN, dans `target` (B) : le réseau principal choisit a', le réseau cible
// l’évalue ; une chute n’a pas de suite, une troncature en a une.
export function doubleTarget(target, { reward, discount, terminated }, nextOnline, nextTarget) {
  for (let i = 0; i < target.length; i += 1) {
    const chosen = ACTIONS * i + better(nextOnline, i);
    target[i] = reward[i] + (terminated[i] ? 0 : discount[i] * nextTarget[chosen]);
  }
}

// La perte, moyenne de (Q(s, a) − cible)², et dans `slope` (B, A) sa dérivée par rapport à Q.
export function squaredLoss(slope, q, action, target) {
  let loss = 0;
  slope.fill(0);
  for (let i = 0; i < target.length; i += 1) {
    const place = ACTIONS * i + action[i];
    const error = q[place] - target[i];
    loss += (error * error) / target.length;
    slope[place] = (2 * error) / target.length;
  }
  return loss;
}

// L’ε-glouton dont une action au hasard dure `hold` pas en moyenne ; rend l’action prolongée, ou FREE.
export function heldAction(held, epsilon, hold, explore, choice) {
  const keep = 1 - 1 / hold;
  if (held !== FREE && explore < keep) return held;
  const left = held === FREE ? explore : (explore - keep) / (1 - keep);
  const begins = left < (epsilon * (1 - keep)) / (1 - keep * epsilon);
  return begins ? Math.floor(choice * ACTIONS) : FREE;
}

function better(q, row) {
  return q[ACTIONS * row + 1] > q[ACTIONS * row] ? 1 : 0;
}

// Le réseau

// c[i, j] = bias[j] + Σₖ a[i, k] b[k, j], pour n lignes (un multiple de 4) et m colonnes (paires).
// Huit sommes avancent ensemble, dans les registres ; les pas de lecture de `a` et de `b` en font
// aussi bien des transposées, sans rien copier.
function product(c, n, m, depth, a, aRow, aStep, b, bStep, bColumn, bias) {
  for (let i = 0; i < n; i += 4) {
    for (let j = 0; j < m; j += 2) {
      let a0 = i * aRow;
      let b0 = j * bColumn;
      let s0 = bias ? bias[j] : 0;
      let t0 = bias ? bias[j + 1] : 0;
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      let t1 = t0;
      let t2 = t0;
      let t3 = t0;
      for (let k = 0; k < depth; k += 1) {
        const u = b[b0];
        const v = b[b0 + bColumn];
        const x0 = a[a0];
        const x1 = a[a0 + aRow];
        const x2 = a[a0 + 2 * aRow];
        const x3 = a[a0 + 3 * aRow];
        s0 += x0 * u;
        t0 += x0 * v;
        s1 += x1 * u;
        t1 += x1 * v;
        s2 += x2 * u;
        t2 += x2 * v;
        s3 += x3 * u;
        t3 += x3 * v;
        a0 += aStep;
        b0 += bStep;
      }
      const row = i * m + j;
      c[row] = s0;
      c[row + 1] = t0;
      c[row + m] = s1;
      c[row + m + 1] = t1;
      c[row + 2 * m] = s2;
      c[row + 2 * m + 1] = t2;
      c[row + 3 * m] = s3;
      c[row + 3 * m + 1] = t3;
    }
  }
}

// Les couches (entrées, sorties) d’un réseau, et où commencent leurs poids dans le tableau plat,
// rangé comme celui de networks.py : poids (entrées, sorties), puis biais.
function shapes(hidden) {
  const widths = [STATE, ...hidden, ACTIONS];
  let first = 0;
  return hidden.concat(ACTIONS).map((outputs, rank) => {
    const inputs = widths[rank];
    const shape = { inputs, outputs, first };
    first += (inputs + 1) * outputs;
    return shape;
  });
}

export function weightCount(hidden) {
  return shapes(hidden).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
}

// Poids et biais uniformes dans ±1/√entrées, comme ceux de torch.nn.Linear.
export function initialWeights(hidden, draw) {
  const weights = new Float64Array(weightCount(hidden));
  for (const { inputs, outputs, first } of shapes(hidden)) {
    for (let i = first; i < first + (inputs + 1) * outputs; i += 1) {
      weights[i] = (2 * draw() - 1) / Math.sqrt(inputs);
    }
  }
  return weights;
}

// Un réseau de poids `weights`, pour `rows` états au plus : `forward` rend Q (n, A), `backward` le
// gradient (P) de ce qu’a calculé le dernier `forward`. Activation : silu(z) = z σ(z).
export function network(hidden, weights, rows) {
  const layers = shapes(hidden).map(({ inputs, outputs, first }) => ({
    inputs,
    outputs,
    weight: weights.subarray(first, first + inputs * outputs),
    bias: weights.subarray(first + inputs * outputs, first + (inputs + 1) * outputs),
    first,
    values: new Float64Array(rows * outputs),
    gates: new Float64Array(rows * outputs), // σ(z)
    slopes: new Float64Array(rows * outputs),
  }));
  const last = layers.at(-1);
  const gradient = new Float64Array(weights.length);
  const slots = layers.map(({ inputs, outputs, first }) => ({
    weight: gradient.subarray(first, first + inputs * outputs),
    bias: gradient.subarray(first + inputs * outputs, first + (inputs + 1) * outputs),
  }));
  let source;

  function forward(inputs, n) {
    source = inputs;
    let x = inputs;
    for (const layer of layers) {
      const { inputs: depth, outputs, values } = layer;
      product(values, n, outputs, depth, x, depth, 1, layer.weight, outputs, 1, layer.bias);
      if (layer !== last) silu(values, layer.gates, n * outputs);
      x = values;
    }
    return x;
  }

  function backward(slope, n) {
    let after = slope;
    for (let rank = layers.length - 1; rank >= 0; rank -= 1) {
      const { inputs, outputs, weight } = layers[rank];
      const below = layers[rank - 1];
      const x = below ? below.values : source;
      product(slots[rank].weight, inputs, outputs, n, x, 1, inputs, after, outputs, 1);
      columnSums(slots[rank].bias, after, n);
      if (below) {
        product(below.slopes, n, inputs, outputs, after, outputs, 1, weight, 1, outputs);
        siluSlope(below.slopes, below.values, below.gates, n * inputs);
        after = below.slopes;
      }
    }
    return gradient;
  }

  return { weights, gradient, forward, backward };
}

function silu(values, gates, count) {
  for (let i = 0; i < count; i += 1) {
    gates[i] = 1 / (1 + exponential(-values[i]));
    values[i] *= gates[i];
  }
}

// eˣ à quelques 10⁻¹⁵ près, deux fois plus vite que Math.exp : une table donne celle du nombre
// tabulé le plus proche, cinq termes de la série le reste. Au-delà de ±40, σ ne bouge plus.
const [GAP, EDGE] = [1 / 32, 40];
const POWERS = Float64Array.from({ length: (2 * EDGE) / GAP + 1 }, (_, i) => Math.exp(i * GAP - EDGE));
function exponential(x) {
  const bounded = x > EDGE ? EDGE : x < -EDGE ? -EDGE : x;
  const place = ((bounded + EDGE) / GAP + 0.5) | 0;
  const r = bounded - (place * GAP - EDGE);
  return POWERS[place] * (1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120))))));
}

// La dérivée de z σ(z) est σ + z σ (1 − σ), soit σ + y (1 − σ).
function siluSlope(slopes, values, gates, count) {
  for (let i = 0; i < count; i += 1) slopes[i] *= gates[i] + values[i] * (1 - gates[i]);
}

function columnSums(sums, table, rows) {
  const columns = sums.length;
  sums.fill(0);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) sums[j] += table[i * columns + j];
  }
}

// L’optimiseur : Adam (Kingma et Ba, 2015, algorithme 1), β₁ = 0,9, β₂ = 0,999, ε = 10⁻⁸.
export function adam(count) {
  const [mean, square] = [new Float64Array(count), new Float64Array(count)];
  let steps = 0;
  return (weights, gradient, rate) => {
    steps += 1;
    const [bias1, bias2] = [1 - 0.9 ** steps, Math.sqrt(1 - 0.999 ** steps)];
    for (let i = 0; i < count; i += 1) {
      mean[i] += 0.1 * (gradient[i] - mean[i]);
      square[i] += 0.001 * (gradient[i] * gradient[i] - square[i]);
      weights[i] -= (rate * mean[i]) / bias1 / (Math.sqrt(square[i]) / bias2 + 1e-8);
    }
  };
}

// Verse dans `weights` la part `rate` de `online` : le réseau cible, et la moyenne des poids.
export function blend(weights, online, rate) {
  for (let i = 0; i < weights.length; i += 1) weights[i] += rate * (online[i] - weights[i]);
}

// La mémoire

// Des colonnes pour `count` transitions, de la même forme en mémoire, en fenêtre et dans un lot.
function columns(count, Kind = Float32Array) {
  return {
    observation: new Kind(STATE * count),
    action: new Uint8Array(count),
    reward: new Kind(count),
    terminated: new Uint8Array(count),
    nextObservation: new Kind(STATE * count),
    discount: new Kind(count),
  };
}

function copy(from, i, to, k) {
  for (let j = 0; j < STATE; j += 1) {
    to.observation[STATE * k + j] = from.observation[STATE * i + j];
    to.nextObservation[STATE * k + j] = from.nextObservation[STATE * i + j];
  }
  to.action[k] = from.action[i];
  to.reward[k] = from.reward[i];
  to.terminated[k] = from.terminated[i];
  to.discount[k] = from.discount[i];
}

// Un anneau des `capacity` dernières transitions, tirées uniformément avec remise.
export function replay(capacity) {
  const kept = columns(capacity);
  let added = 0;
  const memory = {
    kept,
    get size() {
      return Math.min(added, capacity);
    },
    add(from, i) {
      copy(from, i, kept, added % capacity);
      added += 1;
    },
    sample(batch, draw) {
      const { size } = memory;
      for (let k = 0; k < batch.action.length; k += 1) copy(kept, Math.floor(draw() * size), batch, k);
    },
  };
  return memory;
}

// Les n derniers pas de chaque chariot ; il en sort la transition à n pas du plus ancien. Une fin
// la coupe : elle n’a alors que k récompenses, et amorce, si c’est une troncature, avec γᵏ.
export function stepWindow(length, gamma, carts) {
  const steps = columns(length * carts); // le pas t du chariot e : à la ligne (t mod n) carts + e
  const ended = new Uint8Array(length * carts);
  const folded = columns(carts);
  let count = 0;

  function push(lived, truncated) {
    for (let cart = 0; cart < carts; cart += 1) {
      const place = (count % length) * carts + cart;
      copy(lived, cart, steps, place);
      ended[place] = lived.terminated[cart] || truncated[cart];
    }
    count += 1;
    if (count < length) return null;
    for (let cart = 0; cart < carts; cart += 1) fold(cart);
    return folded;
  }

  function fold(cart) {
    let [reward, discount] = [0, 1];
    copy(steps, (count % length) * carts + cart, folded, cart);
    for (let k = 0; k < length; k += 1) {
      const place = ((count + k) % length) * carts + cart;
      reward += discount * steps.reward[place];
      discount *= gamma;
      folded.terminated[cart] = steps.terminated[place];
      for (let j = 0; j < STATE; j += 1) {
        folded.nextObservation[STATE * cart + j] = steps.nextObservation[STATE * place + j];
      }
      if (ended[place]) break;
    }
    folded.reward[cart] = reward;
    folded.discount[cart] = discount;
  }

  return { push };
}

// L’entraînement

// Un agent et ses chariots ; `advance()` fait un tour : agir, avancer, mémoriser, apprendre,
// synchroniser. `forgetSince` : le pas à partir duquel les chutes n’entrent plus en mémoire, où le
// pas d’avant du même chariot est répété (l’amnésique de teaching/laboratory.py).
export function training(config, seed, forgetSince = Infinity) {
  const { carts, hidden, batch_size: batchSize, input_scale: scale } = config;
  check(config);
  const draws = Object.fromEntries(PURPOSES.map((name) => [name, stream(seed, name)]));
  const first = initialWeights(hidden, draws.weights);
  const made = () => network(hidden, first.slice(), Math.max(batchSize, carts));
  const [online, target, average] = [made(), made(), made()];
  const descend = adam(first.length);
  const memory = replay(config.capacity);
  const recent = stepWindow(config.n_steps, config.gamma, carts);

  const states = Array.from({ length: carts }, () => start(draws.carts));
  const [ages, held] = [new Uint32Array(carts), new Int8Array(carts).fill(FREE)];
  const [lived, truncated] = [columns(carts), new Uint8Array(carts)];
  const before = columns(carts); // ce qui est entré en mémoire au tour d’avant
  const batch = columns(batchSize);
  const [seen, inputs] = [new Float64Array(STATE * carts), new Float64Array(STATE * batchSize)];
  const [goal, slope] = [new Float64Array(batchSize), new Float64Array(ACTIONS * batchSize)];
  const turn = {
    step: 0, envSteps: 0, gradientSteps: 0, epsilon: epsilonAt(config, 0), loss: NaN, updated: false,
    returns: [],
  };

  function oneTurn() {
    act();
    const transitions = recent.push(lived, truncated);
    if (transitions) remember(transitions);
    turn.updated = memory.size >= config.warmup && turn.step % config.learn_every === 0;
    turn.loss = turn.updated ? learn(sampled()) : NaN;
    if (turn.updated) synchronise();
    return turn;
  }

  function act() {
    scaled(seen, flat(states, lived.observation), scale);
    const q = online.forward(seen, carts);
    turn.epsilon = epsilonAt(config, turn.envSteps);
    turn.returns.length = 0;
    for (let cart = 0; cart < carts; cart += 1) {
      const [explore, choice] = [draws.exploration(), draws.exploration()];
      held[cart] = heldAction(held[cart], turn.epsilon, config.epsilon_hold, explore, choice);
      step(cart, held[cart] === FREE ? better(q, cart) : held[cart]);
    }
    turn.step += 1;
    turn.envSteps += carts;
  }

  function step(cart, action) {
    const state = advance(states[cart], action ? FORCE : -FORCE);
    ages[cart] += 1;
    lived.action[cart] = action;
    lived.reward[cart] = 1;
    lived.terminated[cart] = hasFallen(state) ? 1 : 0;
    truncated[cart] = ages[cart] >= EPISODE_LIMIT ? 1 : 0;
    lived.nextObservation.set(state, STATE * cart);
    states[cart] = state;
    if (lived.terminated[cart] || truncated[cart]) {
      turn.returns.push(ages[cart]);
      states[cart] = start(draws.carts);
      ages[cart] = 0;
    }
  }

  function remember(transitions) {
    for (let cart = 0; cart < carts; cart += 1) {
      const forgotten = transitions.terminated[cart] && turn.envSteps > forgetSince;
      if (!forgotten) copy(transitions, cart, before, cart);
      memory.add(before, cart);
    }
  }

  function sampled() {
    memory.sample(batch, draws.replay);
    return batch;
  }

  // Un pas d’Adam sur un lot ; rend sa perte.
  function learn(drawn) {
    scaled(inputs, drawn.nextObservation, scale);
    doubleTarget(goal, drawn, online.forward(inputs, batchSize), target.forward(inputs, batchSize));
    scaled(inputs, drawn.observation, scale);
    const loss = squaredLoss(slope, online.forward(inputs, batchSize), drawn.action, goal);
    const rate = learningRateAt(config, turn.gradientSteps);
    descend(online.weights, online.backward(slope, batchSize), rate);
    turn.gradientSteps += 1;
    return loss;
  }

  function synchronise() {
    if (turn.gradientSteps % config.target_period === 0) {
      blend(target.weights, online.weights, config.target_rate);
    }
    blend(average.weights, online.weights, averageRateAt(config, turn.gradientSteps));
  }

  return { config, turn, memory, online, target, average, goal, advance: oneTurn, learn, synchronise };
}

function check({ carts, batch_size: batchSize, hidden }) {
  for (const count of [carts, batchSize, ...hidden]) {
    if (!(Number.isInteger(count) && count > 0 && count % 4 === 0)) {
      throw new RangeError("carts, batch_size et les largeurs de hidden doivent être des multiples "
        + `de 4\u00a0: ${count} reçu.`);
    }
  }
}

function flat(states, observations) {
  states.forEach((state, i) => observations.set(state, STATE * i));
  return observations;
}

function scaled(inputs, observations, scale) {
  for (let i = 0; i < inputs.length; i += 1) inputs[i] = observations[i] * scale[i % STATE];
}

// Le jugement

// Le retour moyen, sans hasard, du réseau `weights` sur `episodes` départs que tire `draw` : une
// suite que l’entraînement ne lit pas.
export function evaluate({ hidden, input_scale: scale }, weights, episodes, draw) {
  const judged = network(hidden, weights, 4 * Math.ceil(episodes / 4));
  let states = Array.from({ length: episodes }, () => start(draw));
  const observed = new Float32Array(STATE * episodes);
  const inputs = new Float64Array(STATE * 4 * Math.ceil(episodes / 4));
  let total = 0;
  for (let age = 0; age < EPISODE_LIMIT && states.length; age += 1) {
    total += states.length;
    scaled(inputs, flat(states, observed), scale);
    const q = judged.forward(inputs, 4 * Math.ceil(states.length / 4));
    states = states.map((state, i) => advance(state, better(q, i) ? FORCE : -FORCE));
    states = states.filter((state) => !hasFallen(state));
  }
  return total / episodes;
}
