"""Le rappel de Stable-Baselines3 qui tient le relevé d'un DQN ; `sb3_callback` le rend."""

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from cartpole_helpers.checks import check_number
from cartpole_helpers.environments import Sizes, sizes_of
from cartpole_helpers.teaching.clinic.charts import HUBER, Chart
from cartpole_helpers.teaching.clinic.logbook import Logbook, q_function
from cartpole_helpers.teaching.clinic.references import references_of

GOLDEN = 0.618
HARMLESS = {"Monitor", "RecordEpisodeStatistics", "RecordVideo"}  # ne changent rien au jeu


class ChartCallback(BaseCallback):
    """Tient le relevé d'un DQN de Stable-Baselines3 : `chart()` le rend, à tout moment."""

    def __init__(self, looks: int, episodes: int):
        super().__init__()
        self.looks = check_number("looks", looks, int, low=1)
        self.episodes = check_number("episodes", episodes, int, low=0)
        self.logbook: Logbook | None = None

    def chart(self) -> Chart:
        """Rend le relevé ; ValueError si aucun entraînement n'a commencé."""
        if self.logbook is None:
            raise ValueError("chart doit suivre un `learn` : aucun entraînement n'a commencé.")
        return self.logbook.chart()

    def _on_training_start(self) -> None:
        sizes = _checked(self.model)
        game = _game(self.training_env, sizes)
        self.logbook = Logbook(game, episodes=self.episodes, loss=HUBER)
        # Le modèle a pu apprendre avant : on ne compte que ce qu'il fait ici.
        ahead = self.locals["total_timesteps"] - self.model.num_timesteps
        self.every = max(ahead // self.looks, 1)
        self.updates = self.model._n_updates

    def _on_rollout_start(self) -> None:
        self._count_updates()
        if self.model.gradient_steps != 1:
            # De plusieurs mises à jour de suite, la cible ne s'écarte qu'après la première.
            self._look_if_due()

    def _on_step(self) -> bool:
        successors = np.array(self.locals["new_obs"])
        infos, ended = self.locals["infos"], np.array(self.locals["dones"], bool)
        for place in np.flatnonzero(ended):
            successors[place] = infos[place]["terminal_observation"]
        truncated = ended & [bool(info.get("TimeLimit.truncated")) for info in infos]
        self.logbook.observe(
            self.model._last_obs,  # il n'y a pas d'autre accès
            self.locals["actions"],
            self.locals["rewards"],
            ended & ~truncated,
            truncated,
            successors,
        )
        return True

    def _on_rollout_end(self) -> None:
        if self.model.gradient_steps == 1:
            self._look_if_due()

    def _on_training_end(self) -> None:
        self._count_updates()

    def _count_updates(self) -> None:
        """Ajoute les mises à jour de la dernière récolte : il n'en dit que la perte moyenne."""
        done = self.model._n_updates - self.updates
        if done:
            self.logbook.update(self.logger.name_to_value["train/loss"], done)
            self.updates += done

    def _look_if_due(self) -> None:
        model, book = self.model, self.logbook
        # Un décalage qui varie : à intervalle fixe, on pourrait ne voir que l'instant des copies.
        late = self.every * (len(book.rows) * GOLDEN % 1) / 2
        if book.env_steps >= self.every * (len(book.rows) + 0.5) + late:
            book.look(
                model.q_net,
                # Une fonction : ici, l'instant du regard est choisi, il n'y a rien à surveiller.
                q_function(model.q_net_target),
                memory=model.replay_buffer,
                epsilon=model.exploration_rate,
            )


def _checked(model) -> Sizes:
    """Rend D et A ; TypeError ou ValueError, en une phrase, si le modèle ne se relève pas."""
    if not all(hasattr(model, name) for name in ("q_net", "q_net_target", "replay_buffer")):
        raise TypeError(f"model doit être un DQN : {type(model).__name__} reçu.")
    if model.get_vec_normalize_env() is not None:
        raise ValueError(
            "model doit lire les observations telles que le jeu les rend : `VecNormalize` reçu."
        )
    return sizes_of(model.observation_space, model.action_space)


def _game(games, sizes: Sizes) -> str | None:
    """Rend l'identifiant du jeu ; None si Gymnasium ne le connaît pas, ou s'il est changé."""
    [spec, *_] = games.get_attr("spec")
    if spec is None:
        return None
    changed = {one.name for one in spec.additional_wrappers} - HARMLESS
    same = not changed and references_of(spec.id).sizes == sizes
    return spec.id if same else None
