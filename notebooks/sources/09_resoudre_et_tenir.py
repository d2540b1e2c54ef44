# %% [markdown]
# # 09 · Résoudre et tenir
#
# **La question.** La Version 2 apprend. En combien de secondes rend-elle un agent auquel on puisse se fier, quelle que
# soit la graine ? Et si l'entraînement continue, que devient ce que l'agent savait ?
#
# Ce carnet résout le jeu devant vous et certifie l'agent qu'il rend ; il en entraîne soixante-quatre à la fois ; il
# laisse ensuite courir cent graines neuves, et compte celles qui ne retombent pas. Enfin, il compare la Version 2 aux
# autres programmes.
#
# *Lecture : 40 minutes ; exercices : 20 minutes ; exécution : une minute environ.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from dataclasses import replace

import numpy as np
import torch

from cartpole_helpers import (
    VERSION_2,
    Training,
    Unsolved,
    evaluate,
    evaluations_of,
    load,
    load_study,
    paired_interval,
    series_of,
    solve,
)
from cartpole_helpers.cartpole import dynamics, has_fallen
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.live import each, follow, waiting
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.panel import panel
from cartpole_helpers.repairs import RECIPES
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.statistics import (
    after_success,
    at_success,
    holds,
    holm,
    paired_p_value,
    percentage,
    smallest_effect,
    succeeds,
)

# %% [markdown]
# ## 1. Résoudre, maintenant
#
# Le [carnet 08](08_version_2.ipynb) laissait l'entraînement continuer, sans rien lui dire. Dans la pratique, on veut
# obtenir un agent et s'arrêter. C'est ce que fait `solve` : il entraîne, **choisit** sur des départs de validation,
# **juge** sur d'autres, et s'arrête seul. Les deux se font dans `trials.judge`, qui rend les cent retours de l'agent
# s'il est certifié, `None` sinon.

# %%
listing(solve)

# %% [markdown]
# > **À vous.** Combien de secondes, tout compris, sur un seul cœur ? Notez votre pari, puis exécutez.

# %% tags=["nbval-ignore-output"]
solution = solve()
secondes, pas = number(solution.seconds, 2), number(solution.env_steps)
print(f"{secondes} s pour {pas} pas de jeu")
print(f"et {solution.gradient_steps} mises à jour")

# %% [markdown]
# Sur la machine du cours, l'agent apprend en moins de temps qu'il n'en faut pour regarder un seul épisode. C'est le
# temps de l'horloge, mise en route comprise ; l'étude qui suit comptera celui que le processeur a passé à calculer.
# Et qui dit qu'il sait jouer ?

# %% tags=["nbval-ignore-output"]
parfaits = np.sum(solution.certificate == 500)
print("validation :", solution.validation.round().astype(int))
moyenne = number(solution.certificate.mean(), 1)
print(f"certificat numéro {solution.attempts} : {moyenne} ; {parfaits} parfaits sur 100")

# %% [markdown]
# La validation joue cinquante épisodes par millier de pas, et s'arrête dès que leur moyenne ne peut plus atteindre
# 490 : ce qui est imprimé est alors une borne basse. Suivent cent épisodes, depuis des départs qui n'ont servi à
# aucun choix : le **certificat**. S'il est refusé, l'entraînement continue, et le suivant se joue depuis d'autres
# départs.
#
# Or le [carnet 07](07_la_boucle_de_test.ipynb) mettait en garde : à recommencer jusqu'à réussir, un mauvais agent finit
# par passer. Quelle chance lui laisse-t-on ? Essayons-en deux, sous 475 l'un et l'autre : l'hésitant du carnet 07, et
# un agent parfait qui, une fois sur dix-huit, tombe en vingt pas.


# %%
def chance(retours, essais=100_000):
    """La probabilité d'avoir 490 sur 50 départs, puis 475 sur 100 autres."""
    hasard = np.random.default_rng(0)
    notes = [hasard.choice(retours, (essais, n)).mean(axis=1) for n in (50, 100)]
    return np.mean(notes[0] >= 490) * np.mean(notes[1] >= 475)


# %%
hesitant = evaluate(load("../checkpoints/agent_4000_pas.safetensors"), 1_000, seed=10)
fautifs = {"l'hésitant": hesitant, "le parfait qui tombe": np.array([500.0] * 17 + [20.0])}
for nom, retours in fautifs.items():
    une = chance(retours)
    moyenne, fois = number(retours.mean(), 1), [une, 1 - (1 - une) ** 50]
    une, cinquante = (number(100 * chances, 2) for chances in fois)
    print(f"{nom} ({moyenne}) : passe dans {une} % des cas ; en 50 évaluations, {cinquante} %")

# %% [markdown]
# Cinquante évaluations, c'est tout le budget, une par millier de pas. L'hésitant manque à peu près un épisode sur
# trois : sur cinquante, 490 est presque hors d'atteinte. L'autre n'en manque parfois qu'un sur cinquante, et fait
# alors 490,4. Contre l'hésitant, exiger 490 d'abord suffit presque. Contre l'autre, non : ce certificat **n'est pas
# une preuve**. C'est pourquoi `solve` compte ses essais, et pourquoi, plus bas, chaque agent rendu sera rejugé sur
# mille départs.

# %% [markdown]
# Et si le budget ne suffit pas ? `solve` ne rend pas un agent douteux en silence : il **lève une erreur**,
# à laquelle le meilleur agent est attaché.

# %% tags=["nbval-ignore-output"]
try:
    solve(replace(VERSION_2, total_steps=1_000), seed=1)
except Unsolved as echec:
    print(echec)
    print("agent attaché :", echec.agent)

# %% [markdown]
# Une graine ne dit rien, vous le savez. En voici cent, de 1000 à 1099, nommées avant d'avoir servi et confiées une
# à une à `solve` sur un seul cœur. Chaque agent rendu a ensuite joué mille épisodes depuis des départs neufs.
# L'archive contient aussi une variante, qui reçoit une connaissance du jeu, la **symétrie** du carnet 00 :
# gauche et droite se valent, et le réseau est construit pour le savoir.

# %%
cent = load_study("../etudes/version2.csv")
resolues = ~np.isnan(cent["certificat"])
par_recette = {nom: cent["recette"] == nom for nom in RECIPES if nom in cent["recette"]}

# %% [markdown]
# > **À vous.** Combien de graines sur cent échoueront ? Et combien de temps prendra la plus lente ?

# %%
durees = {nom: cent["secondes"][lignes] for nom, lignes in par_recette.items()}
milieu, plus_lente = np.median(durees["version 2"]), np.max(durees["version 2"])
titre = f"{number(milieu, 2)} s en médiane, {number(plus_lente, 1)} s au pire"
axe = "durée de la résolution, tout compris (s de processeur, échelle logarithmique)"
figures.strips(durees, f"Version 2 : {titre}", axe, log=True)

# %%
for nom, lignes in par_recette.items():
    bas, haut = percentage(resolues[lignes])[1:]
    print(f"{nom} : {resolues[lignes].sum()} certifiées sur 100 [{bas:.0f} à {haut:.0f} %]")
    for colonne, chiffres in (("secondes", 2), ("pas", 0)):
        bornes = np.percentile(cent[colonne][lignes], (50, 90, 95, 100))
        print(f"   {colonne} :", " / ".join(number(une, chiffres) for une in bornes))
    print(f"   certificats refusés : {np.nansum(cent['essais'][lignes] - 1):.0f}")

# %% [markdown]
# Chaque ligne donne la médiane, puis ce que ne dépassent pas neuf graines sur dix, dix-neuf sur vingt, et enfin le
# maximum. La plupart des graines vont droit au but ; quelques-unes traînent bien plus longtemps, et ce sont elles que
# cache une démonstration sur une graine bien choisie.
#
# Reste à savoir si le certificat dit vrai.

# %%
juges = {nom: cent["retour"][lignes] for nom, lignes in par_recette.items()}
sous = "{} sur 100 ; avec la symétrie, {}".format(*(np.sum(un < 475) for un in juges.values()))
titre = f"Agents sous 475 : {sous}"
figures.strips(juges, titre, "retour moyen sur 1 000 départs neufs (pas)")

# %% [markdown]
# Presque tous restent au-dessus du seuil ; le point le plus à gauche, sous 475, en est si près que mille départs ne
# suffisent pas à en juger. `solve` s'arrête au premier agent suffisant, non au meilleur.

# %% [markdown]
# ### Voir la Version 2 apprendre
#
# La Version 2 a fini avant qu'on ait rien vu. Le panneau du carnet 06 sait la ralentir. Nous y avons laissé deux
# essais : sans l'échelle des entrées, puis avec. Choisissez la cadence « 50 tours par seconde », démarrez, et regardez
# le premier chariot pendant que le retour sans hasard monte.

# %% tags=["nbval-ignore-output"]
tableau = panel(replace(VERSION_2, total_steps=10_000))
for facteurs in ((1.0, 1.0, 1.0, 1.0), VERSION_2.input_scale):
    tableau.set(input_scale=facteurs)
    tableau.start()
    tableau.wait()
tableau

# %% [markdown]
# ## 2. Soixante-quatre agents à la fois
#
# Le moteur entraîne plusieurs agents ensemble : il suffit de donner plusieurs graines. C'est ce qui rend
# supportables les études de ce carnet. En voici soixante-quatre, en direct, sur six mille pas chacun.
#
# > **À vous.** Quelle part des soixante-quatre sera au-dessus de 475 à la fin ? Et les courbes seront-elles
# > serrées ?

# %% tags=["nbval-ignore-output"]
groupe, instants, mesures = Training(VERSION_2, range(64)), [], []
for tour in follow(groupe.run(), 6_000):
    if tour.env_steps % 400 == 0:
        instants.append(tour.env_steps)
        mesures.append(evaluate(groupe.agent, episodes=20).mean(axis=1))

# %% tags=["nbval-ignore-output"]
courbes = np.array(mesures).T
un_jour, a_la_fin = np.sum(np.any(courbes >= 475, axis=1)), np.sum(courbes[:, -1] >= 475)
titre = f"Sur 64 agents, {un_jour} atteignent 475 un jour, {a_la_fin} y sont à la fin"
figures.learning_curves(np.array(instants), courbes, titre)

# %% [markdown]
# Même recette, mêmes nombres : seule la graine change. Qui n'aurait tracé qu'une courbe aurait
# annoncé, selon la graine, une réussite presque immédiate ou un échec.
#
# > **À vous.** À soixante-quatre, un agent coûtera-t-il moitié moins que seul ? Dix fois moins ?

# %%
cout = load_study("../etudes/cout.csv")
tour, meilleur = cout["tour"], int(np.argmin(cout["tour"]))
series = {"un tour de boucle": tour, "ses produits de matrices seuls": cout["produits"]}
rapport = number(tour[0] / tour[meilleur], 1)
titre = f"À {cout['agents'][meilleur]:.0f} agents, chacun coûte {rapport} fois moins que seul"
axes = ("agents entraînés ensemble (échelle logarithmique)", "coût par tour et par agent (ms)")
bornes = [(cout[f"{nom}_min"], cout[f"{nom}_max"]) for nom in ("tour", "produits")]
figures.curves(cout["agents"], series, titre, axes, "x", dict(zip(series, bornes, strict=True)))

# %% [markdown]
# Le trait est la médiane de plusieurs manches de mesure, et la bande va de la plus rapide à la plus lente : ce n'est
# pas un intervalle à 95 %. Un tour enchaîne des dizaines d'opérations, et chacune a un prix fixe. Seul, un agent paie
# surtout ces prix fixes ; à plusieurs, on les partage. Les produits de matrices, eux, ne se partagent pas : ils
# finissent par être l'essentiel de ce qui reste, et prendre plus d'agents encore ne rapporte plus rien. La mémoire de
# l'ordinateur, elle, se paie à chaque agent.

# %%
part_produits = number(100 * cout["produits"][meilleur] / tour[meilleur])
print(f"à {cout['agents'][meilleur]:.0f} agents, ces produits sont {part_produits} % d'un tour")
for rang in (0, meilleur, -1):
    print(f"agents : {cout['agents'][rang]:.0f} ; processus : {number(cout['processus'][rang])} Mo")

# %% [markdown]
# Et ces agents ne se gênent pas : chacun apprend, au bit près, ce qu'il aurait appris seul.

# %%
ensemble, seul = Training(VERSION_2, range(8)), Training(VERSION_2, 5)
for _ in range(60):
    ensemble.advance(), seul.advance()
print("mêmes poids :", torch.equal(ensemble.agent[5].weights, seul.agent.weights))

# %% [markdown]
# ## 3. Ne rien perdre
#
# `solve` s'arrête dès qu'il réussit. Plus difficile : laisser l'entraînement continuer, sans jamais lire une
# évaluation, et ne rien perdre. Voici les cent graines de la Version 2 déjà comptées au carnet 08, jusqu'à cinquante
# mille pas, évaluées tous les mille pas sur cent départs neufs. Comme au carnet 08, une graine **réussit** quand
# trois évaluations de suite sont à 475 ou plus ; elle **conserve** sa réussite si plus une seule, ensuite, ne passe
# dessous. Dans le code, `after_success` rend un tableau masqué de NumPy, qui cache tout ce qui précède la fin de la
# réussite : `~….mask` désigne donc les évaluations d'après.
#
# > **À vous.** Une fois leur réussite acquise, combien ne repasseront jamais sous 475 ?

# %%
echelle = load_study("../etudes/echelle.csv")
PAS = np.array([int(colonne) for colonne in echelle if colonne.isdigit()])
toutes = {nom: evaluations_of(echelle, reglage=nom, graine=range(1_000, 1_100)) for nom in RECIPES}


def tiennent(valeurs, seuil=475):
    """Les graines (S,) qui réussissent, puis n'ont plus une évaluation sous `seuil`."""
    return holds(valeurs >= 475, valeurs >= seuil)


# %%
cent_graines = toutes["version 2"]
titre = f"Réussite conservée : {np.sum(tiennent(cent_graines))} graines sur 100"
figures.learning_curves(PAS, cent_graines, titre)

# %%
print(f"ne réussissent jamais : {np.sum(~succeeds(cent_graines >= 475))} sur 100")
for suite, depuis in ((3, "trois réussites de suite"), (1, "une seule")):
    ensuite = ~after_success(cent_graines >= 475, suite).mask
    for seuil in (475, 400, 200):
        milieu, bas, haut = percentage((ensuite & (cent_graines < seuil)).any(axis=1))
        print(f"après {depuis}, sous {seuil} : {milieu:.0f} sur 100 [{bas:.0f} ; {haut:.0f}]")

# %% [markdown]
# Toutes réussissent, et celles qui rechutent ensuite restent près du seuil. Ce n'est plus l'effondrement du carnet
# 06 ; mais zéro sur cent ne veut pas dire « jamais » : voyez l'intervalle. Tout dépend aussi de la définition : plus
# d'un agent atteint 500 au bout de mille pas, puis désapprend avant de réussir pour de bon. De même, la courbe qui,
# sur la figure, passe 475 puis plonge sous 400 n'est pas comptée comme une rechute : sa troisième réussite de suite
# ne vient que plus tard.
#
# Pourquoi compter des graines, plutôt que de mesurer la part conservée, celle des évaluations d'après la réussite qui
# restent à 475 ou plus ? Parce que l'intervalle de cette part est trompeur. L'étude `couverture` prend nos archives
# pour vérité, y tire vingt ou cent individus, et regarde combien d'intervalles « à 95 % » contiennent le bon nombre.

# %%
couverture = load_study("../etudes/couverture.csv")
for rang in range(0, len(couverture["n"]), 2):  # vingt, puis cent
    nom = f"{couverture['intervalle'][rang]}, {couverture['grandeur'][rang]}"
    if "version 2" in nom:
        print("{:3.0f} % à 20, {:3.0f} % à 100 :".format(*couverture["couverture"][rang:][:2]), nom)

# %% [markdown]
# Une mesure presque toujours parfaite, et rarement très basse, trompe le rééchantillonnage : vingt graines n'ont
# souvent aucun cas très bas, et l'intervalle est trop étroit. L'exact, qui compte des graines, couvre au moins ce
# qu'il promet. L'intervalle de l'écart de rechute entre deux recettes (le taux du carnet 08, comparé graine à
# graine), lui, est trop souvent **trop bas** (`couverture.csv`) : il lui arrive bien plus qu'il ne devrait de rester
# tout entier sous le vrai écart, et presque jamais au-dessus. La marge du carnet 08 était heureusement large. Plus
# bas, cela n'affaiblit pas un verdict « nuit », mais une borne haute y est un peu optimiste.

# %% [markdown]
# Et si l'agent savait ce que nous savons du jeu ? Essayons deux aides. La **symétrie**, encore. Et des **départs
# écartés** : à l'entraînement, le chariot part n'importe où entre −2 et 2 m, pour mieux connaître les bords ;
# l'évaluation, elle, ne change pas.
#
# > **À vous.** Les deux informations sont justes, et gratuites. Laquelle évitera le plus de rechutes ? Et les deux
# > ensemble ?

# %%
sans, avec = (np.sum(tiennent(toutes[nom])) for nom in ("version 2", "les deux"))
colonnes = {
    f"ensuite ≥ {seuil} (%)": {nom: percentage(tiennent(la, seuil)) for nom, la in toutes.items()}
    for seuil in (475, 400, 200)
}
figures.intervals(colonnes, f"Réussite conservée : {sans} graines sans aide, {avec} avec les deux")

# %% [markdown]
# L'étude l'avait écrit d'avance : trois comparaisons du **taux de rechute** (la part des évaluations sous 475 après
# la réussite ; 100 % pour une graine qui ne réussit pas), graine à graine, corrigées par Holm. Un écart positif est
# une dégradation. Le nombre $p$ est la probabilité d'un écart au moins aussi grand si seul le hasard des graines
# jouait ; il y a verdict quand, corrigé, il passe sous 0,05.


# %%
def rechute(valeurs):
    """La rechute (%) de chaque graine : (S,)."""
    return 100 * (1 - after_success(valeurs >= 475, 3).mean(axis=1).filled(0))


# %%
paires = {
    "la symétrie": ("avec la symétrie", "version 2"),
    "les départs écartés": ("départs écartés", "version 2"),
    "les départs écartés, après la symétrie": ("les deux", "avec la symétrie"),
}
aides = [rechute(toutes[avec]) - rechute(toutes[sans]) for avec, sans in paires.values()]
aides = np.stack(aides, axis=1)  # (100, 3)

# %%
bornes = np.stack([aides.mean(axis=0), *paired_interval(aides), smallest_effect(aides)], axis=1)
for nom, quatre, p in zip(paires, bornes, holm(paired_p_value(aides)), strict=True):
    milieu, bas, haut, moindre = (number(x, 1) for x in quatre)
    print(f"{nom}, en points : {milieu} [{bas} ; {haut}], p corrigé {number(p, 3)} ; ", end="")
    print(f"plus petit effet visible : {moindre}")
for nom, valeurs in toutes.items():
    jamais, debout = np.sum(~succeeds(valeurs >= 475)), np.sum(valeurs[:, -1] >= 475)
    print(f"{nom} : graines qui ne réussissent jamais, {jamais} ; à 475 à la fin, {debout}")

# %% [markdown]
# Les départs écartés **nuisent** : on rechute davantage, avec la symétrie comme sans elle. Sans elle, ce verdict est
# fragile : jugés une première fois, depuis d'autres départs, les mêmes agents ne suffisaient pas à conclure
# ([errata](../ERRATA.md)). La symétrie seule reste sans verdict : un effet plus petit que l'effet imprimé, qui se
# verrait quatre fois sur cinq, a pu échapper à cent graines. (Un écart plus petit que ce nombre peut avoir un
# verdict : c'est celui que l'on manquerait une fois sur cinq, non le moindre que l'on puisse voir.)
#
# Nous espérions l'inverse. Peut-être l'exploration de la Version 2 montre-t-elle déjà assez les bords ; partir
# d'ailleurs remplit alors la mémoire de ce qui n'est pas jugé. Ce n'est qu'une hypothèse.

# %% [markdown]
# La symétrie est une connaissance du **problème**. Les programmes auxquels nous nous comparerons s'en passent ; la
# Version 2 aussi : c'est elle qu'il faut leur opposer.

# %% [markdown]
# ### Ce qui casse encore
#
# Cherchons, dans l'archive, la pire **rechute** : l'évaluation la plus basse qui suive la réussite d'une graine,
# d'abord sur toute la durée, puis à partir de vingt mille pas. La graine permet de refaire l'agent tel
# qu'il était à cet instant.


# %%
apres = ~after_success(cent_graines >= 475, 3).mask


def pire_rechute(debut):
    """Les rangs de la graine et de l'évaluation la plus basse après réussite, dès `debut` pas."""
    candidates = np.where(apres & (debut <= PAS), cent_graines, np.inf)
    return divmod(int(candidates.argmin()), len(PAS))


# %% [markdown]
# Refaire un agent, c'est entraîner sa graine jusqu'au même pas.


# %%
def refaire(graine, pas):
    entrainement = Training(VERSION_2, graine)
    while entrainement.env_steps < pas:
        entrainement.advance()
    return entrainement


# %% tags=["nbval-ignore-output"]
malades = {}
for ligne, rang in each([*map(pire_rechute, (0, 20_000))], "Rechutes"):
    graine, archivee = 1_000 + ligne, cent_graines[ligne, rang]
    refait = refaire(graine, PAS[rang])
    retours = evaluate(refait.agent, seed=fresh_seed(Purpose.STUDY, refait.env_steps))
    print(f"graine {graine} à {number(PAS[rang])} pas : ", end="")
    moyennes = [number(une, 2) for une in (archivee, retours.mean())]
    print("archive : {} ; refait : {}".format(*moyennes))
    malades[f"graine {graine}, {number(PAS[rang])} pas"] = refait.agent

# %% [markdown]
# Les mêmes agents, les mêmes évaluations. Où finissent donc leurs épisodes ?
#
# > **À vous.** Laissent-ils tomber la tige, ou sortent-ils du rail ?


# %%
def chutes(agent, nombre=300):
    """Les états (N, 4) où tombe un agent qui joue `nombre` épisodes de 500 pas au plus."""
    etats = np.random.default_rng(0).uniform(-0.05, 0.05, (nombre, 4))
    for _ in range(500):
        tombes = has_fallen(etats)[:, None]
        etats = np.where(tombes, etats, dynamics(etats, agent(etats)))
    return etats[has_fallen(etats)]


# %% tags=["nbval-ignore-output"]
perdus = {nom: chutes(agent) for nom, agent in malades.items()}
rails = [f"{np.sum(np.abs(etats[:, 0]) > 2.4)} sur {len(etats)}" for etats in perdus.values()]
titre = f"Sorties du rail, parmi les chutes : {rails[0]}, puis {rails[1]}"
nuages = {nom: (etats[:, 0], np.degrees(etats[:, 2])) for nom, etats in perdus.items()}
figures.points(nuages, titre, ("position du chariot (m)", "angle de la tige (°)"))

# %% [markdown]
# Deux chutes bien différentes, et un trait commun : le chariot a **dérivé**, presque toujours du même côté pour un même
# agent. Le premier agent est encore jeune ; à distance du bord, il laisse tomber la tige. Il ressemble à l'agent hésitant du
# carnet 07 : sans doute est-il arrivé là où il n'avait rien appris.
#
# Le second sait jouer : la tige est droite quand le chariot sort du rail. Avec $\gamma = 0{,}985$, une chute qui
# n'arrivera que cent pas plus tard pèse moins du quart d'une chute immédiate : peut-être s'en aperçoit-il trop tard. Ce
# n'est qu'un soupçon, que le cours n'a pas mis à l'épreuve.

# %% [markdown]
# ## 4. Face aux autres
#
# Un temps seul ne dit rien : il dépend trop de la machine. Nous avons donc fait tourner sur la nôtre le DQN de
# **Stable-Baselines3**, la bibliothèque que l'on prend d'habitude, avec les réglages que `rl-zoo3` publie pour
# CartPole, et son PPO, un algorithme d'une autre famille. Des graines neuves, une à une, 50 000 pas pour tous.

# %% [markdown]
# Une première réussite doit souvent beaucoup à la chance. La mesure principale, nommée d'avance, est donc le rapport
# des temps de processeur médians des deux DQN, jusqu'à la **troisième réussite de suite**, évaluations non comptées.
# Une graine qui n'y arrive pas compte comme une attente sans fin.

# %% [markdown]
# Ce rapport mêle deux choses : la **recette**, c'est-à-dire les réglages, et le **moteur** qui l'exécute. Croisons-les.
# La recette de `rl-zoo3` passe dans notre moteur ; la nôtre passe dans le leur, sans ce qu'il ne connaît pas, Double
# DQN et les actions prolongées, et avec sa perte de Huber, où l'erreur compte au carré jusqu'à 1, puis en proportion :
# c'est la « version 2 réduite ». Le croisement n'est pas
# parfait : `etudes/comparaison.py` dit ce qui ne se traduit pas.

# %%
duel = load_study("../etudes/comparaison.csv")
systemes = [*dict.fromkeys(zip(duel["recette"], duel["moteur"], strict=True))]

# %% [markdown]
# Chaque ligne de l'archive est une évaluation, jouée deux fois : par le réseau **principal**, et par la **moyenne**
# de ses poids, que nous avons ajoutée à Stable-Baselines3 pour que l'on puisse comparer. `series_of` range une
# colonne graine par graine ; `at_success` la lit là où s'achève la troisième réussite de suite, et rend l'infini si
# elle n'est pas venue.


# %%
def releve(systeme, colonne):
    """Une colonne de l'archive, rangée : (graines, évaluations)."""
    return series_of(duel, colonne, recette=systeme[0], moteur=systeme[1])


def a_la_troisieme(systeme, reseau, colonne):
    """Ce que vaut une colonne à la troisième réussite de suite : (graines,)."""
    return at_success(releve(systeme, reseau) >= 475, releve(systeme, colonne), 3)


# %% [markdown]
# > **À vous.** Quel rapport de temps attendez-vous entre la Version 2 et le DQN de Stable-Baselines3 ? Et vient-il
# > plutôt de la recette, ou du moteur ?

# %% [markdown]
# Chaque moteur est jugé sur le réseau qu'il rend à qui l'emploie : le nôtre, la moyenne des poids ; le leur, le réseau
# principal.

# %%
livre = {"moteur du cours": "moyenne", "Stable-Baselines3": "en_ligne"}
attentes = {
    ", ".join(systeme): a_la_troisieme(systeme, livre[systeme[1]], "secondes")
    for systeme in systemes
}
notre, leur = attentes["version 2, moteur du cours"], attentes["rl-zoo3, Stable-Baselines3"]

# %% [markdown]
# L'intervalle du rapport vient d'un rééchantillonnage des graines, les mêmes dans les deux systèmes.

# %%
tirees = np.random.default_rng(0).integers(len(notre), size=(2_000, len(notre)))
rapports = np.median(leur[tirees], axis=1) / np.median(notre[tirees], axis=1)
bornes = np.quantile(rapports, [0.025, 0.975], method="inverted_cdf")
rapport, bas, haut = map(number, (np.median(leur) / np.median(notre), *bornes))

# %%
titre = f"Le DQN de Stable-Baselines3 met {rapport} fois notre temps [{bas} à {haut}]"
axe = "entraînement (s, échelle logarithmique), un point par graine"
figures.strips(attentes, titre, axe, log=True)

# %% [markdown]
# L'échelle est logarithmique : chaque graduation principale vaut dix fois la précédente. D'où vient l'écart ? Un temps
# est un nombre de pas, fois ce que coûte un pas ; et ce coût dépend d'abord du nombre de mises à jour.

# %%
for systeme in systemes:
    pas = np.median(a_la_troisieme(systeme, livre[systeme[1]], "pas"))
    cout = np.median(releve(systeme, "secondes")[:, -1]) / 50_000
    rythme = np.median(releve(systeme, "mises_a_jour")[:, -1]) / 50_000
    print(f"{', '.join(systeme)}, {len(releve(systeme, 'pas'))} graines : ", end="")
    print(f"{number(pas)} pas ; {number(1e6 * cout)} µs par pas, ", end="")
    print(f"pour {number(rythme, 3)} mise à jour")

# %% [markdown]
# La recette de `rl-zoo3` fait huit fois plus de mises à jour par pas que la nôtre, sur un réseau bien plus large : les
# deux moteurs y passent presque le même temps. Avec notre réseau, plus petit, leur moteur coûte davantage ; mais l'écart
# vient surtout de la **recette** : moins de pas et moins de mises à jour.

# %%
chacun = {
    f"{', '.join(systeme)}, {nom}": releve(systeme, reseau)
    for systeme in systemes
    for nom, reseau in {"réseau principal": "en_ligne", "moyenne": "moyenne"}.items()
}
mesures = {
    "réussissent (%)": lambda la: succeeds(la >= 475),
    "réussite conservée (%)": tiennent,
}
colonnes = {
    nom: {un: percentage(mesure(la)) for un, la in chacun.items()}
    for nom, mesure in mesures.items()
}
figures.intervals(colonnes, "Trois réussites de suite, puis plus aucune évaluation sous 475")

# %% [markdown]
# Réussir n'est pas conserver. Dans un moteur comme dans l'autre, la recette de `rl-zoo3` retombe presque toujours si
# l'on joue avec le réseau principal, et environ une fois sur deux avec la moyenne de ses poids. Ce n'est pas faute de
# souvenirs : sa mémoire, de 100 000 places, garde tout. Et qui réussit tard a moins d'évaluations devant soi : la
# comparaison ne nous avantage pas.

# %% [markdown]
# > **Attention.** Hors le rapport principal, tout est ici **exploratoire**. Les réglages des concurrents ont été choisis pour
# > cette tâche par `rl-zoo3`, les nôtres aussi, et par nous : une recherche plus longue aiderait sans doute les uns
# > comme les autres. PPO fait décroître jusqu'à zéro son taux d'apprentissage et la borne de ses mises à jour : réglée pour 100 000 pas, cette descente se fait ici en 50 000. Un seul jeu, une seule machine,
# > très chargée pour une moitié des graines ; la recette de `rl-zoo3` dans notre moteur, dont la mesure fut achevée plus tard, sur la machine moins chargée, en est un peu flattée.

# %% [markdown]
# ## 5. À vous
#
# **Exercice 1, à calculer (5 minutes).** Sur cent graines, aucune n'est repassée sous 400 après trois réussites de
# suite. Jusqu'à quelle part de rechutes ce zéro reste-t-il plausible ? Disons : tant que la probabilité de n'en voir
# aucune dépasse 2,5 %.
#
# <details><summary>Indice</summary>
#
# Si une graine rechute avec la probabilité $p$, cent graines ne montrent aucune rechute avec la probabilité $(1 - p)^{100}$.
#
# </details>
#
# <details><summary>Solution</summary>
#
# $(1 - p)^{100} = 0{,}025$ donne $p = 1 - 0{,}025^{1/100} \approx 3{,}6$ %. C'est la borne haute de l'intervalle exact : « zéro sur
# cent » laisse place à une graine sur vingt-huit.
#
# </details>

# %% [markdown]
# **Exercice 2, à explorer (15 minutes).** Cassez un champ de la Version 2, et voyez si `solve` s'en remet.
# Essayez `gamma=1.0`, `input_scale=(1.0, 1.0, 1.0, 1.0)`, `hidden=(32, 32)`, `epsilon_end=0.05`. Puis changez
# de graine.

# %% tags=["nbval-ignore-output"]
essai = replace(VERSION_2, total_steps=20_000)  # Ajoutez ici le champ à casser.
try:
    with waiting("Apprentissage"):
        resolu = solve(essai, seed=0)
    print(f"résolu en {number(resolu.env_steps)} pas")
except Unsolved as echec:
    print(echec)

# %% [markdown]
# <details><summary>Que faut-il observer ?</summary>
#
# D'un champ à l'autre, `solve` s'en remet toujours, presque jamais, ou selon la graine. Les champs les plus traîtres
# sont ceux du dernier cas : un essai isolé les déclarerait inutiles, ou indispensables.
#
# </details>
#
# Les retraits du [carnet 08](08_version_2.ipynb) ont défait les mêmes champs. Combien de leurs graines ont eu, en vingt
# mille pas, une évaluation à 490, comme `solve` en demande une ?

# %%
for nom in ("γ = 1", "entrées brutes", "réseau de 2 × 32", "ε = 0,05"):
    debut = evaluations_of(echelle, reglage=nom, graine=range(20))[:, :20]  # 20 000 pas
    print(f"{nom} : {np.sum(np.any(debut >= 490, axis=1))} sur 20")

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# `solve` et les cent graines ne valent que pour CartPole, et avec ces nombres-là ; le [carnet
# 12](12_un_autre_jeu.ipynb) va voir ailleurs. Le duel compare des recettes réglées avec plus ou moins de soin, sur
# une machine : un rapport de temps n'est pas une qualité d'algorithme.
#
# Et nous avons constaté des rechutes sans en établir la cause : pourquoi un agent qui savait jouer se met-il à
# oublier ?

# %% [markdown]
# ## Testez-vous
#
# Trois situations inventées, et des erreurs que l'on commet pour de bon.
#
# **1.** Il vous faut **un** agent ; vous arrêterez l'entraînement dès que son certificat sera bon. Avec la recette X,
# toutes les graines réussissent un jour, et 60 % des évaluations suivantes restent au seuil. Avec la recette Y, 17 graines
# sur 20 réussissent, et 98 % des évaluations suivantes y restent. Laquelle prenez-vous ?
#
# - **A.** X.
# - **B.** Y : elle conserve bien mieux sa réussite.
# - **C.** Y : elle réussit et conserve sa réussite dans $0{,}85 \times 98 \approx 83$ % des cas, contre 60 %.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✔ Vous vous arrêtez à la première réussite certifiée : ce qui se serait passé ensuite ne vous concerne plus, et il
# importe que la réussite vienne, quelle que soit la graine.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ Ce serait le bon choix pour un entraînement que personne ne surveille.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ C'est mélanger deux parts qui ne portent pas sur la même chose : l'une compte des graines, l'autre, des
# évaluations faites après une réussite.
#
# </details>
#
# **2.** Un agent passe son certificat au douzième essai, chaque essai ayant ses propres départs. Que vaut ce certificat ?
#
# - **A.** Ce que vaut un autre : les départs étaient neufs.
# - **B.** Moins : à recommencer jusqu'à réussir, un agent médiocre finit par passer.
# - **C.** Rien : il fallait s'arrêter au premier refus.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ Des départs neufs évitent d'être jugé sur ce qui a servi à choisir, mais non de gagner à la loterie.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Douze billets valent mieux qu'un. C'est pourquoi `solve` exige d'abord 490, et dit le numéro de son certificat.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ Il n'y a pas lieu de s'arrêter au premier refus : l'agent continue d'apprendre.
#
# </details>
#
# **3.** Une graine seule aurait montré, selon celle que l'on prend, une réussite en deux mille pas ou un échec à six
# mille. Que faut-il publier ?
#
# - **A.** La meilleure, en disant que ce n'est qu'une graine.
# - **B.** Toutes, nommées d'avance, avec leur médiane et leurs échecs.
# - **C.** La moyenne de celles qui ont réussi.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ C'est dire vrai d'une graine, et rien de la recette.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✔ Nommées d'avance, elles n'ont pas été choisies : on voit ce que donne la recette, et combien de fois elle échoue.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ C'est jeter les échecs : plus une recette échoue, plus sa moyenne s'embellit.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. Réussir, conserver et certifier sont **trois mesures** : trois réussites de suite, aucune rechute ensuite, un
#    jugement sur des départs neufs.
# 2. Un certificat rejoué jusqu'à ce qu'il passe **n'est pas une preuve** : on compte les essais, et l'on rejuge sur
#    d'autres départs.
# 3. Un temps se lit comme un **rapport**, sur une même machine, les échecs comptés comme l'infini ; et il mêle une recette et
#    un moteur.
#
# Le [carnet 10](10_pourquoi_ca_s_effondre.ipynb) cherche pourquoi cela s'effondre : il mesure l'oubli et la
# surestimation, à l'aune d'une vérité connue.
