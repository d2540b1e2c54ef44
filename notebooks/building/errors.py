"""L'erreur que lit la personne qui écrit un carnet."""


class BuildError(Exception):
    """Ce qui empêche de construire un carnet, en une phrase."""
