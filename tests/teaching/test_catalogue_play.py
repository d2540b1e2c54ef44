"""Les exercices qui jouent : le jeu d'essai, Gymnasium, des réponses écrites autrement."""

import gymnasium
import numpy as np
import pytest

from cartpole_helpers import ReplayBuffer, policies
from cartpole_helpers.teaching.catalogue import EXERCISES, calendrier, evaluer, jouer
from cartpole_helpers.teaching.catalogue.scripted import ScriptedGame
from cartpole_helpers.teaching.checking import judge
from cartpole_helpers.teaching.exercise import Exercise

FIRST = [("1·0 → 1·1", "1·1 → 1·2", "1·2 → 1·3")]
LINKS = [("1·0 → 1·1", "1·1 → 1·2", "2·0 → 2·1", "2·1 → 2·2")]
FALLS = [(False, False, False, True, False, True), (False, True, False, False)]
PLAYED = ["les actions de la politique"]
GAINS = [((1, 2.5), (0, 0.5), (0, 0.5), (1, 2.5))]
STARTS = ["des départs différents, que la graine suffit à refaire"]
BY_HAND = {  # par exercice, puis par propriété dont les cas sont écrits : ce que l'on en voit
    "jouer": [[{"transitions": 3}], FIRST, LINKS, LINKS, FALLS, PLAYED, GAINS, STARTS],
    "evaluer": [[{"retours": 3}], PLAYED, [(3.5, 2.5)], [(6.0, 3.0), (3.5, 3.0)], STARTS],
}
OTHERWISE = (  # une autre réponse juste, ce qui y est changé, et ce que dit l'indice
    ("calendrier", calendrier.with_if, "[False, copier] → [False, False]", "copies se perdent"),
    ("jouer", jouer.with_while, "reward, fallen, f → reward, fallen or late, f", "« done »"),
    ("evaluer", evaluer.with_seeds, "not (terminated or truncated) → not terminated", "la chute"),
)


def test_the_cases_show_what_the_hand_computes():
    for name, expected in BY_HAND.items():
        written = [one for one in EXERCISES[name].properties if not callable(one.cases)]
        for one, values in zip(written, expected, strict=True):
            assert [one.view(EXERCISES[name].reference, *case) for case in one.cases] == values


def test_the_schedule_is_the_one_of_two_counters():
    since_learning = since_copy = 0
    for step in range(1, 400):
        since_learning, since_copy = since_learning % 6 + 1, since_copy % 35 + 1
        expected = since_learning == 6 and 3 * step + 1 >= 253, since_copy == 35
        assert calendrier.calendrier(step, 3 * step + 1, 253, 6, 35) == expected


def test_the_game_follows_its_script_and_refuses_what_makes_no_sense():
    game, seen = ScriptedGame("2 pas puis chute, 1 pas puis chute au chronomètre"), []
    with pytest.raises(gymnasium.error.ResetNeeded):
        game.step(0)
    game.reset(seed=1)  # rien n'est joué : ce départ ne compte pas
    for seed, actions in ((2, (1, 0)), (None, (1,)), (2, (1, 0))):
        assert game.reset(seed=seed)[0].tolist()[:2] == [len(game.starts), 0]
        with pytest.raises(ValueError, match=r"^action doit valoir 0 ou 1"):
            game.step(np.array([1]))
        seen += [game.step(np.int64(action))[1:4] for action in actions]
        with pytest.raises(RuntimeError, match="après la fin"):
            game.step(0)
    fall = [(2.5, False, False), (0.5, True, False)]
    assert seen == [*fall, (2.5, True, True), *fall]
    assert game.starts[0] == game.starts[2] != game.starts[1]
    for observation, is_late in ((game.observation, False), (np.zeros(4), True)):
        for one in (observation, game.observation):  # un retard n'est pas oublié
            game.policy(one[None])
        assert game.is_late is is_late


def test_the_transitions_and_the_returns_are_those_of_gymnasium():
    """`SyncVectorEnv` relance un épisode dans le pas qui le finit, et dit le vrai successeur."""
    env = gymnasium.make("CartPole-v1", max_episode_steps=60)
    env = gymnasium.wrappers.RecordEpisodeStatistics(env)
    for policy in (policies.push_by_angle, policies.lqr):  # l'une tombe, l'autre non
        transitions, memory = jouer.jouer(policy, env, 150, 4), ReplayBuffer(200)
        vector = gymnasium.vector.SyncVectorEnv([lambda: env], autoreset_mode="SameStep")
        [[start], _] = vector.reset(seed=4)
        for observation, action, reward, terminated, following in transitions:
            memory.add(observation, action, reward, terminated, following)
            np.testing.assert_array_equal(observation, start)
            assert action == policy(start[None])[0]
            [start], [gained], [fell], [late], infos = vector.step(np.array([action]))
            true_one = infos["final_obs"][0] if fell or late else start
            np.testing.assert_array_equal(following, true_one)
            assert (reward, terminated) == (gained, fell)
        assert len(memory) == len(transitions) == 150
        assert evaluer.evaluer(policy, env, 5, 11).tolist() == [*env.return_queue][-5:]


def test_a_mistake_written_otherwise_gets_the_same_hint():
    for name, answer, change, words in OTHERWISE:
        [mistake] = Exercise(answer, (), f"autrement : {change}\n    …").mistakes
        assert words in judge(EXERCISES[name], mistake.answer).hint, change
