"""Ce que le paquet règle en se chargeant : un fil de calcul, et la mémoire que garde la glibc."""

import ctypes
import os

import torch

# Les petits réseaux du cours vont plus vite sur un fil, et tout s'y refait au bit près.
THREADS = "OMP_NUM_THREADS"
# La glibc garde la mémoire libérée (256 Mio au plus), au lieu de la redemander à chaque tour. Pour
# chaque variable, son option, numérotée dans malloc.h, et sa valeur, en octets.
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": (-3, 1 << 25),
    "MALLOC_TRIM_THRESHOLD_": (-1, 1 << 28),
}


def settle() -> None:
    """Règle ce processus, hormis ce qu'une variable d'environnement a déjà réglé.

    Ce qui est chargé avant le paquet lui échappe : NumPy fixe ses propres fils à son chargement.
    """
    if THREADS not in os.environ:
        torch.set_num_threads(1)
    if os.name == "posix" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for name, (option, value) in MEMORY.items():
            if name not in os.environ:
                libc.mallopt(option, value)
