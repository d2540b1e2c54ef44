"""Le bac à sable : rien de ce que fait une réponse ne fige, ne ferme, ni ne dérègle le noyau."""

import builtins
import functools
import gc
import itertools
import os
import signal
import sys
import threading

import numpy as np
import pytest
import torch

from cartpole_helpers import dqn
from cartpole_helpers.teaching import capstone, checking, sandbox
from cartpole_helpers.teaching.checking import Report
from cartpole_helpers.teaching.exercises import check
from cartpole_helpers.teaching.sandbox import contained, is_stub
from cartpole_helpers.teaching.worlds import drawn_worlds

posix = pytest.mark.skipif(sandbox.ALARM is None, reason="Windows n'a pas d'alarme")
RIGHT, HEAD = dqn.td_target, "def td_target(reward, terminated, next_q, gamma):\n    "


@pytest.fixture
def short(monkeypatch):
    """Une patience de deux dixièmes de seconde."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.2)
    monkeypatch.setattr(sandbox, "PATIENCE", 1.0)


def target(answer):
    """Rend une réponse à `td_target`, que `answer` donne avec n'importe quels arguments."""

    def td_target(*given):
        return answer(*given)

    return td_target


def written(source, name="td_target"):
    """Rend ce que le lecteur a écrit sous ce nom."""
    names = {"functools": functools, "np": np, "torch": torch, "itertools": itertools}
    names |= {"signal": signal, "sys": sys, "threading": threading}
    exec(f"import re, time\n{source}", names)
    return names[name]


def ended(body):
    """Rend ce que donne, bornée, une fonction de ce corps."""
    return contained(lambda answer: answer(), written(f"def f():\n {body}", "f"))


# Ce qui reste à écrire


STUBS = [
    "def f(x):\n 'doc'\n return ...",
    "def f(x):\n 'doc'\n raise NotImplementedError('à écrire')",
    "f = functools.partial(lambda x, y: ..., 1)",
    "@functools.cache\ndef f(x): return",
    "class f:\n x = 1\n def g(self): ...\n @property\n def h(self): ...",
    "class f:\n @staticmethod\n def g(): ...\n @classmethod\n def h(cls): pass",
    "class F:\n def __call__(self, x): ...\nf = F()",
]
WRITTEN = [
    "def f(x): return 0",
    "def f(x): y = print(x)",
    "def f(x):\n while True: pass",
    "def f(x): return NotImplementedError(x)",
    "class f:\n def g(self): ...\n @property\n def h(self): return self.x",
    "class f:\n @staticmethod\n def g(x): return x",
    "class f(list): ...",
    "f = functools.partial(lambda x, y: x, 1)",
]


def test_a_stub_is_known_by_its_code():
    for source in STUBS:
        assert is_stub(written(source, "f")), source
    for source in WRITTEN:
        assert not is_stub(written(source, "f")), source
    report = check(written("class Memoire: ...", "Memoire"))
    assert (report.note, report.passed) == ("pas encore écrit", False)


def test_what_is_written_without_a_result_is_not_a_stub():
    helper = f"def best(q): q.max(dim=-1).values\n{HEAD}return reward + gamma * best(next_q)"
    assert "un `return` est-il oublié dans une fonction" in check(written(helper)).hint
    for name in ("td_target", "calendrier"):  # la vue de celui-ci déballe ce qui est rendu
        answer = written(f"def {name}(*given): print(given)", name)
        assert check(answer).note.startswith("votre fonction calcule, mais ne rend rien"), name
    twice = written(
        "def f(x):\n if x: gama", "f"
    )  # rien, puis une erreur : c'est l'erreur qui compte
    assert "`gama`" in contained(lambda f: (f(0), f(1)), twice).hint
    torch_said = target(lambda reward, *_: torch.nn.Module()(reward))
    assert "NotImplementedError" in check(torch_said).verdicts[0].came
    misspelt = check(written(f"{HEAD}return reward + gama")).verdicts[0].came
    assert misspelt.startswith("l'erreur NameError (ligne ")


# Les étourderies

SLIPS = {
    "return reward + gama * best(next_q)": "`gama` n'est défini nulle part",
    "return reward + gamma * next_q.maxx(dim=-1).values": "Vouliez-vous dire `max` ?",
    "return best(next_q).sum()": "un `return` est-il oublié dans une fonction que",
    "return best(next_q, gamma)": "un appel n'a pas le nombre d'arguments",
    "return td_target(reward, terminated, next_q, gamma)": "s'appelle elle-même sans fin",
    "target = target + 1": "Une variable est lue avant",
    "return reward, gamma": "Un tuple est rendu",
    "if len(reward) > 1: return reward": "Rien n'est rendu",
    "return reward + float(input('gamma ? '))": "`input()` n'attend personne ici",
    "raise AttributeError('NoneType')": "la cible est r + γ max",  # ce que dit le texte n'est rien
}


def test_a_slip_is_named_instead_of_what_the_exercise_is_about():
    for line, hint in SLIPS.items():
        source = f"def best(q): q.max(dim=-1).values\n{HEAD}best(next_q)\n    {line}"
        assert hint in check(written(source)).hint, line


# Ce qui dure

LOOPS = {
    "nue": "while True: pass",
    "en une expression": "sum(map(lambda x: 0, itertools.count()))",
    "imbriquée": "while True:\n  try:\n   while True:\n    try:\n     while True: pass\n"
    "    except: pass\n  except: pass",
    "qui garde ses erreurs": "e = []\n while True:\n  try:\n   while True: pass\n"
    "  except BaseException as x: e.append(x)",
    "récursive": "try: f()\n except: f()\n f()",
    "qui ôte le traceur": "while True: sys.settrace(None)",
    "d'un message": "class A(Exception):\n  def __str__(self):\n   while True: pass\n raise A",
}
WAITS = {
    "dormir": "time.sleep(1e6)",
    "un verrou": "lock = threading.Lock()\n lock.acquire()\n lock.acquire()",
    "une expression régulière": "re.match('(a+)+$', 'a' * 40 + 'b')",
    "sans SIGINT": "signal.signal(signal.SIGINT, signal.SIG_IGN)\n while True: pass",
}


@pytest.mark.parametrize(
    "cases", [LOOPS, pytest.param(WAITS, marks=posix)], ids=["boucles", "attentes"]
)
def test_what_lasts_is_cut(short, cases):
    before = sys.gettrace(), signal.getsignal(signal.SIGINT), None
    for name, body in cases.items():
        assert "boucle sans fin" in ended(body).told, name
        after = sys.gettrace(), signal.getsignal(signal.SIGINT), sys.exception()
        assert after == before, name


def test_without_an_alarm_a_thread_counts(short, monkeypatch):
    monkeypatch.setattr(sandbox, "ALARM", None)
    monkeypatch.setattr(sandbox, "SIGNALS", [signal.SIGINT])
    for name in ("nue", "imbriquée", "qui garde ses erreurs"):
        assert "boucle sans fin" in ended(LOOPS[name]).told, name


def test_outside_of_the_main_thread_a_plain_loop_is_cut(short):
    told = []
    one = threading.Thread(target=lambda: told.append(ended(LOOPS["nue"]).told))
    one.start()
    one.join()
    assert "boucle sans fin" in told[0]


@posix
def test_the_reader_stops_even_what_catches_everything():
    gc.collect()  # levée dans ce qu'appelle le ramasse-miettes, l'interruption se perdrait
    me, before = threading.get_ident(), signal.getsignal(signal.SIGINT)
    threading.Timer(0.2, signal.pthread_kill, (me, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        ended(LOOPS["imbriquée"])
    with pytest.raises(KeyboardInterrupt):
        ended("raise KeyboardInterrupt")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_loop_cut_is_told_and_the_page_blank_cuts_it_too(short, monkeypatch):
    report = check(written(HEAD + "while True: pass"))
    assert not report.passed
    assert "plus de 0.2 secondes" in report.note
    monkeypatch.setattr(capstone, "PATIENCE", 1e-4)
    world = next(iter(drawn_worlds(np.random.default_rng(0))))
    assert "boucle sans fin" in capstone.attempt(written(HEAD + "while True: pass"), world, 0).told


@pytest.mark.skipif(not sandbox.STATM.exists(), reason="seul Linux borne la mémoire")
def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(sandbox, "ROOM", 2**28)
    for line in ("x = []\n while True: x.append(bytearray(10**7))", "list(itertools.repeat(0))"):
        assert "mémoire" in ended(line).told
        gc.collect()
    assert check(RIGHT).passed
    assert "mémoire" in check(target(lambda *_: np.zeros(10**12))).note


# Ce qui est dit


class Awkward(Exception):
    """Un objet qui ne se laisse ni comparer, ni montrer, ni lire."""

    def leave(self, *_, **__):
        raise SystemExit(3)

    __array__ = __eq__ = __repr__ = __str__ = __len__ = __getattr__ = leave
    __hash__ = None


def fails(error):
    raise error


def test_nothing_an_answer_does_raises_passes_or_fills_the_page():
    long, odd = "x" * 10**6, Awkward()
    errors = [lambda *_, one=one: fails(one) for one in (SystemExit(3), odd, ValueError(long))]
    values = [lambda *_, one=one: one for one in (odd, [odd], long, {long: 1}, [0.0] * 10**5)]
    others = [lambda reward, *_: reward.bool(), lambda reward, *_: reward[:0]]
    for rank, wrong in enumerate([*errors, *values, *others]):
        report = check(target(wrong))
        assert not report.passed, rank
        assert 0 < len(repr(report)) < len(report._repr_html_()) < 12_000, rank
    assert "votre fonction" in check(odd).note
    assert len(Report("x", note=long)._repr_html_()) < 2_200
    assert len(repr(check(written(f"def {long}(): ...", long)))) < 1_000


def test_what_is_printed_and_warned_does_not_clutter_the_page(capsys):
    def chatty(*given):
        print("bonjour", file=sys.stderr)
        print("bonjour")
        np.log(np.zeros(1))
        assert sys.stdout.getvalue() == ""  # rien ne s'accumule
        return RIGHT(*given)

    assert check(target(chatty)).passed
    assert capsys.readouterr() == ("", "")


# Ce qui est remis


def unsettle():
    vars(np.random)["seed"](0)
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    np.seterr(all="raise")
    np.set_printoptions(precision=1)
    os.chdir("/")
    os.environ["CARTPOLE"] = os.environ.pop("PATH")
    sys.setrecursionlimit(150)
    sys.stdout = None
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.settrace(lambda *_: None)


def settings():
    state = vars(np.random)["get_state"]
    return (
        (state()[1].tolist(), torch.get_rng_state().tolist(), torch.is_grad_enabled()),
        (torch.get_default_dtype(), np.geterr(), np.get_printoptions(), os.getcwd()),
        (dict(os.environ), sys.getrecursionlimit(), sys.stdout, builtins.input),
        (signal.getsignal(signal.SIGINT), sys.gettrace()),
    )


def test_every_shared_setting_is_put_back():
    before = settings()
    assert contained(lambda _: unsettle(), None).kind == ""
    assert settings() == before


def test_randomness_left_to_chance_differs_from_one_run_to_the_next():
    for draw in (lambda _: torch.rand(3).tolist(), lambda _: vars(np.random)["rand"](3).tolist()):
        assert contained(draw, None).value != contained(draw, None).value


def test_a_judge_that_was_tampered_with_still_judges():
    tools = [(np, "asarray"), (torch.Tensor, "max"), (builtins, "len"), (Report, "passed")]
    tools += [(checking, "same"), (sandbox, "told")]
    wrong = target(lambda reward, *_: reward)
    for space, name in tools:
        for change in (lambda *one: setattr(*one, lambda *_, **__: True), delattr):
            bad = functools.partial(change, space, name)
            check(target(lambda *_, bad=bad: bad()))
            assert check(RIGHT).passed is True, name
            assert check(wrong).passed is False, name
