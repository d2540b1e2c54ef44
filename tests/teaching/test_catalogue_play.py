"""Les exercices des carnets 05 et 06 qui jouent : le jeu d'essai, Gymnasium, des élèves."""

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics

from cartpole_helpers import ReplayBuffer, policies
from cartpole_helpers import play as play_one
from cartpole_helpers.teaching import sandbox
from cartpole_helpers.teaching.catalogue import play
from cartpole_helpers.teaching.catalogue.play import BOTH, CLOCK, FALL, RULE, Script, ScriptedGame
from cartpole_helpers.teaching.checking import judge

EXERCISES = {exercise.name: exercise for exercise in play.EXERCISES}

# Par exercice, puis par propriété : ce que l'on voit de chaque cas, calculé à la main.
BY_HAND = {
    "calendrier": [
        [(True, False), (True, False), (False, False), (False, False)],
        [(False, False), (False, False), (False, False)],
        [(True, False)],
        [(False, True), (False, False), (True, True), (False, True)],
    ],
    "jouer": [
        [{"transitions": 3}],
        [("1·0 → 1·1", "1·1 → 1·2", "1·2 → 1·3")],
        [("1·0 → 1·1", "1·1 → 1·2", "2·0 → 2·1", "2·1 → 2·2")],
        [("1·0 → 1·1", "1·1 → 1·2", "2·0 → 2·1", "2·1 → 2·2")],
        [(False, False, False, True, False, True), (False, True, False, False)],
        ["les actions de la politique"],
        [((1, 2.5), (0, 0.5), (0, 0.5), (1, 2.5))],
        ["des départs différents, que la graine suffit à refaire"],
    ],
    "evaluer": [
        [{"retours": 3}],
        ["les actions de la politique"],
        [(3.5, 2.5)],
        [(6.0, 3.0), (3.5, 3.0)],
        ["des départs différents, que la graine suffit à refaire"],
    ],
}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_first_cases_show_what_the_hand_computes(name):
    exercise = EXERCISES[name]
    for one, expected in zip(exercise.properties, BY_HAND[name], strict=False):
        assert [one.view(exercise.reference, *case) for case in one.cases(None)] == expected


# Le jeu écrit d'avance


def test_the_game_follows_its_script():
    game = ScriptedGame(Script(((2, FALL), (1, CLOCK), (1, BOTH))))
    seen = []
    for length in (2, 1, 1, 2):
        observation, _ = game.reset(seed=1 if not seen else None)
        assert observation[1] == 0
        for step in range(1, length + 1):
            observation, reward, *flags, _ = game.step(step % 2)
            assert observation[:2].tolist() == [len(game.starts), step]
            seen.append((reward, *flags))
    assert seen == [
        (2.5, False, False),
        (0.5, True, False),
        (2.5, False, True),
        (2.5, True, True),
        (2.5, False, False),
        (0.5, True, False),
    ]
    assert len(set(game.starts)) == 4


def test_the_game_refuses_what_makes_no_sense():
    game = ScriptedGame(Script(((1, FALL),)))
    with pytest.raises(ResetNeeded):
        game.step(0)
    game.reset(seed=0)
    for action in (2, np.array([1]), -1):
        with pytest.raises(ValueError, match=r"^action doit valoir 0 ou 1"):
            game.step(action)
    game.step(np.int64(1))
    with pytest.raises(RuntimeError, match="après la fin"):
        game.step(0)


def test_the_starts_come_from_the_seed_alone():
    def starts(*seeds):
        game = ScriptedGame(Script(((1, FALL),)))
        for seed in seeds:
            game.reset(seed=seed)
            game.step(0)
        return game.starts

    assert starts(3, None, None) == starts(3, None, None)
    assert len(set(starts(3, None, 3))) == 2
    assert not set(starts(3, None)) & set(starts(4, None))


def test_a_start_without_a_step_does_not_count():
    game = ScriptedGame(Script(((1, FALL), (2, CLOCK))))
    game.reset(seed=0)
    observation, _ = game.reset()
    assert observation[0] == 1
    assert len(game.starts) == 1


# Les réponses du catalogue, contre Gymnasium


@pytest.fixture
def env():
    env = RecordEpisodeStatistics(gymnasium.make("CartPole-v1", max_episode_steps=60))
    yield env
    env.close()


@pytest.mark.parametrize("policy", [policies.push_by_angle, policies.lqr])
def test_the_transitions_are_those_that_gymnasium_restarts_by_itself(env, policy):
    """`SyncVectorEnv` relance un épisode dans le pas qui le finit, et dit le vrai successeur."""
    transitions = play.jouer(policy, env, 150, 4)
    vector = SyncVectorEnv([lambda: env], autoreset_mode=AutoresetMode.SAME_STEP)
    observations, _ = vector.reset(seed=4)
    ends = 0
    for observation, action, reward, terminated, following in transitions:
        np.testing.assert_array_equal(observation, observations[0])
        assert action == policy(observations)[0]
        observations, rewards, falls, clocks, infos = vector.step(np.array([action]))
        true_one = infos["final_obs"][0] if falls[0] or clocks[0] else observations[0]
        np.testing.assert_array_equal(following, true_one)
        assert (reward, terminated) == (rewards[0], falls[0])
        ends += falls[0] or clocks[0]
    assert ends >= 2


def test_the_transitions_enter_the_memory_of_the_course(env):
    memory = ReplayBuffer(200)
    for transition in play.jouer(policies.push_by_angle, env, 120, 0):
        memory.add(*transition)
    assert len(memory) == 120
    assert memory.sample(120).terminated.any()


@pytest.mark.parametrize("policy", [policies.push_by_angle, policies.lqr])
def test_the_returns_are_those_that_gymnasium_records(env, policy):
    returns = play.evaluer(policy, env, 5, 11)
    assert returns.tolist() == [*env.return_queue]
    assert returns[0] == play_one(policy, seed=11, limit=60).rewards.sum()
    assert len(set(returns)) > 1 or policy is policies.lqr


def test_the_schedule_is_the_one_of_two_counters():
    kept, since_learning, since_copy = 0, 0, 0
    for step in range(1, 400):
        kept = min(kept + 3, 500)
        since_learning, since_copy = since_learning + 1, since_copy + 1
        learn, copy = since_learning == 6, since_copy == 35
        since_learning, since_copy = since_learning % 6, since_copy % 35
        assert play.calendrier(step, kept, 252, 6, 35) == (learn and kept >= 252, copy)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("la première observation", "des actions choisies d'après une observation passée"),
        ("parfois au hasard", "parfois d'autres actions que celles de la politique"),
        ("toujours au hasard", "souvent d'autres actions que celles de la politique"),
        ("l'autre action", "presque toujours d'autres actions que celles de la politique"),
    ],
)
def test_what_is_told_of_the_actions(fault, told):
    [answer] = [one.answer for one in play.EVALUATION.mistakes if one.name == fault]
    one = play.EVALUATION.properties[1]
    assert [one.view(answer, *case) for case in one.cases(None)] == [told]


# Des réponses d'élèves, écrites autrement que le catalogue


def learns_from_anything(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    return pas % apprendre_tous_les == 0, pas % copier_tous_les == 0


def copies_inside_the_if(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    apprendre = copier = False
    if souvenirs >= lot and not pas % apprendre_tous_les:
        apprendre = True
        if not pas % copier_tous_les:
            copier = True
    return apprendre, copier


def links_episodes(politique, env, pas, graine):
    memoire, fini = [], False
    etat = env.reset(seed=graine)[0]
    for _ in range(pas):
        if fini:
            env.reset()
        action = int(politique(etat.reshape(1, 4))[0])
        suivant, r, fin, coupe, _ = env.step(action)
        memoire.append((etat, action, r, fin, suivant))
        etat, fini = suivant, fin or coupe
    return memoire


def stores_the_new_start(politique, env, pas, graine):
    memoire = []
    etat = env.reset(seed=graine)[0]
    while len(memoire) < pas:
        action = int(politique(etat.reshape(1, 4))[0])
        suivant, r, fin, coupe, _ = env.step(action)
        if fin or coupe:
            suivant = env.reset()[0]
        memoire += [(etat, action, r, fin, suivant)]
        etat = suivant
    return memoire


def stores_done(politique, env, pas, graine):
    memoire = []
    etat = env.reset(seed=graine)[0]
    while len(memoire) < pas:
        action = int(politique(etat.reshape(1, 4))[0])
        suivant, r, fin, coupe, _ = env.step(action)
        done = bool(fin + coupe)
        memoire.append((etat, action, r, done, suivant))
        etat = env.reset()[0] if done else suivant
    return memoire


def waits_for_the_fall(politique, env, episodes, graine):
    resultats = []
    for numero in range(episodes):
        etat, fin, total = env.reset(seed=graine + numero)[0], False, 0
        while not fin:
            etat, r, fin, *_ = env.step(int(politique(np.array([etat]))[0]))
            total += r
        resultats.append(total)
    return resultats


def always_starts_from_the_same_place(politique, env, episodes, graine):
    resultats = [0] * episodes
    for numero in range(episodes):
        etat, fin, coupe = env.reset(seed=graine)[0], False, False
        while not (fin or coupe):
            etat, r, fin, coupe, _ = env.step(int(politique(np.array([etat]))[0]))
            resultats[numero] += r
    return resultats


def explores(politique, env, episodes, graine):
    hasard, resultats = np.random.default_rng(graine), []
    env.reset(seed=graine)
    for _ in range(episodes):
        etat, fin, coupe, total = env.reset()[0], False, False, 0
        while not (fin or coupe):
            action = int(politique(np.array([etat]))[0])
            if hasard.random() < 0.15:
                action = int(hasard.integers(2))
            etat, r, fin, coupe, _ = env.step(action)
            total += r
        resultats.append(total)
    return resultats


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("calendrier", learns_from_anything, "remplir un lot"),
        ("calendrier", copies_inside_the_if, "des copies se perdent"),
        ("jouer", links_episodes, "gardez l'ancienne observation"),
        ("jouer", stores_the_new_start, "recommencez avant de ranger"),
        ("jouer", stores_done, "« done »"),
        ("evaluer", waits_for_the_fall, "n'attendez que la chute"),
        ("evaluer", always_starts_from_the_same_place, "du même état"),
        ("evaluer", explores, "parfois au hasard"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mistake_written_otherwise_gets_the_same_hint(name, answer, words):
    for _ in range(3):
        report = judge(EXERCISES[name], answer)
        assert not report.passed
        assert words in report.hint


def test_an_episode_that_never_ends_is_cut(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 0.5)

    def deaf(politique, env, episodes, graine):
        observation, _ = env.reset(seed=graine)
        while True:
            politique(observation[None])

    assert "boucle sans fin" in judge(EXERCISES["evaluer"], deaf).note


def test_the_rule_wants_rows():
    assert RULE(np.array([[0, 3, 0, 0], [0, 4, 0, 0]])).tolist() == [1, 0]
    with pytest.raises(TypeError, match=r"^observations doit être \(N, 4\) : \(4,\) reçu"):
        RULE(np.zeros(4))
