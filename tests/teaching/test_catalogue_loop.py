"""Les exercices des carnets 02, 05, 06 et 07 : contre la main, le paquet, des élèves."""

import numpy as np
import pytest
import torch

from cartpole_helpers import Config, td_target
from cartpole_helpers.replay import StepWindow, Transition
from cartpole_helpers.teaching.catalogue import loop
from cartpole_helpers.teaching.checking import judge

EXERCISES = {exercise.name: exercise for exercise in loop.EXERCISES}

# Par exercice, puis par propriété : ce que vaut chaque cas, calculé à la main.
BY_HAND = {
    "nouvelle_valeur": [
        [10 + 0.1 * (1 + 27 - 10), 4 + 0.25 * (3 - 4)],
        [10 - 0.1 * 9, 1.25],
    ],
    "epsilon": [[1.0, 0.1], [0.55, 0.8], [0.1, 0.1, 0.05]],
    "fin_et_reprise": [[(True, True)], [(False, True)], [(False, False)], [(True, True)]],
    "borne_parfaite": [[25.0, 111.8034, 475.2462], [250.0, 50.0]],
    "retour_a_n_pas": [[1 + 0.5 + 0.25 + 1, 1 + 0.2 + 0.03 + 1], [1.75, 1.23]],
    "moyenne_glissante": [[4.0, 2.0, 3.0], [4.0, 4 - 2 * 2 / 3, 3.0]],
    "rapprocher": [[[1.0, 12.0], [2.0]], [[3.0, 5.0]], [[3.0, 5.0]]],
}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_first_cases_are_worth_what_the_hand_computes(name):
    exercise = EXERCISES[name]
    for one, expected in zip(exercise.properties, BY_HAND[name], strict=False):
        values = [exercise.reference(*case) for case in one.cases(None)]
        assert len(values) == len(expected)
        for value, by_hand in zip(values, expected, strict=True):
            np.testing.assert_allclose(value, by_hand, rtol=1e-6)


# Les réponses du catalogue, contre le paquet


@pytest.mark.parametrize("ended", [False, True])
def test_the_update_goes_a_part_of_the_way_to_the_target_of_the_package(ended):
    following = torch.tensor([[3.0, -2.0]])
    target = td_target(torch.tensor([0.5]), torch.tensor([ended]), following, 0.9).item()
    updated = loop.nouvelle_valeur(7.0, 0.5, ended, following[0].numpy(), 0.9, 0.3)
    assert updated == pytest.approx(0.7 * 7 + 0.3 * target)


def test_epsilon_is_the_one_of_the_engine():
    config = Config(epsilon_start=0.9, epsilon_end=0.2, epsilon_steps=700)
    for step in (0, 1, 350, 699, 700, 701, 10_000):
        assert loop.epsilon(step, 0.9, 0.2, 700) == pytest.approx(config.epsilon(step))


@pytest.mark.parametrize("ended", [False, True])
def test_the_rewards_are_folded_as_the_window_of_the_engine_folds_them(ended):
    rewards, window = [1.0, -2.0, 0.5], StepWindow(3, 0.9, (1, 1))
    state, action, still = np.zeros((1, 1, 4)), np.zeros((1, 1), int), np.zeros((1, 1), bool)
    for rank, reward in enumerate(rewards):
        fallen = np.full((1, 1), ended and rank == 2)
        step = Transition(state, action, np.full((1, 1), reward), fallen, state)
        folded = window.push(step, still)
    target = folded.reward.item() + 0.9**3 * 40 * (not folded.terminated.item())
    assert loop.retour_a_n_pas(rewards, 0.9, 40.0, ended) == pytest.approx(target)


def test_the_moving_mean_pours_what_the_engine_pours():
    config, mean = Config(average_rate=1e-9, average_tail=0.25), 0.0
    values = np.random.default_rng(0).normal(size=30)
    for rank, value in enumerate(values, start=1):
        mean += config.average_rate_at(rank) * (value - mean)
    assert loop.moyenne_glissante(values) == pytest.approx(mean)


def test_the_soft_update_is_the_lerp_of_the_engine():
    target, online = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    closer = loop.rapprocher(target, online, 0.05)
    torch.testing.assert_close(closer, target.clone().lerp_(online, 0.05))


def test_the_bound_is_the_share_that_the_perfect_episodes_barely_allow():
    for count, confidence in ((5, 0.95), (40, 0.8), (200, 0.99)):
        share = loop.borne_parfaite(count, confidence) / 500
        assert share**count == pytest.approx(1 - confidence)


# Des réponses d'élèves, écrites autrement que le catalogue


def reads_after_the_end(q, recompense, terminated, q_suivants, gamma, alpha):
    best = float(np.sort(q_suivants)[-1])
    q *= 1 - alpha
    q += alpha * recompense
    return q + alpha * gamma * best


def lets_nothing_of_the_past(q, recompense, terminated, q_suivants, gamma, alpha):
    surprise = recompense - q
    surprise += 0 if terminated else gamma * sorted(q_suivants)[1]
    return q + surprise


def uses_a_tilde(q, recompense, terminated, q_suivants, gamma, alpha):
    target = recompense + ~terminated * gamma * q_suivants.max()
    return (1 - alpha) * q + alpha * target


def exchanges_alpha(q, recompense, terminated, q_suivants, gamma, alpha):
    return loop.nouvelle_valeur(q, recompense, terminated, q_suivants, gamma, 1 - alpha)


def goes_under_zero(pas, depart, arrivee, duree):
    return depart - (depart - arrivee) / duree * pas


def divides_as_integers(pas, depart, arrivee, duree):
    if pas > duree:
        return arrivee
    return depart - (depart - arrivee) * (pas // duree)


def multiplies(pas, depart, arrivee, duree):
    factor = np.exp(np.log(arrivee / depart) / duree)
    return max(arrivee, depart * factor**pas)


def stores_done(terminated, truncated):
    done = bool(terminated + truncated)
    return [done] * 2


def forgets_the_clock(terminated, truncated):
    return (True, True) if terminated else (False, False)


def takes_the_power(n, confiance=0.95):
    return 500 * np.prod([1 - confiance] * n)


def forgets_parentheses(n, confiance=0.95):
    risk = 1 - confiance
    return 500 / n * risk


def recurs_from_the_wrong_end(recompenses, gamma, valeur_finale, terminated):
    total = 0 if terminated else valeur_finale
    for one in recompenses:
        total = one + gamma * total
    return total


def never_masks(recompenses, gamma, valeur_finale, terminated):
    return sum(one * gamma**i for i, one in enumerate([*recompenses, valeur_finale]))


def discounts_once(recompenses, gamma, valeur_finale, terminated):
    return np.sum(recompenses) + gamma * (1 - terminated) * valeur_finale


def forgets_the_cap(suite, part=0.25):
    mean = 0
    for n in range(len(suite)):
        mean = mean + (suite[n] - mean) / (part * n + part)
    return mean


def averages_all(suite, part=0.25):
    return sum(suite) / len(suite)


def exchanges_the_networks(cible, en_ligne, taux):
    return torch.lerp(en_ligne, cible, taux)


def adds_without_removing(cible, en_ligne, taux):
    return torch.add(cible, en_ligne, alpha=taux)


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("nouvelle_valeur", reads_after_the_end, "masqué les états terminaux"),
        ("nouvelle_valeur", lets_nothing_of_the_past, "jusqu'à la cible"),
        ("nouvelle_valeur", uses_a_tilde, "~ rend un nombre"),
        ("nouvelle_valeur", exchanges_alpha, "alpha est à l'envers"),
        ("epsilon", goes_under_zero, "ne s'arrête jamais"),
        ("epsilon", divides_as_integers, "division entière"),
        ("epsilon", multiplies, "multipliez à chaque pas"),
        ("fin_et_reprise", stores_done, "Vous mémorisez « done »"),
        ("fin_et_reprise", forgets_the_clock, "Quand le chronomètre sonne"),
        ("borne_parfaite", takes_the_power, "la racine n-ième"),
        ("borne_parfaite", forgets_parentheses, "Sans parenthèses"),
        ("retour_a_n_pas", recurs_from_the_wrong_end, "à l'envers"),
        ("retour_a_n_pas", never_masks, "masqué les états terminaux"),
        ("retour_a_n_pas", discounts_once, "γ ne sert qu'une fois"),
        ("moyenne_glissante", forgets_the_cap, "dépasse 1"),
        ("moyenne_glissante", averages_all, "moyenne de toute la suite"),
        ("rapprocher", exchanges_the_networks, "rôles sont échangés"),
        ("rapprocher", adds_without_removing, "gardez la cible en entier"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mistake_written_otherwise_gets_the_same_hint(name, answer, words):
    for _ in range(5):
        report = judge(EXERCISES[name], answer)
        assert not report.passed
        assert words in report.hint


def test_a_soft_update_in_place_is_refused():
    def in_place(cible, en_ligne, taux):
        return cible.lerp_(en_ligne, taux)

    report = judge(EXERCISES["rapprocher"], in_place)
    assert not report.passed
    assert "en place" in report.hint
    assert sum(verdict.passed for verdict in report.verdicts) == 4
