"""La clinique : règles sur des relevés écrits à la main, mesures contre un calcul naïf."""

import math
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

from cartpole_helpers import (
    QUICK,
    Agent,
    Training,
    Transition,
    evaluate,
    record,
    train,
)
from cartpole_helpers.policies import lqr
from cartpole_helpers.teaching import diagnosis
from cartpole_helpers.teaching.diagnosis import (
    HEALTHY,
    ILLNESSES,
    UNKNOWN,
    Chart,
    chart,
    dead_share,
    diagnose,
    drift,
    examine,
    follow,
    from_history,
    hidden_outputs,
    load_chart,
    loss_measures,
    save_chart,
)

ROOT = Path(__file__).resolve().parents[2]
STUDIES = ROOT / "etudes"
NAMES = {illness.name for illness in ILLNESSES}
K = 12  # lignes des relevés écrits à la main

# Un entraînement comme on en voit quand tout va bien, à γ = 0,97.
NORMAL = {
    "env_steps": 500 * np.arange(1, K + 1),
    "gradient_steps": 30 * np.arange(K),
    "epsilon": np.linspace(1, 0.1, K).round(2).clip(0.1),
    "played": np.linspace(20, 300, K),
    "greedy": np.linspace(10, 480, K),
    "loss": np.full(K, 0.8),
    "loss_spread": np.full(K, 0.7),
    "q_safe": np.linspace(0, 30, K),
    "q_doomed": np.full(K, 1.2),
    "q_limit": np.linspace(1, 33, K),
    "target_safe": np.linspace(0, 29, K),
    "lag": np.linspace(0, 0.8, K),
    "disagreement": np.full(K, 0.1),
    "drift": np.linspace(2e-3, 5e-4, K),
    "dead": np.full(K, 0.1),
    "stored": 500.0 * np.arange(1, K + 1),
    "stored_reward": np.ones(K),
    "stored_falls": np.linspace(0.05, 0.01, K),
    "false_ends": np.zeros(K),
    "missed_ends": np.zeros(K),
    "discount": np.full(K, 0.968),
    "flatness": np.full(K, 0.14),
    "fall_cost": np.full(K, 0.05),
}


def chart_of(**changes):
    """Le relevé sain, dont quelques colonnes sont changées ; un nombre remplit sa colonne."""
    columns = NORMAL | {name: np.broadcast_to(value, K) for name, value in changes.items()}
    return Chart(**{name: np.array(column, float) for name, column in columns.items()})


def only(**columns):
    """Un relevé où seules quelques colonnes sont mesurées, en plus des pas."""
    missing = dict.fromkeys(set(NORMAL) - {"env_steps"}, math.nan)
    return chart_of(**missing | columns)


def tail(value, rest, count=4):
    """Une colonne qui vaut `rest`, puis `value` sur ses dernières lignes."""
    return np.where(np.arange(K) < K - count, rest, value)


def names(found):
    return [hypothesis.name for hypothesis in found.hypotheses]


# Les règles

SICK = {
    "perte négative": {"loss": tail(-3, 0.8)},
    "récompense perdue": {"stored_reward": 0.0},
    "troncature prise pour une chute": {"false_ends": tail(1e-4, 0)},
    "masque oublié": {"fall_cost": 40.0},
    "valeurs qui explosent": {"q_limit": tail(1e5, 30)},
    "ε bloqué haut": {"epsilon": 0.9},
    "aucune exploration": {"epsilon": 0.0},
    "mises à jour trop rares": {"gradient_steps": np.arange(K)},
    "politique évaluée périmée": {"disagreement": 0.6, "greedy": 50.0},
    "cible jamais synchronisée": {"target_safe": 0.1},
    "cible trop lente": {"target_safe": np.linspace(0, 18, K)},
    "pas de réseau cible": {"lag": 0.0},
    "unités mortes": {"dead": 0.95},
    "pas d'apprentissage trop grand": {"drift": tail(5e-4, 0.1)},
    "pas d'apprentissage trop petit": {"drift": 1e-6},
    "pas d'apprentissage tombé au plancher": {"drift": tail(1e-7, 1e-3)},
    "lot trop petit": {"loss_spread": 2.8},
    "mémoire sans chute": {"stored_falls": tail(0, 0.02)},
    "cible mal alignée": {"flatness": 0.005, "fall_cost": 0.6},
    "γ = 1 ou presque": {"discount": 1.002},
    "γ trop petit": {"discount": 0.5, "q_safe": 2.0, "target_safe": np.linspace(1.9, 2, K)},
}
ALSO_SICK = [
    ("masque oublié", {"missed_ends": 1.0}),
    ("valeurs qui explosent", {"loss": tail(math.inf, 0.8)}),
    ("valeurs qui explosent", {"q_limit": tail(math.inf, 30)}),
    ("valeurs qui explosent", {"q_limit": math.nan, "loss": tail(1e9, 0.8)}),
    ("politique évaluée périmée", {"disagreement": math.nan, "greedy": 20.0}),
    ("politique évaluée périmée", {"disagreement": 0.3, "greedy": 20.0}),
    ("mises à jour trop rares", {"gradient_steps": 0}),
    (  # γ = 0,5 à trois pas
        "γ trop petit",
        {
            "discount": 0.125,
            "stored_reward": 1.75,
            "q_safe": 2.0,
            "target_safe": np.linspace(1.9, 2, K),
        },
    ),
]
STILL_HEALTHY = [
    {"loss": 0.02},
    {"stored_reward": 0.1},
    {"fall_cost": 3.0},
    {"q_limit": 500.0},
    {"epsilon": np.linspace(1, 0.8, K)},  # il descend encore
    {"epsilon": 0.5},
    {"epsilon": 0.02},
    {"gradient_steps": 5 * np.arange(K)},
    {"greedy": 150.0},
    {"disagreement": math.nan, "greedy": 100.0},
    {"disagreement": 0.2, "greedy": 100.0},  # un creux passager
    {"disagreement": 0.6},
    {"discount": 0.5},  # les valeurs montent encore
    {"target_safe": np.linspace(0, 27, K)},
    {"lag": tail(0.5, 0)},
    {"dead": 0.4},
    {"drift": tail(5e-4, 8e-3)},
    {"drift": 1e-4},
    {"drift": tail(1e-5, 1e-3)},
    {"loss_spread": 1.8},
    {"stored_falls": 0.001},
    {"stored_falls": np.where(np.arange(K) == 0, 0, 0.02)},
    {"flatness": 0.005},  # sans erreur sur les chutes, des valeurs égales sont justes
    {"fall_cost": 0.6},
    {"discount": 0.99},
    {"discount": 0.9},
    {"discount": 0.955, "stored_reward": 2.95},  # γ = 0,985 à trois pas
    # γ = 0,8 à trois pas : l'horizon est de cinq
    {"discount": 0.512, "stored_reward": 2.44, "q_safe": 5.0, "target_safe": tail(4.9, 5)},
    {"target_safe": 0.0, "q_safe": 0.0, "gradient_steps": NORMAL["gradient_steps"]},
]


def test_a_normal_chart_is_healthy():
    found = diagnose(chart_of())
    assert found.hypotheses == found.unseen == ()
    assert found.enough
    assert found.verdict == HEALTHY == "rien d'anormal"


def test_each_illness_has_a_chart_written_by_hand():
    assert SICK.keys() == NAMES
    assert len(NAMES) == len(ILLNESSES) >= 12


@pytest.mark.parametrize(("name", "changes"), [*SICK.items(), *ALSO_SICK])
def test_each_sign_is_recognised_alone(name, changes):
    assert names(diagnose(chart_of(**changes))) == [name]


@pytest.mark.parametrize("changes", STILL_HEALTHY[:-1])
def test_a_measure_on_the_safe_side_alarms_nobody(changes):
    assert diagnose(chart_of(**changes)).verdict == HEALTHY


def test_a_target_that_does_not_move_is_named_even_at_zero():
    assert "cible jamais synchronisée" in names(diagnose(chart_of(**STILL_HEALTHY[-1])))


def test_hypotheses_come_in_the_order_of_the_table():
    order = [illness.name for illness in ILLNESSES]
    found = names(diagnose(chart_of(discount=1.1, q_limit=1e6, loss=-1.0)))
    assert found == sorted(found, key=order.index)
    assert found == ["perte négative", "valeurs qui explosent", "γ = 1 ou presque"]


def test_the_degree_grows_with_the_sign():
    [illness] = [one for one in ILLNESSES if one.name == "unités mortes"]
    degrees = [diagnosis.degree(illness, chart_of(dead=dead)) for dead in (0, 0.3, 0.6, 0.9)]
    assert degrees == pytest.approx([0, 0.5, 1, 1.5])


@pytest.mark.parametrize("name", NORMAL)
def test_a_missing_measure_alarms_nobody(name):
    if name == "env_steps":
        return
    found = diagnose(chart_of(**{name: math.nan}))
    assert found.verdict == HEALTHY
    assert set(found.unseen) <= NAMES


@pytest.mark.parametrize(
    ("name", "unseen"),
    [
        ("dead", {"unités mortes"}),
        ("lag", {"pas de réseau cible"}),
        ("epsilon", {"ε bloqué haut", "aucune exploration"}),
        ("target_safe", {"cible jamais synchronisée", "cible trop lente"}),
        ("q_doomed", set()),
        ("loss_spread", {"lot trop petit"}),
        ("discount", {"γ = 1 ou presque"}),  # Q monte encore : γ n'est pas trop petit
    ],
)
def test_what_a_missing_measure_hides_is_said(name, unseen):
    assert set(diagnose(chart_of(**{name: math.nan})).unseen) == unseen


@pytest.mark.parametrize(("name", "changes"), [*SICK.items(), *ALSO_SICK])
def test_a_sign_is_seen_with_no_other_measure(name, changes):
    """Ce qui ne porte pas le signe peut manquer, hors ce à quoi il se compare."""
    compared = ("gradient_steps", "q_safe", "stored", "stored_reward", "loss", "greedy", "played")
    kept = {one: NORMAL[one] for one in compared if name not in ("perte négative",)}
    assert name in names(diagnose(only(**kept | changes)))


def test_nothing_measured_means_nothing_known():
    found = diagnose(only())
    assert (found.verdict, found.enough) == (UNKNOWN, False)
    assert set(found.unseen) == NAMES


@pytest.mark.parametrize("count", range(6))
def test_a_short_chart_is_not_judged(count):
    short = Chart(*(column[:count] for column in chart_of(epsilon=0.0)))
    assert diagnose(short).verdict == UNKNOWN == "pas assez de mesures"


def test_a_diagnosis_is_pure():
    records = chart_of(discount=1.1)
    before = [column.copy() for column in records]
    assert diagnose(records) == diagnose(records)
    for column, kept in zip(records, before, strict=True):
        np.testing.assert_array_equal(column, kept)


@pytest.mark.parametrize(("name", "changes"), [*SICK.items(), *ALSO_SICK])
def test_every_hypothesis_reads_in_french(name, changes):
    [hypothesis] = diagnose(chart_of(**changes)).hypotheses
    for sentence in hypothesis[1:]:
        assert sentence[0].isupper() or sentence[0] in "γεQ" or sentence[0].isdigit(), sentence
        assert sentence.endswith((".", "?")), sentence
        assert not any(word in sentence for word in ("nan", "inf ", "e-0", "e+0")), sentence
    digits = [a + b for a, b in zip(hypothesis.evidence, hypothesis.evidence[1:], strict=False)]
    assert not any(pair[0] == "." and pair[1].isdigit() for pair in digits)


def test_the_evidence_quotes_the_measure():
    [hypothesis] = diagnose(chart_of(epsilon=0.9)).hypotheses
    assert "ε vaut encore 0,9" in hypothesis.evidence
    [hypothesis] = diagnose(chart_of(dead=0.955)).hypotheses
    assert hypothesis.evidence.startswith("95,5 %")
    [hypothesis] = diagnose(chart_of(drift=1.5e-6)).hypotheses
    assert "1,5 × 10^−6" in hypothesis.evidence


def test_a_diagnosis_shows_itself():
    shown = repr(diagnose(chart_of(dead=0.95)))
    assert shown.splitlines()[0].endswith("unités mortes")
    assert "Remède" in shown
    assert "juger" not in shown
    html = diagnose(chart_of(dead=0.95, lag=math.nan))._repr_html_()
    assert html.count("<p") == html.count("</p>") == 5
    assert "pas de réseau cible" in html


def test_a_poor_return_without_a_sign_is_said():
    poor = chart_of(greedy=20.0, played=20.0)
    assert "n’est pourtant que de 20" in repr(diagnose(poor))
    assert "pourtant" not in repr(diagnose(chart_of()))


# Les mesures, contre un calcul naïf


def q_of(observations):
    """Des valeurs qui dépendent de l'état : 3 + x pour pousser à gauche, 5 − 2 ẋ à droite."""
    return np.stack([3 + observations[:, 0], 5 - 2 * observations[:, 1]], axis=1)


def twice(observations):
    return 2 * q_of(observations)


def memory_of(count=300, seed=0):
    """Des transitions tirées au hasard, dont le successeur est tombé une fois sur trois."""
    generator = np.random.default_rng(seed)
    successors = generator.uniform(-1, 1, (count, 4)) * [2, 1, 0.2, 1]
    successors[::3, 2] = 0.3
    return Transition(
        generator.uniform(-1, 1, (count, 4)).astype(np.float32),
        generator.integers(2, size=count),
        np.ones(count, np.float32),
        np.arange(count) % 3 == 0,
        successors.astype(np.float32),
    )


def test_the_measures_of_a_memory_are_those_of_a_naive_loop():
    memory = memory_of()
    excess, following, others, falls = [], [], [], []
    for state, action, reward, _, successor in zip(*memory, strict=True):
        fell = abs(successor[2]) > 12 * math.pi / 180 or abs(successor[0]) > 2.4
        error = q_of(state[None])[0, action] - reward
        excess.append(error)
        following.append(0.0 if fell else twice(successor[None])[0].max())
        (falls if fell else others).append(error)
    measures = examine(q_of, twice, memory)
    assert len(falls) == 100
    assert measures["discount"] == pytest.approx(np.mean(excess) / np.mean(following))
    assert measures["flatness"] == pytest.approx(np.std(others) / abs(np.mean(excess)))
    assert measures["fall_cost"] == pytest.approx(np.sum(np.square(falls)) / 300)
    assert measures["stored"] == 300
    assert measures["stored_reward"] == 1
    assert measures["stored_falls"] == pytest.approx(1 / 3)
    assert measures["false_ends"] == measures["missed_ends"] == 0


@pytest.mark.parametrize("gamma", [0.5, 0.97, 1.0])
def test_the_discount_is_found_when_the_values_obey_it(gamma):
    """Une chaîne : à k pas de la chute, Q vaut la somme des k récompenses actualisées."""
    worth = np.array([sum(gamma**i for i in range(k)) for k in range(21)])
    states = np.zeros((20, 4), np.float32)
    states[:, 1] = np.arange(20, 0, -1)  # pas qui restent avant la chute
    successors = states - [0, 1, 0, 0]
    successors[-1, 2] = 1

    def values(observations):
        return np.repeat(worth[observations[:, 1].round().astype(int)][:, None], 2, axis=1)

    ended = np.arange(20) == 19
    memory = Transition(states, np.zeros(20, int), np.ones(20), ended, successors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnosis, "ALL", np.zeros((128, 4), np.float32))
        assert examine(values, None, memory)["discount"] == pytest.approx(gamma)


def test_flags_and_rewards_are_audited():
    memory = memory_of()
    flags = memory.terminated.copy()
    flags[1] = True  # debout
    flags[[0, 3, 6]] = False  # tombés
    audited = examine(q_of, None, memory._replace(terminated=flags, reward=np.zeros(300)))
    assert audited["false_ends"] == pytest.approx(1 / 300)
    assert audited["missed_ends"] == pytest.approx(3 / 100)
    assert audited["stored_reward"] == 0


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("place", "limit"), [(0, 2.4), (2, 12 * math.pi / 180)])
def test_an_end_within_rounding_of_a_limit_is_neither_false_nor_missed(place, limit, side):
    memory = memory_of(6)
    successors = np.zeros((6, 4), np.float32)
    successors[:, place] = side * limit * (1 + np.linspace(-1e-7, 1e-7, 6))
    flags = np.arange(6) % 2 == 0
    audited = examine(q_of, None, memory._replace(terminated=flags, next_observation=successors))
    assert audited["false_ends"] == 0
    assert not audited["missed_ends"] > 0


def test_the_probes_measure_what_they_say():
    measures = examine(q_of, twice)
    safe, doomed = q_of(diagnosis.SAFE), q_of(diagnosis.DOOMED)
    both = np.concatenate([safe, doomed])
    assert measures["q_safe"] == pytest.approx(safe.max(axis=1).mean())
    assert measures["q_doomed"] == pytest.approx(doomed.max(axis=1).mean())
    assert measures["q_limit"] == pytest.approx(np.abs(both).max())
    assert measures["target_safe"] == pytest.approx(2 * safe.max(axis=1).mean())
    assert measures["lag"] == pytest.approx(np.abs(both).mean())
    assert examine(q_of, q_of)["lag"] == 0


def test_doomed_states_fall_whatever_the_action_and_safe_ones_can_be_held():
    env = gymnasium.make("CartPole-v1").unwrapped
    env.reset(seed=0)
    for state in diagnosis.DOOMED:
        for action in (0, 1):
            env.state, env.steps_beyond_terminated = state.astype(float), None
            assert env.step(action)[2]
    for state in diagnosis.SAFE[::8]:
        env.state, env.steps_beyond_terminated = state.astype(float), None
        observation = state
        for _ in range(200):
            observation, _, terminated, _, _ = env.step(int(lqr(observation[None])[0]))
            assert not terminated
    env.close()


def test_the_disagreement_is_a_share_of_the_memory():
    memory = memory_of()
    preferred = q_of(memory.observation).argmax(axis=1)
    expected = (preferred == 0).mean()
    assert 0.05 < expected < 0.95
    always = examine(q_of, None, memory, lambda states: np.ones(len(states), int))
    assert always["disagreement"] == pytest.approx(expected)
    same = examine(q_of, None, memory, lambda states: q_of(states).argmax(axis=1))
    assert same["disagreement"] == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_network_that_diverged_is_measured_all_the_same(value):
    def broken(observations):
        return np.where(np.arange(len(observations))[:, None] == 0, value, q_of(observations))

    row = examine(broken, broken, memory_of())
    assert row["q_limit"] == math.inf
    rows = [{"env_steps": step, **row} for step in range(8)]
    assert diagnose(chart(rows)).verdict == "valeurs qui explosent"


def test_what_is_not_given_is_not_measured():
    assert examine(q_of).keys() == {"q_safe", "q_doomed", "q_limit"}
    empty = Transition(*(array[:0] for array in memory_of()))
    assert examine(q_of, None, empty)["stored"] == 0
    everything = examine(q_of, twice, memory_of(), lambda states: np.zeros(len(states), int))
    assert everything.keys() <= set(Chart._fields)


@pytest.mark.parametrize("share", [0, 1])
def test_a_memory_of_one_kind_only_is_measured(share):
    memory = memory_of()
    rows = memory.terminated == bool(share)
    measures = examine(q_of, twice, Transition(*(array[rows] for array in memory)))
    assert measures["stored_falls"] == share
    assert math.isfinite(measures["discount"]) == (not share)


def test_the_spread_of_losses_tells_the_size_of_a_batch():
    """La médiane et le premier décile de χ² à 1, puis 64 degrés de liberté : tables."""
    errors = np.random.default_rng(0).normal(size=(64, 40_000))
    one = loss_measures(np.square(errors[0]))["loss_spread"]
    many = loss_measures(np.square(errors).mean(axis=0))["loss_spread"]
    assert one == pytest.approx(math.log(0.45494 / 0.015791), abs=0.05)
    assert many == pytest.approx(math.log(63.334 / 49.996), abs=0.01)


def test_losses_that_are_few_or_not_finite():
    assert loss_measures([1, 2, 3])["loss"] == 2
    assert math.isnan(loss_measures([1, 2, 3])["loss_spread"])
    assert math.isnan(loss_measures([])["loss"])
    assert loss_measures([1, math.nan])["loss"] == math.inf
    assert loss_measures([0.0] * 10) == {"loss": 0, "loss_spread": 0}


def test_dead_units_are_those_that_never_change():
    layer = np.array([[0, 1, 5, 0], [0, 1, 5, 0.2], [0, 2, 5, 0]], float)
    assert dead_share([layer]) == 0.5
    assert dead_share([layer, layer[:, 1:2]]) == pytest.approx(2 / 5)
    assert math.isnan(dead_share([]))


def test_hidden_outputs_are_those_of_torch():
    config = replace(QUICK, hidden=(16, 8), activation="relu", mirror=False)
    agent = Training(config, 3).agent
    weights, layers, start = agent.weights[0], [], 0
    for inputs, outputs in [(4, 16), (16, 8)]:
        layer = torch.nn.Linear(inputs, outputs)
        middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
        layer.weight.data = weights[start:middle].reshape(inputs, outputs).T
        layer.bias.data = weights[middle:end]
        layers += [layer, torch.nn.ReLU()]
        start = end
    scaled = torch.from_numpy(diagnosis.SAFE) * torch.tensor(config.input_scale)
    with torch.no_grad():
        expected = [torch.nn.Sequential(*layers[:count])(scaled).numpy() for count in (2, 4)]
    found = list(hidden_outputs(agent, diagnosis.SAFE))
    assert [output.shape for output in found] == [(64, 16), (64, 8)]
    for output, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-6)


def test_the_drift_is_a_quadratic_mean():
    assert drift([0, 0], [3, 4], 5) == pytest.approx(math.sqrt(12.5) / 5)
    assert math.isnan(drift([0], [1], 0))
    assert drift([0.0], [math.nan], 1) == math.inf


# Suivre un entraînement

SMALL = replace(QUICK, total_steps=2_400, hidden=(16, 16), warmup=64)


@pytest.fixture(scope="module")
def followed():
    return follow(Training(SMALL, [4, 7]), looks=8, episodes=2)


def test_a_followed_training_has_every_measure(followed):
    for seen in followed:
        assert seen.env_steps.tolist() == [304, 608, 912, 1200, 1504, 1808, 2112, 2400]
        for name, column in seen._asdict().items():
            assert np.isfinite(column).any(), name
        assert (np.diff(seen.gradient_steps) > 0).all()
        assert np.isfinite(seen.greedy).tolist() == [False] * 3 + [True] + [False] * 3 + [True]
        np.testing.assert_array_equal(seen.stored, seen.env_steps)


def test_following_twice_gives_the_same(followed):
    again = follow(Training(SMALL, [4, 7]), looks=8, episodes=2)
    for one, other in zip(followed, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_agent_alone_has_the_chart_it_has_among_others(followed):
    [alone] = follow(Training(SMALL, 7), looks=8, episodes=2)
    np.testing.assert_allclose(alone, followed[1], rtol=1e-5)


def test_the_networks_looked_at_are_the_online_one_and_the_evaluated_one(followed):
    """Refait à la main les deux derniers regards de l'agent 7, seul."""
    training, snapshots = Training(SMALL, 7), {}
    for step in training.run():
        if step.env_steps in (2112, 2400):
            snapshots[step.env_steps] = training.saved_state()["online"][0].copy()
    before, after = snapshots.values()
    online = Agent(SMALL, torch.from_numpy(after[None]), [7])
    moved = math.sqrt(np.square(after.astype(float) - before).mean())
    seen = followed[1]
    assert seen.q_safe[-1] == pytest.approx(online.q_values(diagnosis.SAFE).max(axis=1).mean())
    assert seen.drift[-1] == pytest.approx(
        moved / (seen.gradient_steps[-1] - seen.gradient_steps[-2])
    )
    starts = diagnosis.FRESH + 2_400
    assert seen.greedy[-1] == evaluate(training.agent, 2, seed=starts).mean()
    assert seen.greedy[-1] != evaluate(training.agent, 2, seed=diagnosis.FRESH).mean()


def test_two_seeds_have_two_charts(followed):
    assert not np.allclose(*(seen.q_safe for seen in followed))


def test_following_changes_nothing():
    training, witness = Training(SMALL, 4), Training(SMALL, 4)
    follow(training, looks=8, episodes=2)
    for _ in witness.run():
        pass
    assert torch.equal(training.agent.weights, witness.agent.weights)


def test_the_records_of_play_are_those_of_the_history(followed):
    history = record(train(SMALL, [4, 7]))
    for agent, seen in enumerate(followed):
        steps, returns = history.returns(agent)
        start = 0
        for end, played, loss in zip(seen.env_steps, seen.played, seen.loss, strict=True):
            inside = (start < steps) & (steps <= end)
            learned = (start < history.update_env_steps) & (history.update_env_steps <= end)
            expected = returns[inside].mean() if inside.any() else math.nan
            assert played == pytest.approx(expected, nan_ok=True)
            assert loss == pytest.approx(history.loss[learned, agent].mean(), rel=1e-5)
            start = end
        assert seen.gradient_steps[-1] == len(history.loss)


def test_the_rate_of_updates_is_read_from_the_counters():
    rare = replace(SMALL, learn_every=30, total_steps=12_000)
    found = diagnose(from_history(record(train(rare, 0))))
    assert "mises à jour trop rares" in names(found)


# Un `History`, comme celui du panneau


def test_a_history_is_enough_for_what_it_holds():
    always = replace(SMALL, epsilon_end=1.0)
    history = record(train(always, [0, 1]))
    for agent in (0, 1):
        found = diagnose(history, agent)
        assert names(found) == ["ε bloqué haut"]
        assert {"γ trop petit", "unités mortes", "masque oublié"} <= set(found.unseen)
    healthy = diagnose(record(train(SMALL, 0)))
    assert healthy.verdict == HEALTHY
    assert 0 < len(healthy.unseen) < len(ILLNESSES)


def test_a_diverged_loss_in_a_history_is_an_explosion():
    history = record(train(SMALL, 0))
    history.loss[-3:] = np.nan
    assert names(diagnose(history)) == ["valeurs qui explosent"]


def test_an_empty_history_is_not_judged():
    assert diagnose(record([])).verdict == UNKNOWN


def test_a_missing_agent_is_refused():
    with pytest.raises(ValueError, match=r"^agent doit .*2 reçu"):
        diagnose(record(train(SMALL, [0, 1])), 2)


# La boucle du lecteur


def test_a_loop_of_the_reader_can_be_brought_in():
    """Un réseau de PyTorch et une mémoire à lui : régression sur une cible jamais synchronisée."""
    generator = torch.Generator().manual_seed(0)
    online, target = (torch.nn.Linear(4, 2) for _ in range(2))
    for layer in (online, target):
        layer.weight.data = torch.randn(2, 4, generator=generator) / 2
    memory = memory_of()

    def values(network):
        return lambda states: network(torch.as_tensor(states)).detach().numpy()

    rows = []
    for look in range(8):
        rows.append(
            {
                "env_steps": 100 * (look + 1),
                "gradient_steps": 50 * look,
                **examine(values(online), values(target), memory),
                **loss_measures(np.full(50, 0.5)),
            }
        )
        online.bias.data += 0.3
    assert "cible jamais synchronisée" in names(diagnose(chart(rows)))


# Ce qui est mal donné


@pytest.mark.parametrize(
    ("rows", "kind", "reason"),
    [
        ([3], TypeError, "suite de dictionnaires"),
        ([{"env_steps": 1, "pertes": 2}], ValueError, "une clé de `rows` doit .*'pertes' reçu"),
        ([{"env_steps": 1, "loss": "deux"}], TypeError, "loss doit"),
        ([{"env_steps": 1, "loss": [1, 2]}], ValueError, "loss doit"),
        ([{"loss": 1}], ValueError, "env_steps"),
        ([{"env_steps": 2}, {"env_steps": 1}], ValueError, "croissant"),
        ([{"env_steps": 2}, {"env_steps": 2}], ValueError, "croissant"),
        ([{"env_steps": math.inf}], ValueError, "env_steps"),
    ],
)
def test_bad_rows_are_refused(rows, kind, reason):
    with pytest.raises(kind, match=reason):
        chart(rows)


@pytest.mark.parametrize("records", [None, 3, "relevé", [], {}, (1, 2)])
def test_what_is_not_a_record_is_refused(records):
    with pytest.raises(TypeError, match=r"^records doit être un `Chart` ou un `History`"):
        diagnose(records)


@pytest.mark.parametrize("bad", [np.zeros(K + 1), np.zeros((K, 2)), 3.0, [[1], [2, 3]], "abc"])
def test_a_column_of_another_shape_is_refused(bad):
    with pytest.raises((TypeError, ValueError), match=r"^loss doit"):
        diagnose(chart_of()._replace(loss=bad))


@pytest.mark.parametrize(
    ("arguments", "kind", "reason"),
    [
        ((3,), TypeError, "online doit"),
        ((lambda states: states,), ValueError, r"online doit rendre .*\(128, 2\).*\(128, 4\)"),
        ((q_of, lambda states: q_of(states)[:, 0]), ValueError, "target doit rendre"),
        ((q_of, None, 3), TypeError, "memory doit être un Transition"),
        ((q_of, None, memory_of()._replace(reward=np.ones(7))), ValueError, "memory.reward"),
        ((q_of, None, memory_of()._replace(action=["a"] * 300)), TypeError, "memory.action"),
        (
            (q_of, None, memory_of()._replace(observation=np.full((300, 4), np.nan))),
            ValueError,
            "memory.observation",
        ),
        ((q_of, None, memory_of(), lambda states: np.full(len(states), 2)), ValueError, "policy"),
        ((q_of, None, memory_of(), 5), TypeError, "policy"),
    ],
)
def test_a_bad_examination_is_refused(arguments, kind, reason):
    with pytest.raises(kind, match=reason):
        examine(*arguments)


@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        (lambda: follow(3), TypeError, "training doit"),
        (lambda: follow(Training(SMALL, 0), looks=0), ValueError, "looks doit"),
        (lambda: drift([0], [0, 1], 1), ValueError, "même forme"),
        (lambda: drift([0], [0], -1), ValueError, "updates doit"),
        (lambda: from_history(record([]), looks=0), ValueError, "looks doit"),
        (lambda: loss_measures(["a"]), TypeError, "losses doit"),
    ],
)
def test_other_bad_arguments_are_refused(call, kind, reason):
    with pytest.raises(kind, match=reason):
        call()


# Garder un relevé


def test_a_chart_survives_its_file(tmp_path):
    records = chart_of(loss=tail(math.inf, 1 / 3), lag=math.nan)
    save_chart(records, tmp_path / "relevé.csv")
    read = load_chart(tmp_path / "relevé.csv")
    np.testing.assert_allclose(read, records, rtol=1e-5)
    assert diagnose(read).hypotheses[0].name == diagnose(records).hypotheses[0].name


def saved(tmp_path):
    save_chart(chart_of(), tmp_path / "relevé.csv")
    return (tmp_path / "relevé.csv").read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: whole.replace(b"env_steps", b"pas"),
        lambda whole: whole.replace(b",epsilon", b""),
        lambda whole: whole[:-30],
        lambda whole: whole.replace(b"500,", b"cinq,", 1),
        lambda whole: b"\x89PNG\r\n\x1a\n\x00\x00",
        lambda whole: b"".join(reversed(whole.splitlines(keepends=True))),
    ],
)
def test_a_spoilt_file_is_refused(spoil, tmp_path):
    path = tmp_path / "abîmé.csv"
    path.write_bytes(spoil(saved(tmp_path)))
    with pytest.raises(ValueError, match=r"^path doit être un relevé"):
        load_chart(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^path doit être un relevé"):
        load_chart(tmp_path / "absent.csv")
    with pytest.raises(TypeError, match=r"^path doit être un chemin"):
        load_chart(3)
