"""La recherche : elle prolonge la suite trouvée depuis son milieu."""

import numpy as np

from cartpole_helpers.teaching.truth import landing, search


def test_a_history_is_prolonged_from_its_middle():
    """La survie s'ajoute aux pas déjà faits ; une borne haute finie n'appelle rien."""
    halfway = np.array([[0, 0, 0.2, 3], [0, 0, 0, 0], [0, 0, 0.2, 3]])
    low, high = np.array([3.0, 3, 3]), np.array([np.inf, np.inf, 50])
    search.prolong(low, high, np.arange(3), halfway, np.full(3, 11.0))
    assert np.array_equal(low, [5 + landing.kept(halfway[:1])[0], np.inf, 3])
