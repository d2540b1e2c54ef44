"""Le diagnostic d'un entraînement : les maladies, leurs signes, et ce qu'un relevé en montre."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cartpole_helpers.checks import check_choice
from cartpole_helpers.display.numbers import measure
from cartpole_helpers.display.report import INDENT, as_html, as_text
from cartpole_helpers.environments import CARTPOLE, solved_return
from cartpole_helpers.history import History
from cartpole_helpers.teaching.clinic.charts import Chart, checked_chart, from_history
from cartpole_helpers.teaching.clinic.references import CARTPOLE_GAME, Game
from cartpole_helpers.teaching.misconceptions import MISCONCEPTIONS

# Deux seuils qui servent deux fois
FROZEN = 1e-6  # part de sa valeur en deçà de laquelle une cible n'a pas bougé
MISSED = 0.1  # part des chutes en mémoire que l'on peut mal dire


# Les signes


class Sign(NamedTuple):
    """Une mesure du relevé, et le seuil au-dessus duquel elle parle, ou en dessous si `below`.

    `needs` : les colonnes du relevé qu'elle lit. `fact` : sans degrés, il est là ou n'y est pas.
    """

    measure: Callable[[Chart], float]
    threshold: float
    needs: tuple[str, ...]
    below: bool = False
    fact: bool = False

    def degree(self, chart: Chart) -> float:
        """Rend 1 au seuil, plus au-delà, NaN si la mesure manque ; d'un fait, l'infini ou 0."""
        value = self.measure(chart)
        if np.isnan(value):
            return math.nan
        if self.fact:
            shown = value <= self.threshold if self.below else value > self.threshold
            return math.inf if shown else 0.0
        if self.below:
            return self.threshold / value if value > 0 else math.inf
        return value / self.threshold


class Illness(NamedTuple):
    """Une maladie : ce qui est faux, ses signes, ce qu'on en dit, l'examen, le remède.

    `fault` : ce qui est faux dans le programme. Il faut tous les `signs`, ou un seul si `either`.
    `notion` : l'idée fausse que les exercices font aussi rencontrer, s'il y en a une. `one_sided` :
    ses signes n'ont de sens que si les récompenses du jeu sont toutes d'un même signe.
    """

    name: str
    fault: str
    signs: tuple[Sign, ...]
    evidence: Callable[[Chart], str]
    test: str
    cure: str
    either: bool = False
    notion: str = ""
    one_sided: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """Les colonnes du relevé que lisent ses signes."""
        return tuple(dict.fromkeys(name for sign in self.signs for name in sign.needs))


def late(values: np.ndarray) -> np.float64:
    """Rend la médiane du dernier tiers de `values` (K,), mesures manquantes exclues."""
    return _median(_last_third(values))


def _last_third(values: np.ndarray, least: int = 1) -> np.ndarray:
    return values[-max(len(values) // 3, least) :]


def _median(values: np.ndarray) -> np.float64:
    return _known(np.median, values)


def _peak(values: np.ndarray) -> np.float64:
    return _known(np.max, values)


def _least(values: np.ndarray) -> np.float64:
    return _known(np.min, values)


def _known(summary: Callable, values: np.ndarray) -> np.float64:
    known = values[~np.isnan(values)]
    return np.float64(summary(known)) if len(known) else np.float64(np.nan)


def _learning(chart: Chart) -> np.ndarray:
    """Dit à quels instants (K,) des mises à jour ont déjà eu lieu."""
    return chart.gradient_steps > 0


# Les mesures qui demandent plus d'une ligne


def _range_of_epsilon(chart: Chart) -> float:
    tail = _last_third(chart.epsilon)
    return _peak(tail) - _least(tail)


def update_rate(chart: Chart) -> np.float64:
    """Rend le nombre de mises à jour par pas de jeu, sur la dernière moitié."""
    half = slice(len(chart.env_steps) // 2, None)
    steps, updates = chart.env_steps[half], chart.gradient_steps[half]
    return (updates[-1] - updates[0]) / (steps[-1] - steps[0])


def _behind(chart: Chart) -> float:
    """Rend combien de fois le retour en jouant dépasse celui de la politique évaluée.

    Là où chaque pas coûte, c'est l'inverse : le plus grand en valeur absolue est le moins bon.
    """
    ratio = late(chart.played) / late(chart.greedy)
    return 1 / ratio if chart.game.high <= 0 else ratio


def _behind_and_different(chart: Chart) -> float:
    # Un creux passager éloigne les retours, non les actions : il faut les deux, si on les a.
    return _behind(chart) * late(chart.disagreement)


def _behind_at_least(chart: Chart) -> float:
    return _behind(chart) if np.isnan(late(chart.disagreement)) else np.nan


def cost_of_falls(chart: Chart) -> float:
    """Rend ce que les chutes coûteraient à une perte bien masquée, en nombre de fois la perte."""
    return late(chart.fall_cost) / late(chart.loss)


def unexplained(chart: Chart) -> float:
    """Rend la perte en nombre de fois la variance de Q : alignée, une cible y laisse son relief.

    Infini à CartPole, où les chutes distinguent toujours les états : plat, Q y est faux. Ailleurs,
    tant que rien ne finit, tous les états se valent.
    """
    if _at_cartpole(chart):
        return math.inf
    return late(chart.loss) / np.square(late(chart.flatness) * late(chart.q_safe))


def missed_ends(chart: Chart) -> float:
    """Rend la part des chutes en mémoire qui ne se disent pas terminées."""
    return late(chart.missed_ends)


def _target_moves(chart: Chart) -> float:
    """Rend l'étendue de ce que rend la cible, en part de sa plus grande valeur."""
    values = chart.target_safe[_learning(chart)]
    return (_peak(values) - _least(values)) / max(_peak(np.abs(values)), 1e-3)


def target_delay(chart: Chart) -> float:
    """Rend de combien la cible est loin derrière le réseau principal, en part de sa valeur."""
    return 1 - late(chart.target_safe) / late(chart.q_safe)


def closest(chart: Chart) -> np.float64:
    """Rend le plus grand écart des deux réseaux, une fois l'apprentissage commencé."""
    return _peak(chart.lag[_learning(chart)])


def _target_follows(chart: Chart) -> float:
    """Rend 1 si la cible bouge, 0 si elle est figée."""
    moves = _target_moves(chart)
    return np.nan if np.isnan(moves) else float(moves > FROZEN)


def _share_without_falls(chart: Chart) -> float:
    """Rend la part des relevés où la mémoire, qui n'est pas vide, ne contient aucune chute."""
    known = chart.stored_falls[chart.stored > 0]
    known = known[~np.isnan(known)]
    return float(np.mean(known == 0)) if len(known) else math.nan


def _late_rise(chart: Chart) -> np.float64:
    """Rend ce que Q, états sûrs, a gagné dans son dernier tiers, en part de sa médiane."""
    values = chart.q_safe
    first, last = np.array_split(_last_third(values, 2), 2)
    return np.abs((_median(last) - _median(first)) / late(values))


def kept_reward(chart: Chart) -> float:
    """Rend la récompense mémorisée, en part de ce que rapporte un pas du jeu."""
    return late(np.abs(chart.stored_reward)) / np.float64(chart.game.size)


def blow_up(chart: Chart) -> np.float64:
    """Rend la plus grande valeur atteinte, ou la racine de la perte, en nombre de récompenses.

    NaN si elle est finie et que l'on n'a encore rien gagné : elle n'a pas d'unité.
    """
    peak = _peak(np.fmax(chart.q_limit, np.sqrt(np.abs(chart.loss))))
    return peak if np.isinf(peak) else peak / np.float64(chart.game.largest or np.nan)


def horizon(chart: Chart) -> np.float64:
    """Rend le nombre de pas que voient les valeurs : r / (1 − γ), γ estimé ; infini si γ ≥ 1.

    À n pas, r et γⁿ remplacent r et γ : l'horizon est le même. L'unité de r est ce que rapporte un
    pas du jeu ; plus petite, elle est comptée pour 1 : elle ne raccourcit pas la vue.
    """
    left = 1 - late(chart.discount)
    reward = np.maximum(np.abs(late(chart.stored_reward)) / chart.game.size, 1)
    return np.where(left <= 0, np.inf, reward / left)[()]


# Ce qu'on en dit


def uncapitalised(text: str) -> str:
    """Rend `text` sans sa majuscule, pour le mettre après deux points."""
    return text[0].lower() + text[1:]


def written(value: float) -> str:
    """Écrit une mesure à la française, à trois chiffres significatifs."""
    if not math.isfinite(value):
        return "l'infini" if value > 0 else "une valeur non finie"
    return measure(value)


def _share(value: float) -> str:
    return f"{written(100 * value)} %"


def _at_cartpole(chart: Chart) -> bool:
    return chart.game.name == CARTPOLE


def _end(chart: Chart) -> str:
    """Rend le nom de ce qui finit un épisode."""
    return "chute" if _at_cartpole(chart) else "fin"


def _ends(chart: Chart) -> str:
    return f"{_end(chart)}s"


def _safe(chart: Chart) -> str:
    """Dit dans quels états on interroge les réseaux."""
    return "dans les états sûrs" if _at_cartpole(chart) else "au début d'un épisode"


def _worthless(chart: Chart) -> str:
    usual = "une" if _at_cartpole(chart) else f"{written(chart.game.size)}, au signe près"
    return (
        f"La récompense moyenne en mémoire vaut {written(late(chart.stored_reward))}, "
        f"alors que chaque pas joué en rapporte {usual}."
    )


def _clocked(chart: Chart) -> str:
    standing = "la tige y est encore debout" if _at_cartpole(chart) else "le jeu n'y est pas fini"
    return (
        f"Jusqu'à {_share(_peak(chart.false_ends))} des transitions en mémoire se disent "
        f"terminées alors que {standing}."
    )


def _blown_up(chart: Chart) -> str:
    most = (
        "un épisode ne rapporte pas plus de 500"
        if _at_cartpole(chart)
        else f"un pas ne rapporte pas plus de {written(chart.game.largest)}, au signe près"
    )
    return (
        f"Q atteint {written(_peak(chart.q_limit))} et la perte {written(_peak(chart.loss))}, "
        f"alors qu'{most}."
    )


def _unmasked(chart: Chart) -> str:
    """Dit ce qui montre que les chutes ne sont pas masquées : le drapeau, ou la perte."""
    if (missed := missed_ends(chart)) > MISSED:
        return f"{_share(missed)} des {_ends(chart)} en mémoire ne se disent pas terminées."
    return (
        f"Les {_ends(chart)} en mémoire coûteraient à elles seules "
        f"{written(late(chart.fall_cost))} à une "
        f"perte bien masquée ; la perte affichée vaut {written(late(chart.loss))}."
    )


ILLNESSES: tuple[Illness, ...] = (
    Illness(
        "perte négative",
        "on monte la perte au lieu de la descendre.",
        (Sign(lambda c: -_least(c.loss), 0, ("loss",), fact=True),),
        lambda c: (
            "Une erreur au carré n'est jamais négative, or la perte descend à "
            f"{written(_least(c.loss))}."
        ),
        "Calculer la perte d'un lot à la main : (1 − 3)² donne 4.",
        "Ôter le signe moins : on descend la perte, on ne la monte pas.",
        notion="un signe à l'envers",
    ),
    Illness(
        "récompense perdue",
        "la récompense mémorisée est nulle, ou presque.",
        (Sign(kept_reward, 0.01, ("stored_reward",), below=True),),
        _worthless,
        "Ajouter une transition de récompense 0,5 à la mémoire et la relire.",
        "Donner à la récompense un type flottant, et l'enregistrer telle que l'environnement "
        "la rend.",
        one_sided=True,
    ),
    Illness(
        "troncature prise pour une chute",
        "la limite de temps est mémorisée comme une fin.",
        (Sign(lambda c: _peak(c.false_ends), 0, ("false_ends",), fact=True),),
        _clocked,
        "Relire les transitions terminées : le jeu y finit-il vraiment, et à quel pas ?",
        "Ne mémoriser que `terminated` ; `truncated` arrête l'épisode sans annuler l'avenir.",
        notion="le chronomètre pour une chute",
    ),
    Illness(
        "masque oublié",
        "la cible d'une fin compte encore une suite.",
        (
            Sign(cost_of_falls, 5, ("fall_cost", "loss")),
            Sign(missed_ends, MISSED, ("missed_ends",)),
        ),
        _unmasked,
        "Calculer la cible d'une fin : elle doit valoir la récompense, sans rien d'autre.",
        "Annuler γ max Q(s', a') dans la cible quand `terminated` est vrai, et mémoriser "
        "`terminated` tel que l'environnement le rend.",
        either=True,
        notion="aucun masque",
    ),
    Illness(
        "valeurs qui explosent",
        "chaque cible dépasse la précédente, sans borne.",
        (Sign(blow_up, 3_000, ("q_limit", "loss")),),
        _blown_up,
        "Diviser par dix le taux d'apprentissage, mêmes graines : si Q explose encore, même plus "
        "tard, la cible est fausse.",
        "Réduire le taux d'apprentissage ; si la cible est fausse, prendre γ < 1 et masquer les "
        "fins.",
    ),
    Illness(
        "ε bloqué haut",
        "on joue surtout au hasard jusqu'au bout.",
        (
            Sign(lambda c: late(c.epsilon), 0.75, ("epsilon",)),
            Sign(_range_of_epsilon, 0.01, ("epsilon",), below=True, fact=True),
        ),
        lambda c: (
            f"À la fin, ε vaut encore {written(late(c.epsilon))}, et ne bouge plus : l'agent "
            f"joue surtout au hasard, pour un retour de {written(late(c.played))} en jouant."
        ),
        "Tracer ε : descend-il, et sa descente compte-t-elle les pas, non les épisodes ?",
        "Faire descendre ε jusqu'à 0,1 ou 0,5 selon la recette.",
        notion="toujours au hasard",
    ),
    Illness(
        "aucune exploration",
        "on ne joue jamais au hasard.",
        (Sign(lambda c: _peak(c.epsilon), 0.01, ("epsilon",), below=True),),
        lambda c: f"ε n'a jamais dépassé {written(_peak(c.epsilon))}.",
        "Compter les actions jouées qui ne sont pas celles que Q préfère.",
        "Partir de ε = 1 et le faire descendre sur les premiers milliers de pas.",
        notion="aucune exploration",
    ),
    Illness(
        "mises à jour trop rares",
        "on joue beaucoup, on apprend rarement.",
        (Sign(update_rate, 1 / 128, ("gradient_steps",), below=True),),
        lambda c: f"Il y a {written(1_000 * update_rate(c))} mises à jour pour 1 000 pas de jeu.",
        "Apprendre deux fois plus souvent : Q monte-t-il deux fois plus vite ?",
        "Apprendre à chaque tour de boucle, et non une fois par épisode.",
    ),
    Illness(
        "politique évaluée périmée",
        "on évalue d'anciens poids, non ceux qui apprennent.",
        (
            Sign(_behind_and_different, 0.75, ("played", "greedy", "disagreement")),
            Sign(_behind_at_least, 4, ("played", "greedy")),
        ),
        lambda c: (
            f"En jouant, le retour est de {written(late(c.played))} ; la politique évaluée, "
            f"sans hasard, n'obtient que {written(late(c.greedy))}."
        ),
        "Évaluer le réseau principal lui-même, au même instant.",
        "Évaluer le réseau que l'on entraîne, ou une moyenne assez récente de ses poids.",
        either=True,
        one_sided=True,
    ),
    Illness(
        "cible jamais synchronisée",
        "le réseau cible garde ses premiers poids.",
        (
            Sign(
                _target_moves,
                FROZEN,
                ("target_safe", "gradient_steps"),
                below=True,
                fact=True,
            ),
        ),
        lambda c: (
            f"Le réseau cible rend {written(late(c.target_safe))} du début à la fin, quand "
            f"le réseau principal en est à {written(late(c.q_safe))}."
        ),
        "Comparer un poids du réseau cible avant et après la date de sa synchronisation.",
        "Recopier les poids toutes les quelques dizaines de mises à jour, ou en verser un peu à "
        "chacune.",
        notion="la cible jamais rapprochée",
    ),
    Illness(
        "cible trop lente",
        "le réseau cible suit de trop loin.",
        (
            Sign(target_delay, 0.2, ("target_safe", "q_safe")),
            Sign(_target_follows, 1, ("target_safe", "gradient_steps")),
        ),
        lambda c: (
            f"Le réseau cible en est à {written(late(c.target_safe))} {_safe(c)}, et le réseau "
            f"principal à {written(late(c.q_safe))}."
        ),
        "Doubler la fréquence des synchronisations : Q(s) monte-t-il deux fois plus vite ?",
        "Synchroniser plus souvent, ou verser une plus grande part à chaque fois.",
        one_sided=True,
    ),
    Illness(
        "pas de réseau cible",
        "le réseau qui apprend calcule aussi sa cible.",
        (Sign(closest, 0, ("lag", "gradient_steps"), below=True, fact=True),),
        lambda c: (
            "La cible et le réseau principal rendent toujours les mêmes valeurs : l'écart "
            f"est de {written(closest(c))}."
        ),
        "Comparer les deux réseaux juste avant une synchronisation.",
        "Garder une copie, et ne la rapprocher que peu à peu.",
    ),
    Illness(
        "unités mortes",
        "des unités rendent la même chose dans tous les états.",
        (Sign(lambda c: late(c.dead), 0.6, ("dead",)),),
        lambda c: (
            f"{_share(late(c.dead))} des unités cachées rendent la même chose dans tous les états."
        ),
        "Regarder les biais et la sortie de chaque couche avant la première mise à jour.",
        "Revoir l'initialisation, baisser le taux d'apprentissage, ou changer d'activation.",
    ),
    Illness(
        "taux d'apprentissage trop grand",
        "chaque mise à jour déplace trop les poids.",
        (Sign(lambda c: _peak(c.drift), 0.012, ("drift",)),),
        lambda c: (
            f"Les poids se sont déplacés, en moyenne, de {written(_peak(c.drift))} par mise à jour."
        ),
        "Diviser le taux d'apprentissage par dix et comparer.",
        "Prendre un taux d'apprentissage entre 0,0005 et 0,01 avec Adam.",
    ),
    Illness(
        "taux d'apprentissage trop petit",
        "chaque mise à jour les déplace trop peu.",
        (Sign(lambda c: _peak(c.drift), 3e-5, ("drift",), below=True),),
        lambda c: (
            "Les poids ne se sont jamais déplacés, en moyenne, de plus de "
            f"{written(_peak(c.drift))} par mise à jour."
        ),
        "Multiplier le taux d'apprentissage par dix : la perte change-t-elle d'allure ?",
        "Prendre un taux d'apprentissage entre 0,0005 et 0,01 avec Adam.",
    ),
    Illness(
        "taux d'apprentissage tombé au plancher",
        "il décroît si vite qu'on cesse d'apprendre.",
        (Sign(lambda c: late(c.drift) / _peak(c.drift), 1 / 500, ("drift",), below=True),),
        lambda c: (
            f"Les poids se déplaçaient, en moyenne, de {written(_peak(c.drift))} par mise à jour ; "
            f"à la fin, de {written(late(c.drift))}."
        ),
        "Afficher le taux d'apprentissage : après combien de mises à jour est-il au plancher ?",
        "Le faire décroître moins vite, ou relever le plancher.",
    ),
    Illness(
        "lot trop petit",
        "une mise à jour voit trop peu de transitions.",
        (Sign(lambda c: _median(c.loss_spread), 2.15, ("loss_spread",)),),
        lambda c: (
            "Une mise à jour sur dix a une perte au moins "
            f"{written(np.exp(_median(c.loss_spread)))} fois plus petite que la perte médiane."
        ),
        "Compter les transitions d'un lot au moment de la mise à jour.",
        "Tirer au moins 32 transitions par lot, et attendre que la mémoire les contienne.",
    ),
    Illness(
        "mémoire sans chute",
        "elle les oublie toutes, ou n'en a reçu aucune.",
        (Sign(_share_without_falls, 0.1, ("stored_falls", "stored")),),
        lambda c: (
            f"Dans {_share(_share_without_falls(c))} des relevés, la mémoire "
            f"({written(late(c.stored))} transitions) ne contient plus une seule {_end(c)}."
        ),
        "Suivre Q juste avant une fin : y monte-t-il pendant que tout va bien ?",
        "Agrandir la mémoire, ou y réserver une place aux fins.",
    ),
    Illness(
        "cible mal alignée",
        "une valeur est comparée aux cibles des autres transitions.",
        (
            Sign(lambda c: late(c.flatness), 0.03, ("flatness",), below=True),
            Sign(cost_of_falls, 0.25, ("fall_cost", "loss")),
            Sign(cost_of_falls, 4, ("fall_cost", "loss"), below=True),
            Sign(unexplained, 1, ("loss", "flatness", "q_safe")),
        ),
        lambda c: (
            f"Q ne varie que de {_share(late(c.flatness))} d'un état à l'autre, et la perte "
            f"reste à {written(late(c.loss))} : chaque état apprend la moyenne des cibles."
        ),
        "Afficher les formes de Q(s, a) et de la cible avant la soustraction.",
        "Donner aux deux la forme (B,) : (B, 1) contre (B,) fait un tableau (B, B).",
        notion="un axe de trop",
    ),
    Illness(
        "γ = 1 ou presque",
        "l'avenir compte autant que le présent.",
        (Sign(lambda c: late(c.discount), 0.994, ("discount",)),),
        lambda c: (
            f"Les valeurs se suivent comme si γ valait {written(late(c.discount))} ; "
            f"{_safe(c)}, elles en sont à {written(late(c.q_safe))}."
        ),
        "Prolonger : si γ < 1, Q s'arrête à 1/(1 − γ) ; sinon il monte toujours.",
        "Prendre γ entre 0,95 et 0,99.",
        notion="γ oublié",
        one_sided=True,
    ),
    Illness(
        "γ trop petit",
        "l'avenir ne compte que sur quelques pas.",
        (
            Sign(horizon, 4, ("discount", "stored_reward"), below=True),
            Sign(_late_rise, 0.03, ("q_safe",), below=True),
        ),
        lambda c: f"Les valeurs ne voient que {written(horizon(c))} pas devant elles.",
        "Porter γ à 0,97 : Q monte-t-il loin d'une fin ?",
        "Prendre γ entre 0,95 et 0,99.",
        one_sided=True,
    ),
)
"""Les maladies, de celle dont le signe est le plus direct à celle dont il est le plus ambigu.

N'y sont pas, faute d'une trace assez nette : Double DQN ou non, une cible qui glisse ou que l'on
recopie, un lot de 4 ou de 64, ε = 0,1 ou 0,01, un réseau un peu étroit. Une troncature mal
mémorisée ne se voit qu'une fois la limite de temps atteinte ; à un pas, γ = 0,995 ressemble à
γ = 1, et reçoit le même nom.
"""


def illness(name: str) -> Illness:
    """Rend la maladie de ce nom ; ValueError s'il n'est celui d'aucune."""
    known = {one.name: one for one in ILLNESSES}
    return known[check_choice("name", name, [*known])]


# Le diagnostic

HEALTHY = "rien d'anormal"
UNKNOWN = "pas assez de mesures"
ENOUGH = 6  # relevés en deçà desquels on ne conclut pas
POOR = 100  # retour sous lequel un entraînement n'a pas encore abouti


class Hypothesis(NamedTuple):
    """Une hypothèse, ce qui la fonde, et ce qu'il faut faire ensuite."""

    name: str
    evidence: str
    test: str
    cure: str
    taught: str = ""
    """Le carnet qui traite l'idée fausse, si les exercices la font aussi rencontrer."""


@dataclass(frozen=True)
class Diagnosis:
    """Les hypothèses, de la plus directe à la plus ambiguë ; en fin de cellule, il s'affiche."""

    hypotheses: tuple[Hypothesis, ...]
    unseen: tuple[str, ...]
    """Les maladies que ce relevé ne permet ni d'affirmer ni d'écarter."""
    enough: bool = True
    """Dit s'il y avait assez de mesures pour conclure."""
    returned: float = math.nan
    """Le retour des derniers relevés, glouton si on l'a mesuré, en jouant sinon."""
    game: Game = CARTPOLE_GAME
    """Le jeu d'où vient le relevé."""

    @property
    def verdict(self) -> str:
        """La première hypothèse, « rien d'anormal » ou « pas assez de mesures »."""
        if self.hypotheses:
            return self.hypotheses[0].name
        return HEALTHY if self.enough else UNKNOWN

    def __repr__(self) -> str:
        return as_text(self._lines())

    def _repr_html_(self) -> str:
        return as_html(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"Diagnostic : {self.verdict}"
        for rank, hypothesis in enumerate(self.hypotheses, 1):
            yield f"{rank}. {hypothesis.name}. {hypothesis.evidence}"
            yield f"{INDENT}Prochain examen : {uncapitalised(hypothesis.test)}"
            yield f"{INDENT}Remède : {uncapitalised(hypothesis.cure)}"
            if hypothesis.taught:
                yield f"{INDENT}Voir : {hypothesis.taught}"
        if not self.hypotheses and self.returned < poor_return(self.game.name):
            hidden = "cherchez un mal plus discret, ou que la liste ignore"
            lead = "relevez ce qui manque" if self.unseen else hidden
            yield (
                f"Le retour n'est pourtant que de {written(self.returned)} : entraînez plus "
                f"longtemps, ou {lead}."
            )
        if self.unseen:
            yield f"Ce relevé ne permet pas de juger : {', '.join(self.unseen)}."


def diagnose(records: Chart | History, agent: int = 0) -> Diagnosis:
    """Rend les hypothèses qu'appuient les mesures d'un entraînement ; de ses réglages, ε seul.

    `records` : un relevé (`monitor`, `chart`, `load_chart`), ou un `History`, comme celui du
    panneau, dont on lit l'agent de rang `agent`. Les signes dont les mesures manquent sont dits non
    vus ; en deçà de six relevés, le diagnostic est « pas assez de mesures ».
    """
    seen = _as_chart(records, agent)
    if len(seen.env_steps) < ENOUGH:
        return Diagnosis((), tuple(one.name for one in ILLNESSES), enough=False)
    degrees = {one: degree(one, seen) for one in ILLNESSES}
    found = tuple(_hypothesis(one, seen) for one, value in degrees.items() if value >= 1)
    unseen = tuple(one.name for one, value in degrees.items() if np.isnan(value))
    enough = len(unseen) < len(ILLNESSES)
    greedy = late(seen.greedy)
    returned = late(seen.played) if np.isnan(greedy) else greedy
    return Diagnosis(found, unseen, enough, float(returned), seen.game)


def poor_return(game: str) -> float:
    """Rend le retour sous lequel un entraînement n'a pas encore abouti ; NaN si on l'ignore."""
    if game == CARTPOLE:
        return POOR
    if ":" in game:  # chercher sa fiche importerait un module : lire un relevé n'exécute rien
        return math.nan
    try:
        known = solved_return(game)
    except ValueError:  # un jeu que ce processus n'a pas inscrit
        known = None
    return math.nan if known is None else known


def unseen_because(records: Chart | History, agent: int = 0) -> dict[str, str]:
    """Rend, pour chaque maladie qu'un relevé ne permet pas de juger, pourquoi, en une phrase.

    Ce que le jeu interdit (des récompenses des deux signes), les mesures qui manquent, ou celles
    qui ne suffisent pas.
    """
    seen = _as_chart(records, agent)
    short = len(seen.env_steps) < ENOUGH
    return {
        one.name: f"Il y a moins de {ENOUGH} relevés." if short else _why_unseen(one, seen)
        for one in ILLNESSES
        if short or np.isnan(degree(one, seen))
    }


def _why_unseen(illness: Illness, seen: Chart) -> str:
    if illness.one_sided and seen.game.mixed:
        low, high = written(seen.game.low), written(seen.game.high)
        return f"Les récompenses du jeu vont de {low} à {high} : leurs moyennes se compensent."
    missing = [name for name in illness.needs if np.isnan(getattr(seen, name)).all()]
    if missing:
        sources = dict.fromkeys(SOURCES[name] for name in missing)
        return f"Il manque {', '.join(missing)} : {', '.join(sources)}."
    return f"Ce que l'on a de {', '.join(illness.needs)} ne permet pas de trancher."


_KEPT, _TWO = "donnez la mémoire", "donnez le réseau cible"
_PLAYED = "donnez chaque pas et la mémoire ; il faut aussi qu'un épisode ait fini"
SOURCES = {
    "gradient_steps": "comptez les mises à jour",
    "epsilon": "donnez ε",
    "played": "donnez les retours en jouant",
    "greedy": "évaluez la politique",
    "loss": "donnez les pertes",
    "loss_spread": "donnez la perte de chaque mise à jour ; si les fins la font, rien n'y suffit",
    "q_safe": "donnez le réseau",
    "q_limit": "donnez le réseau",
    "target_safe": _TWO,
    "lag": _TWO,
    "disagreement": "donnez la politique évaluée",
    "drift": "donnez le réseau lui-même, pour ses poids",
    "dead": "donnez le réseau lui-même, pour ses unités",
    "stored": _KEPT,
    "stored_reward": _KEPT,
    "stored_falls": _PLAYED,
    "false_ends": _PLAYED,
    "missed_ends": _PLAYED,
    "discount": _KEPT,
    "flatness": _KEPT,
    "fall_cost": _PLAYED,
}
"""Ce qu'il faut donner pour que soit faite chaque mesure que lit un signe."""


@np.errstate(all="ignore")
def degree(illness: Illness, seen: Chart) -> float:
    """Rend le degré d'une maladie : au moins 1 si ses signes sont là, NaN si l'on n'en sait rien.

    C'est celui de son signe le plus faible, ou du plus fort si un seul suffit.
    """
    if illness.one_sided and seen.game.mixed:
        return math.nan
    degrees = [sign.degree(seen) for sign in illness.signs]
    if illness.either:
        return float(np.fmax.reduce(degrees))
    low = [one for one in degrees if one < 1]  # un seul sous 1 suffit à l'écarter
    return float(min(low) if low else np.min(degrees))


@np.errstate(all="ignore")
def _hypothesis(illness: Illness, seen: Chart) -> Hypothesis:
    taught = MISCONCEPTIONS[illness.notion].taught if illness.notion else ""
    return Hypothesis(illness.name, illness.evidence(seen), illness.test, illness.cure, taught)


def _as_chart(records: Chart | History, agent: int) -> Chart:
    if isinstance(records, History):
        return from_history(records, agent)
    if not isinstance(records, Chart):
        raise TypeError(
            "records doit être un `Chart` ou un `History`, un seul : "
            f"{type(records).__name__} reçu."
        )
    return checked_chart(records)
