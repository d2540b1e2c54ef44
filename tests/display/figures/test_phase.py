"""Les figures du plan (θ, θ̇) montrent la physique, les valeurs et les états donnés."""

import math

import numpy as np
import pytest
from drawn import (
    MAPS,
    MEMORIES,
    THETA_DOTS,
    THETAS,
    TITLE,
    assert_told,
    leaning,
    outline,
    picture_of,
)
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

from cartpole_helpers.display import figures
from cartpole_helpers.policies import lqr, push_by_angle


def test_phase_portraits_follow_the_physics():
    policies = {"signe de θ": push_by_angle, "LQR": lqr}
    figure = picture_of("phase_portraits").figure
    env = CartPoleEnv()
    assert_told(picture_of("phase_portraits"), *policies)
    for axes, policy in zip(figure.axes, policies.values(), strict=True):
        paths = [line for line in axes.lines if len(line.get_xdata()) > 2]
        assert len(paths) == 3
        for path in paths:
            theta, theta_dot = np.radians(path.get_xydata()).T
            env.reset(seed=0)
            env.state = (0.0, 0.0, theta[0], theta_dot[0])
            for step in range(1, len(theta)):
                state = np.array([env.state])
                _, _, terminated, _, _ = env.step(int(policy(state)[0]))
                np.testing.assert_allclose(env.state[2:], [theta[step], theta_dot[step]], atol=1e-9)
                assert terminated == (step == len(theta) - 1 and len(theta) < 81)


def mesh_of(axes):
    """Les centres (°, °/s) et la valeur des cases d'un plan colorié."""
    [mesh] = [one for one in axes.collections if isinstance(one, QuadMesh)]
    corners = mesh.get_coordinates()
    centres = (corners[1:, 1:] + corners[:-1, :-1]) / 2
    return mesh, centres.reshape(-1, 2), mesh.get_array().reshape(-1)


def test_action_maps_show_the_value_and_the_gap():
    worth, gap, *_ = picture_of("action_maps").figure.axes
    for axes, read_off in ((worth, np.maximum), (gap, lambda left, right: right - left)):
        mesh, centres, values = mesh_of(axes)
        left, right = 10 - np.radians(centres[:, 1]), 10 + np.radians(centres[:, 0])
        np.testing.assert_allclose(values, read_off(left, right), atol=1e-5)
    low, high = mesh.get_clim()
    assert -low == high >= abs(values).max()  # le blanc est l'égalité
    ends = 10 - math.radians(15), 10 + math.radians(150)
    told = "de {:.1f} à {:.1f}".format(*ends).replace(".", ",")
    assert_told(picture_of("action_maps"), told, "droite l’emporte sur 50 % du plan")
    picture = figures.action_maps(leaning, TITLE, limits=(-35, 70))
    scales = [mesh_of(axes)[0].get_clim() for axes in picture.figure.axes[:2]]
    assert scales == [(-35, 70), (-52.5, 52.5)]


def test_the_line_of_action_maps_is_where_the_greedy_action_changes():
    """Ici, là où θ = −θ̇ ; une case du plan fait 1,7° par seconde."""
    gap = picture_of("action_maps").figure.axes[1]
    [line] = [one for one in gap.collections if not isinstance(one, QuadMesh)]
    theta, theta_dot = outline(line).T
    assert len(theta) > 20
    assert np.abs(theta + theta_dot).max() <= 1.7
    assert (theta.min(), theta.max()) == pytest.approx((-15, 15), abs=0.2)


def test_the_map_of_viability_paints_each_state_with_its_fate():
    panels = picture_of("viability").figure.axes
    for axes, (name, (low, high)) in zip(panels, MAPS.items(), strict=True):
        mesh, centres, painted = mesh_of(axes)
        columns = np.searchsorted(np.degrees(THETAS), centres[:, 0] - 1e-9)
        rows = np.searchsorted(np.degrees(THETA_DOTS), centres[:, 1] - 1e-9)
        fate = {(False, False): 0, (False, True): 1, (True, True): 2}  # (sauvé, sans fin connue)
        known = zip(np.isinf(low[columns, rows]), np.isinf(high[columns, rows]), strict=True)
        assert painted.tolist() == [fate[bool(saved), bool(endless)] for saved, endless in known]
        assert len({to_hex(mesh.cmap(mesh.norm(kind))) for kind in range(3)}) == 3
        assert axes.get_title() == name
        saved, lost = (round(100 * np.mean(kind)) for kind in (low == np.inf, high < np.inf))
        assert_told(picture_of("viability"), f"{name} {saved} % sauvables, {lost} % perdus")


def test_memory_maps_count_the_states_of_each_cell():
    edges, meshes = (np.linspace(-15, 15, 61), np.linspace(-150, 150, 61)), []
    panels = picture_of("memory_maps").figure.axes
    for axes, (name, states) in zip(panels, MEMORIES.items(), strict=False):
        mesh, centres, values = mesh_of(axes)
        meshes.append(mesh)
        degrees = np.degrees(states[:, 2:]).T
        counts, *_ = np.histogram2d(*degrees, edges)
        columns, rows = (np.digitize(part, cut) for part, cut in zip(centres.T, edges, strict=True))
        expected = counts[columns - 1, rows - 1] / len(states)
        np.testing.assert_allclose(np.ma.filled(values, 0), expected)
        assert axes.get_title() == name
        share = np.mean(abs(states[:, 2]) > math.radians(6))
        assert_told(picture_of("memory_maps"), "6°", f"{name} {100 * share:.0f} %")
    assert meshes[0].norm is meshes[1].norm  # une même échelle pour tous
