"""Les règles du DQN, carnet 04 : cible, cible du Double DQN, perte, ε-glouton."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from cartpole_helpers import dqn
from cartpole_helpers.teaching.checking import Exercise, Mistake, Property

SHAPES = ((5,), (3, 4), (2, 3, 4))  # un lot ; un lot par agent ; un axe de plus encore


def _tensor(*values) -> Tensor:
    return torch.tensor(values)


def _batch(
    generator: np.random.Generator, shape: tuple[int, ...], tables: int = 1, actions: int = 2
) -> tuple:
    """Rend récompense, fin, et `tables` tableaux de valeurs, tirés au hasard."""
    reward = torch.from_numpy(generator.normal(size=shape)).float()
    terminated = torch.from_numpy(generator.random(shape) < 0.4)
    size = (*shape, actions)
    q = [torch.from_numpy(generator.normal(2, 5, size)).float() for _ in range(tables)]
    return reward, terminated, *q


# La cible


def _going_on(_) -> Iterator[tuple]:
    yield _tensor(1.0), _tensor(False), torch.tensor([[2.0, 5.0]]), 0.5
    yield _tensor(0.0, 3.0), _tensor(False, False), torch.tensor([[4.0, 1.0], [-2.0, -6.0]]), 0.9


def _ended(_) -> Iterator[tuple]:
    yield _tensor(1.0), _tensor(True), torch.tensor([[2.0, 5.0]]), 0.5
    yield _tensor(7.0, -1.0), _tensor(True, True), torch.tensor([[9.0, 9.0], [8.0, 0.0]]), 0.9


def _both(_) -> Iterator[tuple]:
    reward, terminated = _tensor(1.0, 2.0, 3.0), _tensor(False, True, False)
    yield reward, terminated, torch.tensor([[1.0, 2.0], [30.0, 4.0], [-6.0, -5.0]]), 0.9


def _any_shape(generator: np.random.Generator) -> Iterator[tuple]:
    for shape in SHAPES:
        yield *_batch(generator, shape), 0.97
    yield *_batch(generator, (9,), actions=3), 0.97


def _not_finite(_) -> Iterator[tuple]:
    """Un état terminal n'a pas de suite : ce que le réseau y dit, fût-ce énorme, ne compte pas."""
    yield _tensor(1.0, 1.0), _tensor(True, False), torch.tensor([[3e38, 3e38], [1.0, 2.0]]), 0.99


TARGET_PROPERTIES = (
    Property(
        "ajoute à la récompense γ fois la meilleure valeur suivante",
        _going_on,
        "Tant que l'épisode continue, la cible est r + γ max Q(s', a').",
    ),
    Property(
        "s'arrête à la récompense quand l'épisode est terminé",
        _ended,
        "Avez-vous masqué les états terminaux ?",
    ),
    Property("traite chaque ligne à part", _both, "Une ligne du lot ne doit rien à ses voisines."),
    Property(
        "ignore ce que dit le réseau d'un état terminal",
        _not_finite,
        "Au-delà de la fin, il n'y a rien à ajouter, si grande que soit la valeur.",
    ),
    Property(
        "vaut pour un lot, pour un lot par agent, et au-delà",
        _any_shape,
        "Écrivez sur le dernier axe : `dim=-1` est celui des actions, quel que soit leur nombre.",
    ),
)


def _no_mask(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values


def _mask_reward_too(reward, terminated, next_q, gamma):
    return (reward + gamma * next_q.max(dim=-1).values) * ~terminated


def _mask_reversed(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values * terminated


def _batch_maximum(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max() * ~terminated


def _first_axis_maximum(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=0).values[..., 0] * ~terminated


def _mean_value(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.mean(dim=-1) * ~terminated


def _minimum_value(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.min(dim=-1).values * ~terminated


def _best_action(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.argmax(dim=-1) * ~terminated


def _no_discount(reward, terminated, next_q, gamma):
    return reward + next_q.max(dim=-1).values * ~terminated


def _discounted_reward(reward, terminated, next_q, gamma):
    return gamma * (reward + next_q.max(dim=-1).values * ~terminated)


def _no_reward(reward, terminated, next_q, gamma):
    return gamma * next_q.max(dim=-1).values * ~terminated


def _right_only(reward, terminated, next_q, gamma):
    return reward + gamma * next_q[..., 1] * ~terminated


def _extra_axis(reward, terminated, next_q, gamma):
    best = next_q.max(dim=-1, keepdim=True).values
    return reward + gamma * best * ~terminated.unsqueeze(-1)


def _one_minus(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values * (1 - terminated)


def _not_of_python(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values * (not terminated)


def _values_and_indices(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1) * ~terminated


def _pair_after_the_mask(reward, terminated, next_q, gamma):
    return reward + gamma * ~terminated * next_q.max(dim=-1)


def _penalty(reward, terminated, next_q, gamma):
    target = reward + gamma * next_q.max(dim=-1).values
    return torch.where(terminated, -torch.ones_like(reward), target)


MASK = "Avez-vous masqué les états terminaux ? Après la fin, il n'y a plus rien à attendre."
TARGET_MISTAKES = (
    Mistake("aucun masque", _no_mask, MASK),
    Mistake(
        "un masque qui efface aussi la récompense",
        _mask_reward_too,
        "Votre masque efface aussi la récompense : le pas de la chute rapporte 1, lui aussi.",
    ),
    Mistake(
        "un masque à l'envers",
        _mask_reversed,
        "Votre masque est à l'envers : il garde la suite des épisodes finis, et oublie les autres.",
    ),
    Mistake(
        "le maximum de tout le lot",
        _batch_maximum,
        "`max()` sans `dim` prend le maximum de tout le lot : précisez `dim=-1`, les actions.",
    ),
    Mistake(
        "le maximum sur l'axe du lot",
        _first_axis_maximum,
        "Le maximum est pris sur l'axe du lot (`dim=0`), non sur celui des actions (`dim=-1`).",
    ),
    Mistake(
        "la moyenne des actions",
        _mean_value,
        "Vous prenez la moyenne des valeurs : la cible suppose qu'ensuite on joue au mieux.",
    ),
    Mistake(
        "le minimum des actions",
        _minimum_value,
        "Vous prenez la plus petite des valeurs, au lieu de la plus grande.",
    ),
    Mistake(
        "le numéro de l'action",
        _best_action,
        "`argmax` rend le numéro de la meilleure action, non sa valeur : prenez `max(...).values`.",
    ),
    Mistake(
        "γ oublié",
        _no_discount,
        "Où est passé γ ? La valeur de la suite est actualisée d'un pas.",
    ),
    Mistake(
        "γ sur la récompense",
        _discounted_reward,
        "γ ne multiplie que la suite : la récompense de ce pas n'est pas actualisée.",
    ),
    Mistake("récompense oubliée", _no_reward, "La récompense du pas manque à la cible."),
    Mistake(
        "toujours la valeur de droite",
        _right_only,
        "Vous lisez toujours la valeur de l'action 1, au lieu de la meilleure des deux.",
    ),
    Mistake(
        "un axe de trop",
        _extra_axis,
        "`keepdim=True` laisse un axe de trop : `(B,) + (B, 1)` donne `(B, B)`, sans un mot.",
    ),
    Mistake(
        "1 moins un booléen",
        _one_minus,
        "`terminated` est un tenseur de booléens : sa négation s'écrit `~terminated`.",
    ),
    Mistake(
        "le `not` de Python",
        _not_of_python,
        "`not` ne nie qu'un seul booléen : pour tout un tenseur, c'est `~terminated`.",
    ),
    Mistake(
        "les valeurs et leurs rangs",
        _values_and_indices,
        "`max(dim=-1)` rend les maximums et leurs rangs : prenez `.values`.",
    ),
    Mistake(
        "les valeurs et leurs rangs, après le masque",
        _pair_after_the_mask,
        "`max(dim=-1)` rend une paire, maximums et rangs : ajoutez `.values` avant de multiplier.",
    ),
    Mistake(
        "une pénalité à la chute",
        _penalty,
        "La chute n'a pas de pénalité : à la fin, la cible vaut la récompense, et rien d'autre.",
    ),
)


def _target_with_loop(reward, terminated, next_q, gamma):
    flat = zip(reward.flatten(), terminated.flatten(), next_q.flatten(0, -2), strict=True)
    values = [r if end else r + gamma * max(q) for r, end, q in flat]
    return torch.stack(values).reshape(reward.shape)


def _target_with_where(reward, terminated, next_q, gamma):
    return torch.where(terminated, reward, reward + gamma * torch.amax(next_q, -1))


def _target_with_numpy(reward, terminated, next_q, gamma):
    best = np.max(next_q.numpy(), axis=-1)
    return np.where(terminated.numpy(), reward.numpy(), reward.numpy() + gamma * best)


def _target_with_floats(reward, terminated, next_q, gamma):
    going_on = 1 - terminated.float()
    return (reward + going_on * gamma * next_q.max(-1)[0]).detach()


td_target = Exercise(
    dqn.td_target,
    TARGET_PROPERTIES,
    TARGET_MISTAKES,
    (_target_with_loop, _target_with_where, _target_with_numpy, _target_with_floats),
)


# La cible du Double DQN


def _chosen_and_judged(_) -> Iterator[tuple]:
    online, judge = torch.tensor([[1.0, 9.0]]), torch.tensor([[7.0, 2.0]])
    yield _tensor(1.0), _tensor(False), online, judge, 0.5
    yield _tensor(0.0), _tensor(False), torch.tensor([[3.0, -1.0]]), torch.tensor([[4.0, 6.0]]), 0.9


def _double_ended(_) -> Iterator[tuple]:
    online, judge = torch.tensor([[1.0, 9.0]]), torch.tensor([[7.0, 2.0]])
    yield _tensor(1.0), _tensor(True), online, judge, 0.5


def _double_any_shape(generator: np.random.Generator) -> Iterator[tuple]:
    for shape in SHAPES:
        yield *_batch(generator, shape, tables=2), 0.97


def _double(choose: Callable, judge: Callable, masked: bool = True) -> Callable:
    """Rend une cible qui choisit l'action d'après `choose` et la juge d'après `judge`."""

    def target(reward, terminated, next_q_online, next_q_target, gamma):
        tables = next_q_online, next_q_target
        action = choose(*tables).argmax(dim=-1, keepdim=True)
        value = judge(*tables).gather(-1, action).squeeze(-1)
        return reward + gamma * value * (~terminated if masked else 1)

    return target


def _online(online, _):
    return online


def _target(_, target):
    return target


def _average(online, target):
    return (online + target) / 2


def _smaller(reward, terminated, next_q_online, next_q_target, gamma):
    smaller = torch.minimum(next_q_online, next_q_target).max(dim=-1).values
    return reward + gamma * smaller * ~terminated


def _double_with_where(reward, terminated, next_q_online, next_q_target, gamma):
    right = next_q_online[..., 1] > next_q_online[..., 0]
    value = torch.where(right, next_q_target[..., 1], next_q_target[..., 0])
    return torch.where(terminated, reward, reward + gamma * value)


def _double_with_one_hot(reward, terminated, next_q_online, next_q_target, gamma):
    chosen = torch.nn.functional.one_hot(next_q_online.argmax(-1), 2)
    return reward + gamma * (chosen * next_q_target).sum(-1) * ~terminated


double_td_target = Exercise(
    dqn.double_td_target,
    (
        Property(
            "choisit avec le réseau en ligne, juge avec le réseau cible",
            _chosen_and_judged,
            "Deux gestes : `argmax` dans l'un des réseaux, puis sa valeur dans l'autre.",
        ),
        Property(
            "s'arrête à la récompense quand l'épisode est terminé",
            _double_ended,
            "Avez-vous masqué les états terminaux ?",
        ),
        Property(
            "vaut pour un lot, pour un lot par agent, et au-delà",
            _double_any_shape,
            "`argmax(dim=-1)`, puis `gather(-1, ...)` : tout se passe sur le dernier axe.",
        ),
    ),
    (
        Mistake(
            "rôles échangés",
            _double(_target, _online),
            "Les rôles sont échangés : le réseau en ligne choisit, le réseau cible juge.",
        ),
        Mistake(
            "le réseau cible seul",
            _double(_target, _target),
            "Le réseau cible choisit et juge : c'est la cible ordinaire, sans Double DQN.",
        ),
        Mistake(
            "le réseau en ligne seul",
            _double(_online, _online),
            "Le réseau en ligne choisit et juge : le réseau cible ne sert plus à rien.",
        ),
        Mistake("aucun masque", _double(_online, _target, masked=False), MASK),
        Mistake(
            "la moyenne des deux réseaux",
            _double(_average, _average),
            "Vous faites la moyenne des réseaux : l'un choisit l'action, l'autre la juge.",
        ),
        Mistake(
            "la plus petite des deux valeurs",
            _smaller,
            "Prendre la plus petite valeur des deux réseaux est une autre méthode (celle de TD3).",
        ),
    ),
    (_double_with_where, _double_with_one_hot),
)


# La perte


def _by_hand(_) -> Iterator[tuple]:
    yield torch.tensor([[1.0, 4.0], [2.0, 0.0]]), _tensor(1, 0), _tensor(3.0, 5.0)
    yield torch.tensor([[1.0, 4.0]]), _tensor(0), _tensor(3.0)


def _losses(generator: np.random.Generator) -> Iterator[tuple]:
    for shape in SHAPES:
        _, _, q = _batch(generator, shape)
        action = torch.from_numpy(generator.integers(2, size=shape))
        yield q, action, torch.from_numpy(generator.normal(size=shape)).float()


def _gradients(loss: Callable, q: Tensor, action: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Rend le gradient que reçoivent les valeurs, et celui que reçoit la cible."""
    leaves = [tensor.clone().requires_grad_() for tensor in (q, target)]
    loss(leaves[0], action, leaves[1]).sum().backward()
    names = ("gradient de q", "gradient de target")
    return {
        name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        for name, leaf in zip(names, leaves, strict=True)
    }


def _squared_error(q, action, target):
    return (dqn.value_of(q, action) - target).square().mean(dim=-1)


def _total(q, action, target):
    return (dqn.value_of(q, action) - target.detach()).square().sum(dim=-1)


def _every_row(q, action, target):
    return (dqn.value_of(q, action) - target.detach()).square().mean()


def _per_row(q, action, target):
    return (dqn.value_of(q, action) - target.detach()).square()


def _not_squeezed(q, action, target):
    value = q.gather(-1, action.unsqueeze(-1))
    return (value - target.detach()).square().mean(dim=-1)


def _not_squeezed_at_all(q, action, target):
    return (q.gather(-1, action.unsqueeze(-1)) - target.detach()).square().mean()


def _action_as_it_is(q, action, target):
    return (q.gather(-1, action) - target.detach()).square().mean(dim=-1)


def _absolute(q, action, target):
    return (dqn.value_of(q, action) - target.detach()).abs().mean(dim=-1)


def _huber(q, action, target):
    value = dqn.value_of(q, action)
    error = torch.nn.functional.smooth_l1_loss(value, target.detach(), reduction="none")
    return error.mean(dim=-1)


def _best_value(q, action, target):
    return (q.max(dim=-1).values - target.detach()).square().mean(dim=-1)


def _all_actions(q, action, target):
    return (q - target.detach().unsqueeze(-1)).square().mean(dim=(-1, -2))


def _other_action(q, action, target):
    return (dqn.value_of(q, 1 - action) - target.detach()).square().mean(dim=-1)


def _frozen_value(q, action, target):
    return (dqn.value_of(q, action).detach() - target).square().mean(dim=-1)


def _half(q, action, target):
    return (dqn.value_of(q, action) - target.detach()).square().mean(dim=-1) / 2


def _root(q, action, target):
    return (dqn.value_of(q, action) - target.detach()).square().mean(dim=-1).sqrt()


def _signed(q, action, target):
    return (dqn.value_of(q, action) - target.detach()).mean(dim=-1)


def _loss_with_where(q, action, target):
    value = torch.where(action == 1, q[..., 1], q[..., 0])
    return torch.mean((target.detach() - value) ** 2, dim=-1)


def _loss_with_one_hot(q, action, target):
    value = (q * torch.nn.functional.one_hot(action, q.shape[-1])).sum(-1)
    squares = torch.nn.functional.mse_loss(value, target.detach(), reduction="none")
    return squares.mean(-1)


td_loss = Exercise(
    dqn.td_loss,
    (
        Property(
            "est la moyenne, sur le lot, des écarts au carré",
            _by_hand,
            "Prenez Q(s, a) pour l'action prise, retranchez la cible, élevez au carré, moyennez.",
        ),
        Property(
            "donne une perte par agent quand il y a un axe de plus",
            _losses,
            "`mean(dim=-1)` ne moyenne que sur le lot, et laisse les axes qui le précèdent.",
        ),
        Property(
            "envoie le gradient dans les valeurs, jamais dans la cible",
            _by_hand,
            "La cible est une constante : elle ne doit recevoir aucun gradient.",
            _gradients,
        ),
    ),
    (
        Mistake(
            "le gradient traverse la cible",
            _squared_error,
            "Le gradient traverse la cible : détachez-la, par `target.detach()`.",
        ),
        Mistake(
            "la somme au lieu de la moyenne",
            _total,
            "Vous sommez les écarts : la moyenne ne dépend pas de la taille du lot.",
        ),
        Mistake(
            "une seule perte pour tous les agents",
            _every_row,
            "`mean()` sans `dim` mélange les agents : moyennez sur le dernier axe, celui du lot.",
        ),
        Mistake("pas de moyenne", _per_row, "Il reste une perte par ligne du lot : moyennez-les."),
        Mistake(
            "un axe de trop",
            _not_squeezed,
            "`gather` garde un axe : (B, 1) contre (B,) donne (B, B). Ôtez-le par `squeeze(-1)`.",
        ),
        Mistake(
            "un axe de trop, que la moyenne efface",
            _not_squeezed_at_all,
            "(B, 1) moins (B,) donne (B, B), que `mean()` cache : ôtez l'axe par `squeeze(-1)`.",
        ),
        Mistake(
            "`gather` sans axe",
            _action_as_it_is,
            "`gather` veut autant d'axes de part et d'autre : `action.unsqueeze(-1)`.",
        ),
        Mistake(
            "la valeur absolue",
            _absolute,
            "Vous prenez la valeur absolue des écarts : ici, c'est leur carré.",
        ),
        Mistake("la perte de Huber", _huber, "C'est la perte de Huber : ici, le carré suffit."),
        Mistake(
            "la meilleure valeur au lieu de l'action prise",
            _best_value,
            "Vous comparez la cible à max Q(s, a) : c'est l'action prise qui est jugée.",
        ),
        Mistake(
            "toutes les actions",
            _all_actions,
            "Les deux valeurs vont vers la cible : seule celle de l'action prise doit y aller.",
        ),
        Mistake(
            "l'autre action",
            _other_action,
            "Vous lisez la valeur de l'autre action : `gather(-1, action)` prend la bonne.",
        ),
        Mistake(
            "la valeur détachée",
            _frozen_value,
            "Vous détachez la valeur au lieu de la cible : plus rien n'apprend.",
        ),
        Mistake("une moitié", _half, "Vous divisez par deux : la moyenne des carrés suffit."),
        Mistake("la racine", _root, "La racine est de trop : la perte est la moyenne des carrés."),
        Mistake(
            "les écarts sans carré",
            _signed,
            "Sans carré, un écart positif en efface un négatif.",
        ),
    ),
    (_loss_with_where, _loss_with_one_hot),
)


# L'ε-glouton


def _greedy(_) -> Iterator[tuple]:
    yield torch.tensor([[1.0, 3.0], [5.0, 2.0]]), 0.0, torch.tensor([[0.0, 0.0], [0.5, 0.9]])
    yield torch.tensor([[1.0, 3.0], [5.0, 2.0]]), 0.1, torch.tensor([[0.9, 0.0], [0.5, 0.9]])


def _exploring(_) -> Iterator[tuple]:
    yield torch.tensor([[1.0, 3.0], [5.0, 2.0]]), 1.0, torch.tensor([[0.3, 0.1], [0.99, 0.9]])
    yield torch.tensor([[1.0, 3.0], [5.0, 2.0]]), 0.5, torch.tensor([[0.49, 0.1], [0.2, 0.6]])


def _draws(generator: np.random.Generator) -> Iterator[tuple]:
    for shape in ((8,), (3, 5), (2, 3, 4)):
        q = torch.from_numpy(generator.normal(size=(*shape, 2))).float()
        yield q, 0.5, torch.from_numpy(generator.random((*shape, 2))).float()
    q = torch.from_numpy(generator.normal(size=(24, 3))).float()
    yield q, 0.5, torch.from_numpy(generator.random((24, 2))).float()


def _epsilon_reversed(q, epsilon, draws):
    explore, choice = draws.unbind(dim=-1)
    return torch.where(explore >= epsilon, (choice * q.shape[-1]).long(), q.argmax(dim=-1))


def _never_explores(q, epsilon, draws):
    return q.argmax(dim=-1)


def _always_explores(q, epsilon, draws):
    return (draws[..., 1] * q.shape[-1]).long()


def _one_draw(q, epsilon, draws):
    explore = draws[..., 0]
    return torch.where(explore < epsilon, (explore * q.shape[-1]).long(), q.argmax(dim=-1))


def _one_for_all(q, epsilon, draws):
    if draws.flatten()[0] < epsilon:
        return (draws[..., 1] * q.shape[-1]).long()
    return q.argmax(dim=-1)


def _always_right(q, epsilon, draws):
    right = torch.ones(q.shape[:-1], dtype=torch.long)
    return torch.where(draws[..., 0] < epsilon, right, q.argmax(dim=-1))


def _worst(q, epsilon, draws):
    explore, choice = draws.unbind(dim=-1)
    return torch.where(explore < epsilon, (choice * q.shape[-1]).long(), q.argmin(dim=-1))


def _other_than_best(q, epsilon, draws):
    return torch.where(draws[..., 0] < epsilon, 1 - q.argmax(dim=-1), q.argmax(dim=-1))


def _epsilon_with_loop(q, epsilon, draws):
    rows = zip(q.reshape(-1, q.shape[-1]), draws.reshape(-1, 2), strict=True)
    actions = [
        int(choice * len(row)) if explore < epsilon else int(row.argmax())
        for row, (explore, choice) in rows
    ]
    return torch.tensor(actions).reshape(q.shape[:-1])


def _epsilon_with_numpy(q, epsilon, draws):
    coins, q = draws.numpy(), q.numpy()
    drawn = (coins[..., 1] * q.shape[-1]).astype(int)
    return np.where(coins[..., 0] < epsilon, drawn, q.argmax(-1))


epsilon_greedy = Exercise(
    dqn.epsilon_greedy,
    (
        Property(
            "prend la meilleure action quand il n'explore pas",
            _greedy,
            "Quand le premier tirage atteint ε, l'action est celle de la plus grande valeur.",
        ),
        Property(
            "prend une action uniforme quand il explore",
            _exploring,
            "Quand le premier tirage est sous ε, le second choisit : moins de 0,5, la gauche.",
        ),
        Property(
            "décide pour chaque état à part, quels que soient les axes",
            _draws,
            "Chaque état a ses deux tirages : `torch.where` choisit case par case.",
        ),
    ),
    (
        Mistake(
            "ε à l'envers",
            _epsilon_reversed,
            "ε est à l'envers : c'est la probabilité d'explorer, non celle de jouer au mieux.",
        ),
        Mistake("aucune exploration", _never_explores, "Vous n'explorez jamais : où sert ε ?"),
        Mistake("toujours au hasard", _always_explores, "Vous explorez toujours : où sert Q ?"),
        Mistake(
            "un seul tirage pour deux questions",
            _one_draw,
            "Le même tirage décide d'explorer et choisit l'action : un tirage sous ε donne presque "
            "toujours la gauche.",
        ),
        Mistake(
            "une décision pour tous",
            _one_for_all,
            "Un seul tirage décide pour tous les états : chacun doit avoir le sien.",
        ),
        Mistake(
            "explorer toujours à droite",
            _always_right,
            "Explorer, c'est tirer parmi toutes les actions, non prendre toujours la même.",
        ),
        Mistake("la pire action", _worst, "`argmin` prend la pire action : il faut `argmax`."),
        Mistake(
            "l'autre action que la meilleure",
            _other_than_best,
            "Une action au hasard peut être la meilleure : elle est tirée parmi toutes.",
        ),
    ),
    (_epsilon_with_loop, _epsilon_with_numpy),
)

EXERCISES = (td_target, double_td_target, td_loss, epsilon_greedy)
