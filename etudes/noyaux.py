"""Ce que pèsent en mémoire quarante lecteurs sur une même machine, chacun avec son noyau.

    .venv/bin/python etudes/noyaux.py 40

Des noyaux partent ensemble ; chacun importe le cours, entraîne un agent, dessine et bâtit le jeu,
puis attend. On lit alors, sous Linux, la mémoire que chacun occupe (RSS), la même où ce qu'ils
partagent est divisé entre eux (PSS), et le plus que chacun ait occupé. La somme des PSS est ce que
paie la machine, hors le serveur JupyterLab de chaque lecteur.
"""

import sys
from pathlib import Path
from statistics import median

from jupyter_client.manager import KernelManager

from cartpole_helpers.tables import write_study

CODE = """
from cartpole_helpers import QUICK, Training, evaluate
from cartpole_helpers.display.figures import cart_diagram
from cartpole_helpers.display.game import game
training = Training(QUICK, 0)
for _ in training.run():
    pass
evaluate(training.agent)
cart_diagram((0, 0, 0.1, 0), 1, "Un essai")
game()
"""
FIELDS = {"Rss": "smaps_rollup", "Pss": "smaps_rollup", "VmHWM": "status"}
MIB = 1024  # Kio


def measured(pid: int) -> tuple[float, ...]:
    """Rend la mémoire d'un processus, dans l'ordre de `FIELDS`, en Mio."""
    lines = [
        (field, line.split())
        for field, file in FIELDS.items()
        for line in Path("/proc", str(pid), file).read_text("utf-8").splitlines()
    ]
    return tuple(int(words[1]) / MIB for field, words in lines if words[0] == f"{field}:")


def main(count: int) -> None:
    """Mesure `count` noyaux, et écrit une ligne par noyau."""
    managers = [KernelManager() for _ in range(count)]
    try:
        clients = []
        for manager in managers:
            manager.start_kernel()
            clients.append(manager.blocking_client())
            clients[-1].start_channels()
        for client in clients:
            client.wait_for_ready(timeout=600)
        asked = [client.execute(CODE) for client in clients]
        for client, message in zip(clients, asked, strict=True):
            while client.get_shell_msg(timeout=1_800)["parent_header"]["msg_id"] != message:
                pass
        rows = [(rank, *measured(m.provisioner.pid)) for rank, m in enumerate(managers, 1)]
    finally:
        for manager in managers:
            manager.shutdown_kernel(now=True)
    told = [(rank, *map(round, values)) for rank, *values in rows]
    write_study(__file__, ("noyau", "rss_mio", "pss_mio", "pic_mio"), told)
    _, rss, pss, peak = zip(*rows, strict=True)
    print(f"{count} noyaux : RSS {median(rss):.0f} Mio, PSS {median(pss):.0f}, pic {max(peak):.0f}")
    print(f"somme des PSS : {sum(pss) / 1024:.1f} Gio")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
