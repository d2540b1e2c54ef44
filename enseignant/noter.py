"""Ramasse et note les copies d'une classe, dans un dossier de cours de nbgrader (NOTER.md)."""

import sys
from functools import partial
from pathlib import Path

import bac
import carnet
import ramassage

USAGE = "Tapez « classe ramasser DOSSIER COPIES », ou « classe noter DOSSIER »."
SETTINGS = "nbgrader_config.py"
OURS = "from cadre import configure"
CONFIGURED = (
    "# Le bouton « Autograde » passe ainsi, lui aussi, par le bac à sable.",
    "import sys",
    f"sys.path.append({str(bac.HERE)!r})",
    OURS,
    "configure(get_config())",
)


def main(arguments: list[str]) -> int | str:
    """Exécute « ramasser DOSSIER COPIES » ou « noter DOSSIER » ; rend 0, ou la phrase d'échec."""
    match arguments:
        case ["ramasser", folder, copies]:
            act = partial(gather, copies=Path(copies))
        case ["noter", folder]:
            act = mark
        case _:
            return USAGE
    folder = Path(folder).resolve()
    if not (folder / "source").is_dir():
        return f"« {folder} » n'est pas un dossier de cours : il y manque « source »."
    if folder.is_relative_to(bac.ROOT):
        return "Le dossier du cours doit être hors du dépôt, que les copies peuvent lire."
    try:
        secured(folder)
        act(folder)
    except (bac.SandboxError, carnet.CopyError) as error:
        return f"{error}".rstrip(".") + "."
    return 0


def gather(folder: Path, copies: Path) -> None:
    """Range les copies, et dit ce qu'il en est de chacune."""
    print(*ramassage.gather(folder, copies), sep="\n")


def mark(folder: Path) -> None:
    """Note toutes les copies ramassées."""
    bac.available()
    import correction  # long à charger : ramasser s'en passe

    correction.mark(folder, SETTINGS)


def secured(folder: Path) -> None:
    """Écrit dans les réglages de nbgrader, s'il n'y est pas, ce qui l'empêche d'exécuter."""
    path = folder / SETTINGS
    text = path.read_text("utf-8") if path.exists() else "c = get_config()\n\n"
    if OURS not in text:
        path.write_text("\n".join([text, *CONFIGURED, ""]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(["noter", *sys.argv[1:]]))
