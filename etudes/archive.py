"""L'archive d'une étude : un .csv qui grandit ligne à ligne ; on peut interrompre et relancer."""

import csv
from collections.abc import Iterable
from pathlib import Path


class Archive:
    """Le .csv de même nom que le script `script`, créé avec ses colonnes `header` s'il manque."""

    def __init__(self, script: str, header: tuple[str, ...]):
        self.path = Path(script).with_suffix(".csv")
        if not self.path.exists():
            self.append([header])

    def append(self, rows: Iterable[tuple]) -> None:
        """Ajoute des lignes, aussitôt écrites sur le disque."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    def finished(self) -> set[tuple]:
        """Rend ce qui est déjà archivé : les colonnes qui nomment le réglage, puis la graine."""
        with self.path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        place = header.index("graine")
        return {(*row[:place], int(row[place])) for row in rows}
