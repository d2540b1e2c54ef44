"""Ce que partagent les tests des calculs menés dans un fil : des tours sur permission, la page."""

import json
import re
import threading

import pytest

PATIENCE = 300  # s au-delà desquelles le test est bloqué pour de bon


class Turns:
    """Des tours dont chacun attend la permission du test."""

    def __init__(self):
        self._asked, self._allowed = threading.Semaphore(0), threading.Semaphore(0)

    def around(self, turns):
        """Rend les tours de `turns`, chacun sur permission ; la fin en demande une aussi."""
        self._ask()
        for _ in turns:
            yield
            self._ask()

    def _ask(self):
        self._asked.release()
        assert self._allowed.acquire(timeout=PATIENCE)

    def asked(self, number=1):
        """Attend que `number` tours aient été demandés."""
        for _ in range(number):
            assert self._asked.acquire(timeout=PATIENCE)

    def let(self, number=1):
        """Permet `number` tours."""
        self._allowed.release(number)


def plain(text):
    """Le texte, ses espaces insécables et ses apostrophes remplacées par celles d'un clavier."""
    return re.sub("[\u00a0\u202f]", " ", text).replace("’", "'")


def ask(page, message):
    """Ce que répond une page à un message : rien, ou une erreur."""
    sent = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "send", lambda content, buffers=None: sent.append(content))
        data = {"method": "custom", "content": {**message, "id": "x1"}}
        page._handle_msg({"content": {"data": data}, "buffers": []})
    [answer] = sent
    assert answer.pop("answer") == "x1"
    return answer


def frozen_state(page):
    """L'état que la page enregistrée garde, tel qu'il est écrit dans le HTML."""
    [state] = re.findall(r"mount\(PLACE, render, (.*)\);\n", page.frozen())
    return json.loads(state, parse_constant=lambda name: pytest.fail(f"{name} n'est pas du JSON"))
