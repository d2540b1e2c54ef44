"""Les extrêmes : le lemme d'ordre dont dépend leur preuve."""

import numpy as np

from cartpole_helpers.cartpole import THETA_LIMIT, dynamics


def test_the_order_of_pole_trajectories_is_kept():
    """α croît avec θ, `θ̇ + τ·α` avec θ̇, et pousser à droite les diminue, partout où on le dit."""
    theta = np.linspace(-THETA_LIMIT, THETA_LIMIT, 301)
    speed = np.linspace(-12, 12, 301)
    left, right = (
        dynamics(np.stack(np.meshgrid(0, 0, theta, speed, indexing="ij"), -1)[0, 0], action)
        for action in (0, 1)
    )
    for after in (left, right):
        assert (np.diff(after[..., 3], axis=0) > 0).all()
        assert (np.diff(after[..., 3], axis=1) > 0).all()
    assert (left[..., 3] > right[..., 3]).all()
