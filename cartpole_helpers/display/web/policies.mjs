// Les politiques que la page joue sans noyau : pile ou face, règle linéaire, réseau d'un agent.

const LEAK = 0.01; // celle de torch.nn.functional.leaky_relu
const ACTIVATIONS = {
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => (x > 0 ? x : LEAK * x),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

// Rend la politique que décrit `rule` : une fonction de l'état vers l'action, 0 ou 1. `weights`
// porte, bout à bout, les poids de tous les réseaux.
export function policy(rule, weights, random = Math.random) {
  if (rule.kind === "random") return () => (random() < 0.5 ? 0 : 1);
  if (rule.kind === "linear") return (state) => (tendency(rule.gain, observed(state)) > 0 ? 1 : 0);
  const q = actionValues(rule, weights);
  return (state) => {
    const [left, right] = q(state);
    return right > left ? 1 : 0;
  };
}

// Rend la fonction s → [Q(s, 0), Q(s, 1)] du réseau `rule`.
export function actionValues({ first, layers, activation, scale, mirror }, weights) {
  const through = (inputs) => forward(inputs, weights, first, layers, ACTIVATIONS[activation]);
  return (state) => {
    const inputs = observed(state).map((value, i) => value * scale[i]);
    if (!mirror) return through(inputs);
    return [through(inputs.map((value) => -value))[1], through(inputs)[1]];
  };
}

// Un agent voit des nombres de 32 bits ; la physique en garde 64.
function observed(state) {
  return state.map(Math.fround);
}

function tendency(gain, state) {
  return gain.reduce((sum, factor, i) => sum + factor * state[i], 0);
}

function forward(inputs, weights, first, layers, activation) {
  let [values, offset] = [inputs, first];
  layers.forEach(([from, to], rank) => {
    const sums = dense(values, weights, offset, from, to);
    values = rank < layers.length - 1 ? sums.map(activation) : sums;
    offset += (from + 1) * to;
  });
  return values;
}

// Une couche : ses poids (from, to), ligne par ligne, puis ses biais (to).
function dense(values, weights, offset, from, to) {
  const bias = offset + from * to;
  const sums = Array.from(weights.subarray(bias, bias + to));
  for (let i = 0; i < from; i += 1) {
    for (let j = 0; j < to; j += 1) sums[j] += values[i] * weights[offset + i * to + j];
  }
  return sums;
}
