"""Les tables, comparées à `csv` ; coupées ou abîmées partout."""

import csv
import re
from math import nan

import numpy as np
import pytest

from cartpole_helpers import evaluations_of, load_study, series_of
from cartpole_helpers.tables import read_table, write_study, write_table


def read(path):
    """Les lignes d'un .csv."""
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


def test_an_archive_is_what_a_reader_of_csv_finds(tmp_path, capsys):
    path = tmp_path / "étude.csv"
    for content, expected in {
        "a,b\r\n1,-2.5e3\r\n": {"a": [1.0], "b": [-2500.0]},
        "\ufeffa,b\n1,2\n": {"a": [1.0], "b": [2.0]},  # comme l'écrit un tableur
        'nom,b\n"≥ 1,2",3\n': {"nom": ["≥ 1,2"], "b": [3.0]},
        "a,b\n1,2\nx,3\n": {"a": ["1", "x"], "b": [2.0, 3.0]},
        'a,b\n1,"deux\nlignes"\n': {"a": [1.0], "b": ["deux\nlignes"]},
    }.items():
        path.write_text(content, "utf-8", newline="")
        assert {name: column.tolist() for name, column in load_study(path).items()} == expected
    told = capsys.readouterr().out.splitlines()[2]
    assert re.fullmatch(r".*étude\.csv \(1 lignes\)[^/]*étude\.py", told)


def test_evaluations_are_those_of_the_rows_that_were_asked_for_seed_by_seed():
    study = {
        "jeu": np.array(["a", "b", "a", "a"]),
        "graine": np.array([7.0, 1.0, 3.0, 5.0]),
        "dose": np.arange(4.0),
        "1/2": np.array([1.0, 2.0, 3.0, 4.0]),
        "2/2": np.array([10.0, 20.0, 30.0, 40.0]),
    }
    assert evaluations_of(study, jeu="a").tolist() == [[3, 30], [4, 40], [1, 10]]
    assert evaluations_of(study, jeu="a", graine=range(6)).tolist() == [[3, 30], [4, 40]]
    assert evaluations_of(study).shape == (4, 2)
    with pytest.raises(ValueError, match=r"^study doit avoir des lignes .* : aucune trouvée"):
        evaluations_of(study, jeu="c")
    with pytest.raises(ValueError, match=r"'jeux'.*'jeu'"):
        evaluations_of(study, jeux="a")
    with pytest.raises(ValueError, match="une colonne par évaluation : aucune trouvée"):
        evaluations_of({"graine": np.zeros(1)})


def test_a_column_with_a_row_per_evaluation_is_arranged_by_seed_and_padded():
    study = {
        "jeu": np.array(["a", "b", "a", "a", "a"]),
        "graine": np.array([7.0, 7.0, 3.0, 7.0, 7.0]),
        "pas": np.array([1.0, 9.0, 4.0, 2.0, 3.0]),
    }
    np.testing.assert_array_equal(series_of(study, "pas", jeu="a"), [[4, nan, nan], [1, 2, 3]])
    with pytest.raises(ValueError, match=r"column .*'duree'"):
        series_of(study, "duree", jeu="a")
    with pytest.raises(TypeError, match=r"study\['jeu'\] .*"):
        series_of(study, "jeu")


BAD_ARCHIVES = {
    b"": "est vide ou coupée",
    b"a,b\n": "est vide ou coupée",
    b"a,b\n1,2\n3\n": "est vide ou coupée",
    b"a,b\n1,2\n3,4,5\n": "est vide ou coupée",
    b"a,b\n1,2\n3,45": "est vide ou coupée",
    b"a,a\n1,2\n": r"aux colonnes distinctes : \['a', 'a'\]",
    b'a,b\n1,"x"y\n': "n'est pas un .csv entier",
    "a,été\n1,2\n".encode("latin-1"): "en UTF-8",
}


def test_a_bad_archive_is_refused_in_french(tmp_path):
    path = tmp_path / "étude.csv"
    for content, reason in BAD_ARCHIVES.items():
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"^path doit être .*{reason}"):
            load_study(path)
    with pytest.raises(FileNotFoundError, match=r"^path doit être une étude .*\.csv"):
        load_study(tmp_path / "absente.csv")
    with pytest.raises(TypeError, match=r"^path doit être un chemin : 3 reçu\.$"):
        load_study(3)


CELLS = ["nom", "été, hiver", '"entre guillemets"', "deux\nlignes", "", "3.5"]


@pytest.mark.parametrize("closed", [True, False])
def test_a_table_survives_its_file_and_is_refused_cut_unless_whole_rows_remain(closed, tmp_path):
    path, ends = tmp_path / "table.csv", set()
    for count in (0, 1, 2):
        rows = [[*CELLS[1:], rank] for rank in range(count)]
        write_table(path, CELLS, iter(rows), closed=closed)
        written = [tuple(CELLS), *(tuple(map(str, row)) for row in rows)]
        assert read(path) == written + [(f"# fin : {count} lignes",)] * closed
        table = read_table(path, closed=closed)
        assert [*zip(*table.values(), strict=True)] == written[1:]
        assert [*table] == CELLS
        if count == 1 and not closed:  # rien ne dit alors combien il y avait de lignes
            ends = {path.stat().st_size}
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        if size in ends:
            assert read_table(path, least=1)["nom"] == ["été, hiver"]
        else:
            with pytest.raises(ValueError, match=r"^path doit être une table : .*table\.csv"):
                read_table(path, closed=closed, least=1)
    path.write_text("a\n1\n2\n# fin : 1 lignes\n", "utf-8")
    with pytest.raises(ValueError, match="est vide ou coupée"):
        read_table(path, closed=True)


def test_a_study_is_written_beside_its_script_whatever_the_system(tmp_path):
    write_study(str(tmp_path / "étude.py"), ("a", "b"), [(1, "x")])
    assert (tmp_path / "étude.csv").read_bytes() == b"a,b\n1,x\n"
