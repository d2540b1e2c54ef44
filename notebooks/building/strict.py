"""Rend le noyau exigeant : un avertissement ou l'exception d'un fil fait échouer la cellule."""


def _be_strict() -> None:
    """Tout tient dans une fonction : rien ne reste dans l'espace de noms du carnet."""
    import threading
    import warnings

    from IPython import get_ipython

    failures: list[BaseException] = []

    def report(*_: object) -> None:
        if failures:
            raise failures.pop(0)

    threading.excepthook = lambda failure: failures.append(failure.exc_value)
    get_ipython().events.register("post_run_cell", report)
    warnings.simplefilter("error")
    warnings.filterwarnings("default", module="ipykernel")  # il s'avertit lui-même en s'arrêtant


_be_strict()
del _be_strict
