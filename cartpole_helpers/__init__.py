"""Le paquet du cours : un DQN pour CartPole, pour un agent ou pour plusieurs à la fois."""

from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import CartPoleVector
from cartpole_helpers.checkpoints import CheckpointError, load, load_training, save, save_training
from cartpole_helpers.config import ONE_RECIPE, QUICK, VERSION_1, VERSION_2, Config
from cartpole_helpers.dqn import double_td_target, epsilon_greedy, td_loss, td_target
from cartpole_helpers.evaluation import Episode, evaluate, play
from cartpole_helpers.history import History, Recorder, record
from cartpole_helpers.machine import settle
from cartpole_helpers.replay import ReplayBuffer, Transition
from cartpole_helpers.solving import Interrupted, Solution, Unsolved, solve
from cartpole_helpers.statistics import (
    bootstrap_interval,
    exact_interval,
    interquartile_mean,
    paired_interval,
    wilson_interval,
)
from cartpole_helpers.tables import evaluations_of, load_study, series_of
from cartpole_helpers.training import Step, Training, train

__version__ = "0.1.0"

__all__ = [
    "ONE_RECIPE",
    "QUICK",
    "VERSION_1",
    "VERSION_2",
    "Agent",
    "CartPoleVector",
    "CheckpointError",
    "Config",
    "Episode",
    "History",
    "Interrupted",
    "Recorder",
    "ReplayBuffer",
    "Solution",
    "Step",
    "Training",
    "Transition",
    "Unsolved",
    "bootstrap_interval",
    "double_td_target",
    "epsilon_greedy",
    "evaluate",
    "evaluations_of",
    "exact_interval",
    "interquartile_mean",
    "load",
    "load_study",
    "load_training",
    "paired_interval",
    "play",
    "record",
    "save",
    "save_training",
    "series_of",
    "solve",
    "td_loss",
    "td_target",
    "train",
    "wilson_interval",
]

settle()
