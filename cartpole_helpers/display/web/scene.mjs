// Le chariot, sa tige, ses limites et la poussée, en SVG : un dessin que l'on met à jour.

import { shape } from "./page.mjs";
import { number } from "./numbers.mjs";
import { THETA_LIMIT, X_LIMIT } from "./physics.mjs";

const SCALE = 100; // unités du dessin par mètre
const RAIL = 135;
const POLE = SCALE; // la tige a un mètre
const HINGE = 15; // hauteur de l’articulation au-dessus du rail

export function scene() {
  const arrow = shape("path", { class: "cp-arrow", d: "M0 -6 H26 V-13 L46 0 L26 13 V6 H0 Z" });
  const pole = shape("line", { class: "cp-pole", x1: 0, y1: -HINGE, x2: 0, y2: -HINGE - POLE });
  const cart = shape(
    "g",
    {},
    arrow,
    shape("rect", { class: "cp-cart", x: -20, y: -HINGE - 9, width: 40, height: 24, rx: 3 }),
    pole,
    shape("circle", { class: "cp-axle", cx: 0, cy: -HINGE, r: 4 }),
  );
  const label = shape("text", { class: "cp-small", x: 0, y: RAIL + 26, "text-anchor": "middle" });
  const edge = (side) =>
    shape("line", { class: "cp-limit", x1: side, x2: side, y1: 20, y2: RAIL + 6 });
  const node = shape(
    "svg",
    { class: "cp-scene", viewBox: "-265 0 530 172", role: "img", "aria-label": "Le chariot" },
    shape("line", { class: "cp-rail", x1: -265, x2: 265, y1: RAIL, y2: RAIL }),
    edge(-SCALE * X_LIMIT),
    edge(SCALE * X_LIMIT),
    shape("text", { class: "cp-small", x: -SCALE * X_LIMIT, y: RAIL + 20, "text-anchor": "middle" },
      "\u22122,4 m"),
    shape("text", { class: "cp-small", x: SCALE * X_LIMIT, y: RAIL + 20, "text-anchor": "middle" },
      "2,4 m"),
    cart,
    label,
  );

  // `action` : 1 pousse à droite, 0 à gauche, null ne montre aucune poussée.
  function draw([x, , theta], action = null, words = "") {
    if (![x, theta].every(Number.isFinite)) return;
    cart.setAttribute("transform", `translate(${(SCALE * x).toFixed(2)} ${RAIL - 10})`);
    pole.setAttribute("transform", `rotate(${((180 * theta) / Math.PI).toFixed(3)} 0 ${-HINGE})`);
    pole.classList.toggle("cp-fallen", Math.abs(theta) > THETA_LIMIT);
    arrow.style.display = action === null ? "none" : "";
    arrow.setAttribute("transform", action === 1 ? "translate(22 -8)" : "translate(-22 -8) scale(-1 1)");
    label.textContent = words;
    node.setAttribute("aria-label",
      `Chariot à ${number(x, 2)} m, tige à ${number((180 * theta) / Math.PI, 1)} degrés`);
  }

  draw([0, 0, 0, 0]);
  return { node, draw };
}
