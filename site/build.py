"""Bâtit le site du cours, sans réseau et sans exécuter un carnet : site/build.py [dossier]."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUTPUT = HERE / "construit"
# Ce que les pages et les carnets citent, à la même place que dans le dépôt.
CITED = (
    *("README.md", "CONTRIBUTING.md", "DOCUMENT.md", "ERRATA.md", "PORTES.md"),
    *("etudes/*.md", "etudes/*.py", "enseignant/*.md", "enseignant/*.py"),
    *("etudes/*.yaml", "etudes/comparaison.png", "tests/test_network.py", "videos/*"),
    *("etudes/mutation.csv", "etudes/noyaux.csv", "cartpole_helpers/studies.py"),
    "cartpole_helpers/version1.py",
)


def gather(stage: Path) -> None:
    """Réunit dans `stage` les pages du site, les carnets et ce qu'ils citent."""
    for file in (file for pattern in CITED for file in ROOT.glob(pattern)):
        place = stage / file.relative_to(ROOT)
        place.parent.mkdir(exist_ok=True)
        shutil.copy(file, place)
    for page in HERE.glob("*.md"):
        text = page.read_text("utf-8").replace("](../", "](")
        (stage / page.name).write_text(text, "utf-8")
    for page in stage.rglob("*.md"):
        text = page.read_text("utf-8").replace("](site/", "](").replace("](../site/", "](../")
        page.write_text(typography(text), "utf-8")
    (stage / "notebooks").mkdir()
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        (stage / "notebooks" / notebook.name).write_text(lightened(notebook, stage), "utf-8")


def lightened(path: Path, stage: Path) -> str:
    """Rend un carnet dont les pages vivantes et les films sont rangés à part, dans `stage`."""
    notebook = json.loads(path.read_text("utf-8").replace("](../site/", "](../"))
    for cell in notebook["cells"]:
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if "text/html" in data:
                data["text/html"] = living.apart("".join(data["text/html"]), "../", stage)
    return json.dumps(notebook)


def build(stage: Path, html: Path) -> None:
    """Fait de `stage` un site dans `html` ; un avertissement de Sphinx est une erreur."""
    (stage / "_static" / "vivant.css").write_text(living.styles(), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", HERE, stage, html]
    if code := subprocess.run(command).returncode:
        sys.exit(code)
    shutil.copytree(stage / "_static", html / "_static", dirs_exist_ok=True)
    (html / "videos").mkdir()
    for film in stage.glob("videos/*.mp4"):
        shutil.copy(film, html / "videos")


def main(output: Path = OUTPUT) -> None:
    """Bâtit le site à l'écart, puis le met dans `output`, à la place de l'ancien."""
    print("Le site se bâtit, en une minute ou deux…", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        stage, html = Path(folder, "pages"), Path(folder, "html")
        stage.mkdir()
        gather(stage)
        build(stage, html)
        shutil.rmtree(html / ".doctrees", ignore_errors=True)
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(html, output)
    size = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
    megabytes = f"{size / 1e6:.1f}".replace(".", ",")
    print(f"Le site est prêt ({megabytes} Mo), ouvrez : {(output / 'index.html').as_uri()}")


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(ROOT)]
    import living

    from cartpole_helpers.display.typography import typography

    main(*map(Path, sys.argv[1:]))
