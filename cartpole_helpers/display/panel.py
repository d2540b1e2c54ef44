"""Le panneau d'entraînement : des curseurs, un départ, une pause, des courbes qui avancent."""

import threading
from base64 import b64encode
from collections.abc import Callable
from inspect import signature
from time import perf_counter

from traitlets import Bool, Dict, List

from cartpole_helpers.agent import Agent
from cartpole_helpers.checks import check_choice, check_number, check_seed
from cartpole_helpers.config import VERSION_2, Config
from cartpole_helpers.display import figures, settings
from cartpole_helpers.display.background import READY, RUNNING, Background
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.run import Examiner, Run
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.typography import typography
from cartpole_helpers.display.widget import COMMON, Page, bundle
from cartpole_helpers.history import History
from cartpole_helpers.training import Training

LIVE_PERIOD, CURVES_PERIOD = 0.05, 0.25  # s entre deux nouvelles du chariot, des courbes
KEPT_RUNS = 5  # essais passés qui restent à l'écran
PACES = {
    "sans frein": None,
    "200 tours par seconde": 200.0,
    "50 tours par seconde : temps réel": 50.0,
    "10 tours par seconde": 10.0,
}


def panel(config: Config = VERSION_2, seed: int = 0) -> "Panel":
    """Rend un panneau qui entraîne un agent, réglé d'abord comme `config`, de graine `seed`.

    Affichez-le en dernière ligne d'une cellule. L'entraînement se fait dans un autre fil : le
    carnet reste libre. La cellule suivante y lit `agent`, `history` et `config`. Le panneau de
    `teaching.panel` sait en plus diagnostiquer son entraînement.
    """
    return Panel(config, seed)


class Panel(Page):
    """Un panneau ; ses boutons sont aussi des méthodes : `start`, `pause`, `step`, `stop`, `clear`.

    `examiner`, si on le donne, fait d'un `Training` ce qui l'examine (`Examiner`) ; un bouton de
    plus, ou `diagnose`, montre alors ce qu'il en conclut.
    La même graine donne le même entraînement que `train(config, seed)`, au bit près.
    """

    code = bundle(*COMMON, "web/chart.mjs", "web/panel.mjs")
    fields = List().tag(sync=True)  # ce qui ne change pas : les groupes de curseurs
    presets = List().tag(sync=True)
    paces = List().tag(sync=True)
    form = Dict().tag(sync=True)  # ce que l'on a réglé
    status = Dict().tag(sync=True)  # où l'on en est
    current = Dict().tag(sync=True)  # les courbes de l'essai en cours ou du dernier
    past = List().tag(sync=True)  # celles des essais précédents
    examined = Bool().tag(sync=True)  # un bouton demande-t-il le diagnostic ?
    diagnosis = Dict().tag(sync=True)  # le dernier que l'on ait demandé, de l'essai montré

    def __init__(
        self,
        config: Config = VERSION_2,
        seed: int = 0,
        examiner: Callable[[Training], Examiner] | None = None,
    ):
        if not isinstance(config, Config):
            raise TypeError(f"config doit être un Config : {config!r} reçu.")
        self._start_config, self._wanted, self._seed = config, config, check_seed("seed", seed)
        self._pace, self._examiner = next(iter(PACES)), examiner
        self._run: Run | None = None
        self._work: Background | None = None
        self._left: Background | None = None  # le calcul que le départ de la page a suspendu
        self._tries = self._views = 0
        self._publishing = threading.RLock()  # le fil de l'entraînement publie lui aussi
        super().__init__(
            fields=_described_fields(config),
            presets=[*settings.PRESETS],
            paces=[*PACES],
            examined=examiner is not None,
        )
        self._publish_form()
        self._publish(curves=True)

    # Ce que l'on règle

    @property
    def config(self) -> Config:
        """Ce que disent les curseurs : la configuration du prochain essai."""
        return self._wanted

    @property
    def seed(self) -> int:
        """La graine du prochain essai."""
        return self._seed

    def set(self, **changes) -> None:
        """Règle des champs de la configuration du prochain essai, par exemple `gamma=0.9`.

        ValueError ou TypeError si un champ n'existe pas ou ne convient pas ; rien n'est alors
        changé.
        """
        self._wanted = settings.changed(self._wanted, **changes)
        self._publish_form()

    def use(self, preset: str) -> None:
        """Reprend tous les champs d'un préréglage : VERSION_1, VERSION_2 ou QUICK."""
        self._wanted = settings.PRESETS[check_choice("preset", preset, [*settings.PRESETS])]
        self._publish_form()

    # Ce que l'on fait

    def start(self) -> None:
        """Lance un essai avec les réglages affichés, ou reprend celui qui est en pause."""
        self._ready_work().start()
        self._restart_clock()
        self._publish(curves=True)

    def pause(self) -> None:
        """Suspend l'essai en cours ; `start` ou `step` le reprend."""
        if self._work is not None:
            self._work.pause()
            self._publish(curves=True)

    def step(self) -> None:
        """Fait un seul tour de boucle, puis suspend."""
        self._ready_work().step()
        self._publish(curves=True)

    def stop(self) -> None:
        """Arrête l'essai pour de bon, sans attendre ; son agent et ses courbes restent."""
        if self._work is not None:
            self._work.stop()

    def clear(self) -> None:
        """Arrête l'essai et efface toutes les courbes ; les réglages restent."""
        self.stop()
        with self._publishing:
            self._run = self._work = None
            self._tries, self.past, self.diagnosis = 0, [], {}
            self._publish(curves=True)

    def wait(self, timeout: float | None = None) -> None:
        """Attend la fin de l'essai, `timeout` secondes au plus ; lève l'erreur qui l'a interrompu.

        Le bouton d'arrêt de Jupyter met l'essai en pause, et cesse d'attendre. TimeoutError s'il
        n'a pas fini à temps, RuntimeError s'il n'a pas commencé ou est en pause.
        """
        if self._work is None:
            raise RuntimeError("Rien à attendre : aucun essai n'a commencé.")
        try:
            self._work.wait(timeout)
        except KeyboardInterrupt:
            self.pause()
            print(typography("Attente interrompue : l'essai est en pause, « Reprendre » continue."))

    def diagnose(self) -> None:
        """Montre sous les courbes ce que dit, à cet instant, l'examen de l'essai en cours, ou du
        dernier ; il ne s'arrête pas.

        ValueError si ce panneau n'examine rien, ou si aucun essai n'a commencé.
        """
        if self._examiner is None:
            raise ValueError(
                "Ce panneau n'examine pas ses essais : ouvrez celui de `teaching.panel`."
            )
        if self._run is None:
            raise ValueError("Aucun essai n'a commencé : il n'y a rien à diagnostiquer.")
        run, label = self._run, self._label()
        lines, picture = run.examiner.report(label)
        shown = {
            "label": f"{label}, après {number(run.now()['env_steps'])} pas",
            "lines": lines,
            "image": b64encode(picture.image).decode(),
            "alt": picture.alt,
        }
        with self._publishing:
            if run is self._run:  # sinon, effacé pendant que l'on regardait
                self.diagnosis = shown

    @property
    def agent(self) -> Agent:
        """L'agent de l'essai en cours ou du dernier, tel qu'il est à cet instant."""
        return self._latest().agent

    @property
    def history(self) -> History:
        """Ce que l'essai en cours, ou le dernier, a laissé jusqu'ici."""
        return self._latest().history

    def _latest(self) -> Run:
        if self._run is None:
            raise RuntimeError("Aucun essai n'a commencé : appuyez sur « Démarrer ».")
        return self._run

    def _ready_work(self) -> Background:
        """Rend l'essai en cours, ou un nouveau si le dernier est fini."""
        self._left = None
        if self._work is None or self._work.is_over:
            run = Run(self._wanted, self._seed, self._examiner)
            if self._run is not None:
                self.past = [*self.past, self._described_run()][-KEPT_RUNS:]
            self._run, self._tries, self.diagnosis = run, self._tries + 1, {}
            self._work = Background(run.turns(), lambda: self._on_turn(run), PACES[self._pace])
            self._shown = self._drawn = 0.0
            self._restart_clock()
        return self._work

    # Ce que dit la page

    def receive(self, message: dict, buffers: list) -> None:
        """Fait ce que demande un bouton ou un curseur."""
        actions = {
            "start": self.start,
            "pause": self.pause,
            "step": self.step,
            "stop": self.stop,
            "clear": self.clear,
            "diagnose": self.diagnose,
            "set": self._on_slider,
            "use": self.use,
            "seed": self._on_seed,
            "pace": self._on_pace,
            "open": self._on_open,
            "close": self._on_close,
            "leave": self._on_leave,
        }
        action = actions[check_choice("do", message.get("do"), [*actions])]
        arguments = {name: value for name, value in message.items() if name not in ("do", "id")}
        if set(arguments) != set(signature(action).parameters):
            raise ValueError(f"Message incompris : {message!r} reçu.")
        action(**arguments)

    def _on_slider(self, field: str, rank: int) -> None:
        values = settings.choices(field, self._start_config)
        self.set(**{field: values[check_number("rank", rank, int, low=0, high=len(values) - 1)]})

    def _on_seed(self, seed: int) -> None:
        self._seed = check_seed("seed", seed)
        self._publish_form()

    def _on_pace(self, pace: str) -> None:
        self._pace = check_choice("pace", pace, [*PACES])
        if self._work is not None:
            self._work.pace = PACES[pace]
            self._restart_clock()
        self._publish_form()

    def _on_open(self) -> None:
        """Reprend l'essai qu'une page rechargée avait laissé."""
        self._views += 1
        if self._left is not None and self._left is self._work and not self._left.is_over:
            self.start()

    def _on_close(self) -> None:
        """Suspend l'essai que plus personne ne regarde : on a exécuté de nouveau la cellule."""
        self._views = max(self._views - 1, 0)
        if not self._views and self._work is not None and self._work.phase == RUNNING:
            self._left = self._work
            self.pause()

    def _on_leave(self) -> None:
        """Suspend l'essai dont la page est rechargée ou fermée, avec toutes ses vues."""
        self._views = 0
        self._on_close()

    # Ce que l'on montre

    def _on_turn(self, run: Run) -> None:
        """Donne des nouvelles, assez souvent pour l'œil, assez peu pour ne rien coûter."""
        with self._publishing:
            if run is not self._run:  # effacé, ou remplacé par un autre essai
                return
            self._publish_turn()

    def _publish_turn(self) -> None:
        now, running = perf_counter(), self._work.phase == RUNNING
        if running and now - self._shown < LIVE_PERIOD:
            return
        self._shown = now
        curves = not running or now - self._drawn >= CURVES_PERIOD
        if curves:
            self._drawn = now
        self._publish(curves)

    def _publish(self, curves: bool) -> None:
        with self._publishing:
            work, run = self._work, self._run
            self.status = {
                "phase": work.phase if work else READY,
                "error": settings.told(work.error) if work else "",
                "now": run.now() if run else None,
                "remaining": self._remaining(),
                "pending": bool(run) and (run.config, run.seed) != (self._wanted, self._seed),
            }
            if curves:
                self.current = self._described_run() if run else {}

    def _publish_form(self) -> None:
        with self._publishing:
            config = self._wanted
            self.form = {
                "chosen": {
                    name: {
                        "rank": settings.rank(name, self._start_config, config),
                        "text": settings.written(getattr(config, name)),
                    }
                    for name in settings.slider_names()
                },
                "preset": settings.NAMES.get(config),
                "seed": self._seed,
                "pace": self._pace,
                "line": settings.python_line(config),
            }
            self._publish(curves=False)

    def _described_run(self) -> dict:
        run = self._run
        return {
            "rank": self._tries - 1,
            "label": self._label(),
            "line": settings.python_line(run.config),
            "total": run.config.total_steps,
            "reached": min(run.now()["env_steps"], run.config.total_steps),
            "gamma": run.config.gamma,
            "curves": run.curves(),
        }

    def _label(self) -> str:
        run = self._run
        return f"{self._tries} · {settings.described(run.config)}, graine {run.seed}"

    def _restart_clock(self) -> None:
        self._clock = perf_counter(), self._run.now()["env_steps"]

    def _remaining(self) -> float | None:
        """Rend les secondes qui restent, au rythme d'à présent ; None si l'on n'en sait rien."""
        if self._work is None or self._work.phase != RUNNING:
            return None
        since, before = self._clock
        done = self._run.now()["env_steps"]
        if done == before:
            return None
        return (self._run.config.total_steps - done) * (perf_counter() - since) / (done - before)

    @property
    def still(self) -> Picture:
        """L'image du dernier essai, ou du jeu si aucun n'a commencé."""
        greedy = self.current.get("curves", {}).get("greedy", {"x": []})
        if not greedy["x"]:
            title = "Ici, un panneau entraîne un agent sous vos yeux, une fois la cellule exécutée"
            return figures.cart_diagram((0.0, 0.0, 0.05, 0.0), 1, title)
        return figures.curves(
            greedy["x"],
            {"sans hasard, 20 épisodes": greedy["y"]},
            f"{self.current['label']} : {number(greedy['y'][-1])} pas à la dernière évaluation",
            ("pas de jeu", "retour moyen (pas)"),
        )


def _described_fields(start: Config) -> list[dict]:
    """Rend les groupes de curseurs : leurs noms, leurs phrases d'aide, leurs valeurs écrites."""
    return [
        {
            "group": group,
            "fields": [
                {
                    "name": name,
                    "label": label,
                    "help": settings.help_lines()[name],
                    "choices": [*map(settings.written, settings.choices(name, start))],
                }
                for name, (label, _) in names.items()
            ],
        }
        for group, names in settings.SLIDERS.items()
    ]
