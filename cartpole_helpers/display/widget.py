"""Une page vivante dans un carnet : reliée au noyau s'il y en a un, autonome sinon."""

import hashlib
import html
import json
import re
from base64 import b64encode
from contextvars import Context, copy_context
from pathlib import Path

from anywidget import AnyWidget
from ipywidgets import DOMWidget

from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.typography import typography

FOLDER = Path(__file__).parent
COMMON = ("web/page.mjs", "web/numbers.mjs", "web/phases.mjs", "web/physics.mjs", "web/scene.mjs")
STILL = "Image fixe : dans Jupyter, exécutez la cellule, et elle s’anime."


def bundle(*files: str) -> str:
    """Rend d'un seul tenant les modules `files` de ce dossier, les nécessaires avant les autres.

    Un carnet n'a pas de dossier d'où importer : chaque module devient un objet, ses exportations,
    où les suivants puisent ; `mount` et `render`, du premier et du dernier, restent à portée.
    """
    first, *_, last = [Path(file).stem for file in files]
    modules = "\n".join(map(_as_object, files))
    return f"{modules}\nconst {{ mount }} = module_{first};\nconst {{ render }} = module_{last};"


def _as_object(file: str) -> str:
    text = (FOLDER / file).read_text("utf-8")
    text = re.sub(
        r'^import ({[^}]*}) from "./(\w+).mjs";', r"const \1 = module_\2;", text, flags=re.M
    )
    exported = ", ".join(re.findall(r"^export (?:const|function) (\w+)", text, flags=re.M))
    body = re.sub(r"^export ", "", text, flags=re.M)
    name = f"module_{Path(file).stem}"
    return f"const {name} = (() => {{\n{body}return {{ {exported} }};\n}})();"


def stylesheet() -> str:
    """Rend les règles de style de toutes les pages."""
    return (FOLDER / "web/style.css").read_text("utf-8")


def frozen(code: str, still: Picture, state: dict) -> str:
    """Rend, en HTML, la page dont `render` lit `state` : elle se passe de noyau, et de réseau."""
    values = json.dumps(state, default=_base64).replace("<", "\\u003c")
    script = f"{code}\nmount(PLACE, render, {values});"
    place = hashlib.sha256(script.encode()).hexdigest()[:12]
    image = b64encode(still.image).decode()
    return (
        f'<div class="cp" data-page="{place}">'
        f'<img alt="{html.escape(still.alt)}" src="data:image/png;base64,{image}"'
        f' width="{still.width}"><p>{STILL}</p></div>\n'
        f"<style>{stylesheet()}</style>\n"
        f'<script>(() => {{\nconst PLACE = "{place}";\n{script}\n}})();</script>'
    )


class Page(AnyWidget):
    """Un widget dont le dernier module définit `render({ model, el })`.

    Là où il n'y a pas de noyau, page exportée ou carnet que l'on relit, l'état des traits suffit à
    `render` ; là où aucun script ne passe, il reste l'image `still` et son texte.
    """

    _css = stylesheet()
    code = ""  # ce que `bundle` a rendu

    def __init__(self, **traits):
        self._esm = f"{self.code}\nexport default {{ render }};"
        self._context = _answering_nothing()
        self._context.run(super().__init__, **traits)
        self.on_msg(self._answer)

    def _send(self, msg, buffers=None):
        # Une copie : deux fils n'entrent pas ensemble dans un même contexte.
        self._context.copy().run(super()._send, msg, buffers)

    @property
    def still(self) -> Picture:
        """L'image que l'on voit là où aucun script ne passe."""
        raise NotImplementedError

    def receive(self, message: dict, buffers: list) -> None:
        """Fait ce que demande la page ; une erreur y est montrée."""
        raise NotImplementedError

    def _answer(self, _widget, message: dict, buffers: list) -> None:
        try:
            self.receive(message, buffers)
        except (TypeError, ValueError) as error:
            self.send({"answer": message.get("id"), "error": typography(str(error))})
        else:
            self.send({"answer": message.get("id")})

    def frozen(self) -> str:
        """Rend la page autonome, en HTML : elle se passe de noyau, et de réseau."""
        return frozen(self.code, self.still, self._own_state())

    def _own_state(self) -> dict:
        names = self.trait_names(sync=True)
        kept = [name for name in names if not name.startswith("_")]
        inherited = set(DOMWidget.class_trait_names(sync=True))
        return {name: getattr(self, name) for name in sorted(kept) if name not in inherited}

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_()  # où Colab lit d'où charger anywidget
        return data | {"text/html": self.frozen(), "text/plain": self.still.alt}, metadata


def _answering_nothing() -> Context:
    """Rend un contexte où ce que l'on publie ne répond à aucun message.

    Sinon ipykernel enverrait la suite de la page au fil qui a reçu ce message : celui de la
    cellule, occupé tant qu'elle dure, ou celui d'un clic, que recharger la page supprime.
    """
    context = copy_context()
    for variable in context:
        if variable.name == "shell_parent":
            context.run(variable.set, {})
    return context


def _base64(value: bytes) -> dict:
    return {"base64": b64encode(value).decode()}
