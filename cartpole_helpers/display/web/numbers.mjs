// Les nombres écrits à la française, comme le fait display/numbers.py.

// Virgule décimale, milliers séparés, vrai signe moins.
export function number(value, digits = 0) {
  if (value == null || !Number.isFinite(value)) return "non fini";
  const [whole, decimals] = Math.abs(value).toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const written = decimals ? `${grouped},${decimals}` : grouped;
  return value < 0 && /[1-9]/.test(written) ? `\u2212${written}` : written;
}

// Autant de décimales qu’il en faut, neuf au plus.
export function exact(value) {
  return number(value, value.toFixed(9).replace(/0+$/, "").split(".")[1].length);
}

// Trois chiffres utiles ; à partir de 1 000, toutes les unités ; une puissance de dix au-delà d’un
// million, et en deçà d’un millième.
export function measure(value) {
  if (value == null || !Number.isFinite(value)) return "non fini";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [digits, power] = value.toExponential(1).split("e");
    return `${number(Number(digits), 1)} × 10${superscript(Number(power))}`;
  }
  return size < 1000 ? exact(Number(value.toPrecision(3))) : number(value);
}

export function superscript(power) {
  return String(power).replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻");
}
