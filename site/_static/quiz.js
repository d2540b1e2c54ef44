// « Testez-vous » : des replis de chaque question, de vrais boutons radio ; le verdict suit le choix.
const make = (tag, properties, ...content) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content);
  return element;
};
const right = ([first]) => first.textContent.startsWith("✔");

// Ce que dit un repli, le verdict écrit en toutes lettres.
function answer({ children: [, ...told] }) {
  const sign = told[0].firstChild;
  sign.data = sign.data.replace("✔", "✔ Juste.").replace("✘", "✘ Non.");
  return told;
}

// Remplace une question par ses boutons ; rend la fonction qui dit si elle est juste, ou rien encore.
function question(list) {
  const { name } = list.nextElementSibling;
  const folds = [...document.querySelectorAll(`details[name="${name}"]`)];
  const answers = folds.map(answer);
  const asked = list.previousElementSibling;
  const choices = [...list.children].map((choice, value) => {
    const radio = make("input", { type: "radio", name, value });
    const text = choice.querySelector("p") ?? choice;
    return make("label", {}, radio, make("span", {}, ...text.childNodes));
  });
  const verdict = make("div", { role: "status" });
  const legend = make("legend", {}, ...asked.childNodes);
  const box = make("fieldset", { className: "quiz" }, legend, ...choices, verdict);
  const chosen = () => answers[box.querySelector(":checked")?.value];
  box.addEventListener("change", () => verdict.replaceChildren(...chosen()));
  [list, ...folds].forEach((element) => element.remove());
  asked.replaceWith(box);
  return () => chosen() && right(chosen());
}

const lists = [...document.querySelectorAll("article ul:has(+ details[name])")];
const questions = lists.map(question);
if (questions.length) {
  const count = make("p", { role: "status" });
  [...document.querySelectorAll(".quiz")].at(-1).after(count);
  document.addEventListener("change", () => {
    const told = questions.map((judge) => judge());
    const good = told.filter(Boolean).length;
    if (!told.includes(undefined)) {
      count.textContent = `${good} juste${good > 1 ? "s" : ""} sur ${told.length}`;
    }
  });
}
