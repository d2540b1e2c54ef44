"""Ce que dit le refus d'un choix, le mot voisin compris."""

import pytest

from cartpole_helpers.checks import check_choice

WORDS = ("gamma", "capacity", 3)


@pytest.mark.parametrize("value", WORDS)
def test_a_known_choice_comes_back(value):
    assert check_choice("champ", value, WORDS) is value


@pytest.mark.parametrize(
    ("value", "near"), [("Gamma", "gamma"), ("gama", "gamma"), ("capacité", "capacity")]
)
def test_a_neighbouring_word_is_suggested(value, near):
    with pytest.raises(ValueError, match=rf"'{value}' reçu\. Vouliez-vous dire '{near}' \?$"):
        check_choice("champ", value, WORDS)


@pytest.mark.parametrize("value", ["epsilon", "", None, 4, ["gamma"]])
def test_nothing_is_suggested_when_nothing_is_near(value):
    with pytest.raises(ValueError, match=r"^champ doit être l'un de 'gamma', .* reçu\.$"):
        check_choice("champ", value, WORDS)
