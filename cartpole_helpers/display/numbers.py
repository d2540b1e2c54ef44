"""Les nombres écrits à la française, pour tout le cours ; la page a les mêmes (web/numbers.mjs)."""

import numpy as np

from cartpole_helpers.display.typography import NARROW, WIDE

MINUS = "\u2212"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 0) -> str:
    """Écrit un nombre à la française : virgule décimale, milliers séparés, vrai signe moins."""
    written = f"{round(value, digits) + 0.0:,.{digits}f}"  # + 0.0 efface le signe de −0
    return written.replace(",", NARROW).replace(".", ",").replace("-", MINUS)


def exact(value: float, _position=None) -> str:
    """Écrit un nombre avec autant de décimales qu'il lui en faut, neuf au plus."""
    return number(value, _decimals(round(value, 12), precision=9))


def brief(value: float) -> str:
    """Écrit un nombre avec trois chiffres utiles au plus, si petit ou si grand soit-il."""
    rounded = float(f"{value:.3g}")
    return number(rounded, _decimals(rounded))


def measure(value: float) -> str:
    """Écrit une mesure comme `brief` ; à partir de 1 000, toutes ses unités ; une puissance de dix
    pour celles d'un million ou plus, ou de moins d'un millième."""
    if value and not 1e-3 <= abs(value) < 1e6:
        digits, power = f"{value:.1e}".split("e")
        return f"{number(float(digits), 1)} × 10{str(int(power)).translate(RAISED)}"
    return brief(value) if abs(value) < 1_000 else number(value)


def percent(share: float, digits: int = 0) -> str:
    """Écrit une part, entre 0 et 1, en pour cent."""
    return f"{number(100 * share, digits)}{WIDE}%"


def _decimals(value: float, **most) -> int:
    return len(np.format_float_positional(value, trim="-", **most).partition(".")[2])
