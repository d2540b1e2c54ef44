// La physique de CartPole, celle de cartpole.py, et les politiques que la page sait jouer seule.

export const FORCE = 10; // N
export const TIME_STEP = 0.02; // s
export const X_LIMIT = 2.4; // m
export const THETA_LIMIT = (12 * 2 * Math.PI) / 360; // rad
export const EPISODE_LIMIT = 500; // pas
const START_LIMIT = 0.05;
const GRAVITY = 9.8; // m/s²
const POLE_MASS = 0.1; // kg
const TOTAL_MASS = 1.1; // kg
const HALF_LENGTH = 0.5; // m

// L'état [x, ẋ, θ, θ̇] après un pas de 0,02 s sous la force `force` (N), dans l'ordre de Gymnasium.
export function advance([x, xDot, theta, thetaDot], force) {
  const cos = Math.cos(theta);
  const sin = Math.sin(theta);
  const poleMoment = POLE_MASS * HALF_LENGTH;
  const push = (force + poleMoment * (thetaDot * thetaDot) * sin) / TOTAL_MASS;
  const thetaAcc = (GRAVITY * sin - cos * push)
    / (HALF_LENGTH * (4 / 3 - (POLE_MASS * (cos * cos)) / TOTAL_MASS));
  const xAcc = push - (poleMoment * thetaAcc * cos) / TOTAL_MASS;
  return [
    x + TIME_STEP * xDot,
    xDot + TIME_STEP * xAcc,
    theta + TIME_STEP * thetaDot,
    thetaDot + TIME_STEP * thetaAcc,
  ];
}

export function hasFallen([x, , theta]) {
  return Math.abs(x) > X_LIMIT || Math.abs(theta) > THETA_LIMIT;
}

export function start(random = Math.random) {
  return Array.from({ length: 4 }, () => START_LIMIT * (2 * random() - 1));
}
