"""Passe des textes à grammalecte, avec le Python du système, seul à le connaître.

Lit sur l'entrée, en JSON, les mots connus et des listes de paragraphes ; écrit leurs fautes.
"""

import json
import sys

from grammalecte import GrammarChecker

# Typographie : la construction s'en charge. Impératif : « Rend l'état » n'en est pas un.
OFF = ("apos", "esp", "imp", "nbsp", "num", "typo", "unit")

asked = json.load(sys.stdin)
known = {word.casefold() for word in asked["known"]}
checker = GrammarChecker("fr")
# Donner des options remplace toutes les autres : on part de celles de grammalecte.
options = dict(checker.getGCEngine().getOptions()) | dict.fromkeys(OFF, False)


def faults(text: str) -> list[str]:
    """Les fautes d'un paragraphe : le passage, ce qu'on lui reproche, le paragraphe."""
    grammar, spelling = checker.getParagraphErrors(text, dOptions=options)
    found = [(text[fault["nStart"] : fault["nEnd"]], fault["sMessage"]) for fault in grammar]
    words = [fault["sValue"] for fault in spelling]
    found += [(word, "Mot inconnu.") for word in words if word.casefold() not in known]
    return [f"{passage} : {why} Dans : {text}" for passage, why in found]


json.dump([[x for text in texts for x in faults(text)] for texts in asked["documents"]], sys.stdout)
