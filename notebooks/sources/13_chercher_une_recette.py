# %% [markdown]
# # 13 · Chercher une recette
#
# **La question.** Une recette a seize réglages, et l'on veut la meilleure. On en essaie une centaine, on garde celle qui
# a le meilleur score. Que vaut-elle vraiment ? Et comment dépenser au mieux le calcul dont on dispose ?
#
# La Version 2 du [carnet 08](08_version_2.ipynb) vient d'une recherche dont il ne reste rien. Celle de ce carnet a tout
# gardé : les essais, les graines, le critère écrit d'avance, les échecs. Vous lancerez d'abord la vôtre, en petit ;
# puis vous lirez la grande, où presque toutes les façons de se tromper soi-même se mesurent.
#
# *Lecture : 50 minutes ; exercices : 25 minutes ; exécution : une à deux minutes.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from dataclasses import replace
from itertools import combinations
from math import comb
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from cartpole_helpers import (
    VERSION_2,
    Training,
    evaluate,
    load_study,
    paired_interval,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.live import progress, waiting
from cartpole_helpers.display.numbers import number
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.statistics import (
    costs,
    holm,
    percentage,
    rank_correlation,
    smallest_effect,
    streak_end,
)
from cartpole_helpers.studies import Incomplete, Study, complete
from cartpole_helpers.tables import read_table
from cartpole_helpers.teaching.exercises import check, show
from cartpole_helpers.teaching.searches import trials

# %% [markdown]
# ## 1. Ce que l'on cherche, et ce que cela coûte
#
# Voici l'espace de la recherche. Ce qu'il ne nomme pas reste comme dans la Version 2.
#
# | Champ | Ce qu'il règle | Valeurs possibles |
# |:---|:---|:---|
# | `carts` | chariots conduits de front | 8, 16 ou 32 |
# | `width` | largeur des deux couches du réseau | 32 à 160 |
# | `activation` | fonction d'activation | relu, silu ou tanh |
# | `learning_rate` | taux d'apprentissage | 0,001 à 0,02, échelle logarithmique |
# | `cooling` | part que ce taux perd à chaque mise à jour | 0,0005 à 0,02, log |
# | `horizon` | $1/(1-\gamma)$, en pas | 20 à 200, log |
# | `n_steps` | récompenses réelles dans la cible | 1 à 8 |
# | `double` | Double DQN | oui ou non |
# | `epsilon_end` | part finale de hasard | 0,02 à 0,7 |
# | `epsilon_steps` | pas pour descendre à cette part | 500 à 5 000, log |
# | `epsilon_hold` | durée moyenne d'une action au hasard, en pas | 1 à 5 |
# | `capacity` | places de la mémoire | 5 000 ou 50 000 |
# | `batch_size` | transitions par mise à jour | 64, 128 ou 256 |
# | `target_rate` | part versée au réseau cible | 0,01 à 0,5, log |
# | `average_rate` | part versée à la moyenne des poids | 0,0001 à 0,01, log |
# | `average_tail` | part récente que suit cette moyenne | 0 à 0,5 |
#
# Trois valeurs par champ feraient $3^{16}$ recettes, quarante-trois millions. On n'en essaiera donc qu'une infime
# partie, et la question est de savoir laquelle.

# %% [markdown]
# Trois **bras**, c'est-à-dire trois façons de proposer des essais, se partagent le travail. `hasard` les tire au sort ;
# `tpe` apprend de ceux qu'il a faits ; `reprise` apprend aussi, mais son premier essai est la Version 2. Chaque
# essai entraîne huit graines, 30 000 pas, et les évalue tous les mille pas, sur vingt parties.

# %%
recherche = load_study("../etudes/recherche.csv")
hasard = trials(recherche, "hasard")
essais, graines, evaluations = hasard.returns.shape
pas = 1_000 * essais * graines * evaluations
print(f"un bras : {essais} essais × {graines} graines × {evaluations} évaluations")
print(f"soit {number(pas)} pas, ou {number(pas * 0.02 / 3_600)} heures de jeu")

# %% [markdown]
# ### Un seul nombre
#
# Pour chercher, il faut un nombre à minimiser. On veut un agent qui réussit **tôt**, et qui **ne retombe pas**. Le
# critère, écrit avant la recherche, compte donc ce que coûte une graine, en évaluations : chaque évaluation sous 475
# coûte 1 jusqu'à la troisième réussite de suite, et 5 ensuite. Le total ne dépasse pas le nombre d'évaluations ;
# c'est aussi ce que coûte une graine où trois réussites ne se suivent jamais.
#
# Calculons à la main. Huit évaluations : ratée, réussie, ratée, réussie, réussie, réussie, ratée, réussie. Deux
# échecs avant la troisième réussite de suite, un après : $2 + 5 = 7$.
#
# **Exercice 1, à écrire (10 minutes).** Calculez ce coût, pour les évaluations d'une graine, dans l'ordre.


# %%
def cout_d_une_graine(reussites):
    """Rend le coût d'une graine ; `reussites` (V,) : vrai pour chaque évaluation réussie."""
    ...


check(cout_d_une_graine)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Une boucle, et trois variables : le coût, la longueur de la suite en cours, et un booléen : une suite a-t-elle déjà
# atteint trois ? À chaque évaluation, comptez d'abord l'échec, au prix du moment ; puis allongez la suite, ou
# remettez-la à zéro.
#
# </details>
#
# Votre fonction juge maintenant la recherche, à la place de celle du paquet.

# %%
if check(cout_d_une_graine).passed:
    miens = np.apply_along_axis(cout_d_une_graine, -1, hasard.returns >= 475)
    print(f"{miens.size} graines, les mêmes coûts :", np.array_equal(miens, hasard.costs()))

# %%
show("cout_d_une_graine")

# %% [markdown]
# Le coût d'un **essai** est le coût moyen de ses graines.
#
# > **À vous.** Sur les essais tirés au sort, combien n'auront rien donné, c'est-à-dire coûteront le maximum ?

# %%
couts = hasard.costs()  # (essais, graines)
moyens = couts.mean(axis=1)
perdus, meilleur = np.sum(moyens == evaluations), number(moyens.min(), 1)
titre = f"Au hasard, {perdus} essais sur {essais} coûtent le maximum ; le meilleur, {meilleur}"
figures.distributions({"hasard": moyens}, titre, "coût d'un essai (évaluations)")

# %% [markdown]
# Retenez la forme de cette figure : une recherche paie aussi tout ce qui est à droite.

# %% [markdown]
# ## 2. La vôtre, en une minute ou deux
#
# Cherchons deux champs seulement, le taux d'apprentissage et la part versée au réseau cible, en six mille pas par
# graine. Entre quelles bornes ? On hésite sur l'**ordre de grandeur** : de 0,0003 à 0,1 pour l'un, de 0,005 à 0,5
# pour l'autre.
#
# > **À vous.** Un nombre tiré uniformément entre 0,0003 et 0,1 : quelle chance a-t-il d'être sous 0,01 ?

# %%
BORNES = {"learning_rate": (3e-4, 0.1), "target_rate": (5e-3, 0.5)}


def uniforme(bas, haut, u):
    """Le nombre à la fraction `u` du chemin, de `bas` à `haut`."""
    return bas + u * (haut - bas)


tires = uniforme(3e-4, 0.1, np.random.default_rng(0).random(10_000))
print(f"sous 0,01 : {number(100 * np.mean(tires < 0.01))} %")

# %% [markdown]
# Un sur dix environ, alors que plus de la moitié des ordres de grandeur est au-dessous. Il faut tirer uniformément le
# **logarithme** : tomber entre 0,001 et 0,01 doit être aussi probable qu'entre 0,01 et 0,1.
#
# **Exercice 2, à écrire (5 minutes).** Rendez le nombre qui est à la fraction `u` du chemin, sur une échelle
# logarithmique : pour $u = 0$, `bas` ; pour $u = 1$, `haut` ; pour $u = 1/2$ entre 0,01 et 1, c'est 0,1.


# %%
def tirer_log(bas, haut, u):
    """Rend le nombre entre `bas` et `haut`, à la fraction `u` du chemin des logarithmes."""
    ...


check(tirer_log)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Le chemin se parcourt par des rapports : `haut / bas`, élevé à la puissance `u`, dit par combien multiplier `bas`. Ou
# bien : l'exponentielle du nombre qui est à la fraction `u` du chemin entre les deux logarithmes.
#
# </details>

# %%
show("tirer_log")

# %% [markdown]
# Douze recettes, maintenant. Elles sont tirées par votre fonction, ou uniformément tant qu'elle n'est pas écrite ;
# comparez les deux.

# %%
tirage = tirer_log if check(tirer_log).passed else uniforme


# %% [markdown]
# Chaque recette est la Version 2, à ces deux champs près.


# %%
def recette(parts):
    """La Version 2, dont le taux d'apprentissage et le réseau cible sont tirés."""
    taux, cible = (tirage(*bornes, u) for bornes, u in zip(BORNES.values(), parts, strict=True))
    change = {"learning_rate": taux, "learning_rate_floor": taux / 10, "target_rate": cible}
    return replace(VERSION_2, total_steps=6_000, **change)


# %% [markdown]
# Douze paires de parts, donc douze recettes.

# %%
parts = np.random.default_rng(3).random((12, 2))
RECETTES = {f"essai {rang}": recette(u) for rang, u in enumerate(parts, 1)}

# %% [markdown]
# Ce que l'on mesure : un entraînement de plusieurs graines ensemble, jugé tous les cinq cents pas, et le coût de chacune.


# %%
def mesurer(recette, graines):
    """Rend une ligne par graine : la graine, et son coût sur douze évaluations."""
    entrainement, retours = Training(recette, graines), []
    for tour in entrainement.run():
        if tour.env_steps % 500 < recette.carts:
            departs = fresh_seed(Purpose.STUDY, tour.env_steps)
            retours.append(evaluate(entrainement.agent, 20, departs).mean(axis=-1))
    return [*zip(graines, costs(np.stack(retours, axis=1) >= 475), strict=True)]


# %% [markdown]
# Une `Study` dit ce que l'on mesure, pour quels réglages et quelles graines, et dans quelle archive ; `complete` fait
# ce qui y **manque**, sur tous les cœurs si la bibliothèque `dask` est installée, sur un seul sinon. Chaque recette
# entre dans l'archive avec ses quatre graines, ou pas du tout.

# %%
dossier = TemporaryDirectory()
balayage = Study(
    archive=f"{dossier.name}/{tirage.__name__}.csv",
    measure=mesurer,
    settings=RECETTES,
    seeds=range(4),
    columns=["cout"],
    group=4,
)

# %% [markdown]
# > **À vous.** Lancez la cellule, puis arrêtez-la en route, par le bouton ■. Relancez-la : d'où repart la barre ?

# %% tags=["nbval-ignore-output"]
debut = perf_counter()
try:
    complete(balayage, bar=progress)
    print(f"complet ; cette fois-ci, {number(perf_counter() - debut)} s")
except Incomplete as arret:
    print(arret)

# %% [markdown]
# Rien n'est refait de ce qui est archivé, et rien n'est compté deux fois. C'est ce qui permet de lancer une recherche d'une
# nuit sans craindre la coupure de trois heures du matin. Une fois l'archive complète, regardons.

# %% tags=["nbval-ignore-output"]
archive = read_table(balayage.archive, "l'archive du balayage", least=1)
releve = {nom: [] for nom in archive["reglage"]}
for nom, cout in zip(archive["reglage"], archive["cout"], strict=True):
    releve[nom].append(float(cout))
scores = {nom: np.mean(couts) for nom, couts in releve.items()}
gagnant = min(scores, key=scores.get)

# %% [markdown]
# Un point par recette ; le coût va de 0 à 12.

# %% tags=["nbval-ignore-output"]
taux = {nom: np.log10(RECETTES[nom].learning_rate) for nom in scores}
autres = [nom for nom in scores if nom != gagnant]
nuages = {
    "les autres": ([taux[nom] for nom in autres], [scores[nom] for nom in autres]),
    "le gagnant": ([taux[gagnant]], [scores[gagnant]]),
}

# %%
titre = f"Le gagnant de votre recherche annonce un coût de {number(scores[gagnant], 1)}"
axes = ("logarithme décimal du taux d'apprentissage", "coût moyen (évaluations, sur douze)")
figures.points(nuages, titre, axes)

# %% [markdown]
# Tant que le tirage est uniforme, les points se pressent à droite ; avec le vôtre, ils couvrent l'axe. Dans les deux
# cas, vous avez une recette. Que coûtera-t-elle sur d'**autres** graines ?
#
# > **À vous.** Pariez : moins que ce qu'elle annonce, à peu près la même chose, ou plus ?

# %% tags=["nbval-ignore-output"]
with waiting("Entraînement"):
    neuves = [cout for _, cout in mesurer(RECETTES[gagnant], range(100, 112))]
print(f"annoncé, sur les graines du choix : {number(scores[gagnant], 1)}")
print(f"sur douze graines neuves          : {number(np.mean(neuves), 1)}")

# %% [markdown]
# Une recherche de douze essais, une seule fois : cela ne prouve rien, ni dans un sens ni dans l'autre. La grande
# archive, elle, permet de recommencer.

# %% [markdown]
# ## 3. La malédiction du vainqueur
#
# Le coût mesuré d'un essai est son vrai coût, plus une part de chance : celle de ses graines. En gardant le plus petit,
# on garde une bonne recette **et** de la chance. La recette reste ; la chance, non. Un exemple : deux recettes
# identiques coûtent 10 ; chacune est mesurée 8 ou 12, à pile ou face. Le gagnant annonce 8 trois fois sur quatre, 12 la
# quatrième : 9 en moyenne. Rejugé, il coûte 10.
#
# C'est la surestimation du [carnet 10](10_pourquoi_ca_s_effondre.ipynb) : on y prenait le maximum de deux valeurs
# bruitées, on prend ici le minimum d'une centaine de coûts.
#
# Huit graines par essai : choisissons sur quatre, et rejugeons sur les quatre autres. Il y a soixante-dix façons de
# les partager.


# %%
def rejuger(vues, couts=couts):
    """Choisit sur les graines `vues` : l'annonce du gagnant, et son coût sur les autres."""
    cachees = [graine for graine in range(graines) if graine not in vues]
    gagnant = couts[:, vues].mean(axis=1).argmin()
    return couts[gagnant, vues].mean(), couts[gagnant, cachees].mean()


# %%
PARTAGES = [*combinations(range(graines), 4)]
annonces, rejuges = np.array([rejuger(vues) for vues in PARTAGES]).T
annonce, vrai = number(annonces.mean(), 1), number(rejuges.mean(), 1)
titre = f"Choisi pour {annonce}, le gagnant coûte {vrai} sur les autres graines"
axes = ("coût annoncé, sur quatre graines", "coût sur les quatre autres")
figures.points({"les partages": (annonces, rejuges)}, titre, axes, identity=True)

# %% [markdown]
# Au-dessus de la diagonale, le gagnant a déçu. Ces points ne sont pas indépendants : ce sont les mêmes essais, et un
# même essai peut gagner souvent. Ses points descendent alors vers la droite, car plus les quatre graines du choix
# furent bonnes, moins bonnes sont les autres. S'il gagnait **partout**, ils se répartiraient des deux côtés : ce qui
# trompe, c'est de choisir, non de mesurer.
#
# > **À vous.** Plus on essaie de recettes, meilleur est le gagnant annoncé. Et le gagnant rejugé ?


# %%
def chercher(essayes, vues, sort):
    """Cherche une fois : ce qu'annonce le gagnant, et son coût sur les graines non vues."""
    lignes, ordre = sort.permutation(essais)[:essayes], sort.permutation(graines)
    mesures = couts[np.ix_(lignes, ordre)]
    gagnant = mesures[:, :vues].mean(axis=1).argmin()
    return mesures[gagnant, :vues].mean(), mesures[gagnant, vues:].mean()


# %% [markdown]
# Et, pour ne pas dépendre d'un tirage, recommençons mille fois.


# %%
def recherches(essayes, vues, fois=1_000):
    """Cherche mille fois, parmi des essais tirés de l'archive : (fois, 2)."""
    sort = np.random.default_rng(0)
    return np.array([chercher(essayes, vues, sort) for _ in range(fois)])


# %%
tailles = np.array([1, 2, 4, 8, 16, 32, 64, essais])
annonce, vrai = np.array([recherches(taille, 4).mean(axis=0) for taille in tailles]).T
un, tous = (number(ecart, 1) for ecart in (vrai - annonce)[[0, -1]])
titre = f"Ce que cache l'annonce : {un} pour un essai, {tous} pour {essais}"
suites = {"annoncé par le gagnant": annonce, "sur les graines qui n'ont pas choisi": vrai}
figures.curves(tailles, suites, titre, ("nombre d'essais (log)", "coût (évaluations)"), log="x")

# %% [markdown]
# Les deux courbes partent ensemble : un essai que l'on n'a pas choisi n'est pas maudit. L'annonce, elle, ne peut que
# descendre quand on essaie davantage. L'écart entre les deux est ce que l'on **croit** gagner ; publier l'annonce,
# c'est publier aussi cet écart.

# %% [markdown]
# ### Les finalistes, rejugés
#
# L'étude avait prévu le remède : les cinq meilleurs essais de chaque bras, et la Version 2, rejugés sur quarante
# graines neuves. Comparons les deux coûts à durée égale.

# %%
choix = load_study("../etudes/choix.csv")
BRAS = ("hasard", "tpe", "reprise")
finalistes = {}
for bras in BRAS:
    numeros = np.unique(choix["essai"][choix["bras"] == bras]).astype(int)
    avant = trials(recherche, bras).costs().mean(axis=1)[numeros]
    finalistes[bras] = np.stack([avant, trials(choix, bras).costs(evaluations).mean(axis=1)])

# %% [markdown]
# Chaque point est un finaliste ; la Version 2 a le sien.

# %%
connue, finalistes["reprise"] = finalistes["reprise"][:, :1], finalistes["reprise"][:, 1:]
avant, apres = np.concatenate([*finalistes.values()], axis=1)
pires, debut, fin = np.sum(apres > avant), number(avant.mean(), 1), number(apres.mean(), 1)
titre = f"{pires} finalistes sur {len(avant)} coûtent plus ensuite : de {debut} à {fin} en moyenne"
axes = ("coût dans la recherche, huit graines", "coût sur quarante graines neuves")
figures.points(finalistes | {"version 2": connue}, titre, axes, identity=True)

# %% [markdown]
# La Version 2 est le premier essai du bras `reprise` : cette recherche ne l'a pas choisie, elle y entre d'office. La
# malédiction n'a rien à lui reprendre.

# %% [markdown]
# ## 4. Beaucoup d'essais, ou beaucoup de graines ?
#
# Le calcul est compté. Avec 96 entraînements d'une graine, on peut essayer 96 recettes, une graine chacune, ou 16
# recettes, six graines chacune. Plus d'essais, et l'on a des chances d'y trouver une recette excellente ; plus de graines, et
# l'on a des chances de la **reconnaître**.
#
# > **À vous.** Une, deux, quatre ou six graines par essai : que préférez-vous ? Laquelle de ces façons annoncera le
# > plus petit coût ?

# %%
BUDGET = 96
facons = {"96 essais × 1 graine": recherches(BUDGET, 1, 2_000)}
for vues in (2, 4, 6):
    nom = f"{BUDGET // vues} essais × {vues} graines"
    facons[nom] = recherches(BUDGET // vues, vues, 2_000)


# %% [markdown]
# D'une recherche à l'autre, tout varie : gardons la moyenne, et les neuf dixièmes du milieu.


# %%
def etendue(valeurs):
    """La moyenne des recherches, et ce qui borne les neuf dixièmes d'entre elles."""
    return valeurs.mean(), *np.quantile(valeurs, [0.05, 0.95])


# %%
panneaux = {
    grandeur: {nom: etendue(valeurs[:, rang]) for nom, valeurs in facons.items()}
    for rang, grandeur in enumerate(("coût annoncé", "coût sur les graines non vues"))
}

# %% [markdown]
# Deux panneaux, une ligne par façon de dépenser.

# %%
annonces, vrais = ([ligne[0] for ligne in panneau.values()] for panneau in panneaux.values())
bornes = (number(un, 1) for un in (min(annonces), max(annonces), min(vrais), max(vrais)))
titre = "Selon la façon, l'annonce va de {} à {} ; le coût, de {} à {}".format(*bornes)
figures.intervals(panneaux, titre)

# %% [markdown]
# Les barres ne sont pas des intervalles de confiance : elles couvrent neuf recherches sur dix parmi celles que l'on
# tire de cette archive. À droite, elles s'allongent aussi quand il reste moins de graines pour rejuger. Comparez les
# deux panneaux. Celui de gauche récompense toujours le plus grand nombre d'essais ; celui de droite est le seul qui
# compte, et l'on ne le voit pas quand on cherche.
#
# La bonne façon dépend du **bruit** : si les graines d'une même recette s'accordent, une seule suffit à la
# reconnaître ; sinon, non. Une recherche honnête fait les deux, l'un après l'autre : beaucoup d'essais à peu de
# graines, puis peu de finalistes à beaucoup de graines.

# %% [markdown]
# ## 5. Le hasard, ou TPE ?
#
# Le hasard n'apprend rien de ses essais. **TPE**, l'estimateur de Parzen en arbre, de Bergstra et coll. (2011), partage
# en deux tas les essais déjà faits, les bons et les autres, estime où chaque tas est dense, et propose un réglage fréquent
# chez les bons et rare chez les autres.
#
# Comment les comparer à budget égal ? Par le meilleur coût après $n$ essais. Mais, pour le hasard, l'ordre des essais
# est lui-même un hasard : mieux vaut la moyenne sur tous les ordres, c'est-à-dire sur tous les groupes de $n$ essais.
# Elle se calcule. Parmi 2, 4 et 9, les trois paires ont pour meilleurs 2, 2 et 4 : en moyenne, 2,67.
#
# **Exercice 3, à écrire (10 minutes).** Calculez le coût moyen du meilleur de `n` essais, pris au hasard, sans remise,
# parmi une liste de coûts. Rangez les coûts, et demandez-vous de combien de groupes chacun est le meilleur : les
# énumérer prendrait du temps.

# %%
print(f"groupes de 48 essais parmi {essais} : un nombre de {len(str(comb(essais, 48)))} chiffres")


# %%
def meilleur_attendu(couts, n):
    """Rend le coût moyen du meilleur de `n` essais parmi `couts`, une liste de nombres."""
    ...


check(meilleur_attendu)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Une fois les coûts rangés, celui de rang $i$ (1 : le plus petit) est le meilleur d'un groupe si les $n - 1$ autres
# sont choisis parmi les $N - i$ qui le suivent : `comb(N - i, n - 1)` groupes, sur `comb(N, n)`. La première cellule
# du carnet importe `comb`.
#
# </details>

# %%
show("meilleur_attendu")

# %% [markdown]
# La courbe du hasard vient de votre fonction dès que celle-ci est juste ; d'ici là, c'est celle du seul ordre où les
# essais furent faits.
#
# > **À vous.** Où les courbes se séparent-elles ? Que gagne-t-on à commencer par la Version 2 ?

# %%
nombres = np.arange(1, essais + 1)
tous = {bras: trials(recherche, bras).costs().mean(axis=1) for bras in BRAS}
suites = {bras: np.minimum.accumulate(couts_du_bras) for bras, couts_du_bras in tous.items()}
if check(meilleur_attendu).passed:
    suites["hasard"] = np.array([meilleur_attendu([*moyens], int(n)) for n in nombres])

# %% [markdown]
# Trois courbes, une par bras :

# %%
au_hasard, tpe, reprise = (number(suites[bras][-1], 1) for bras in BRAS)
titre = f"Meilleur annoncé : {au_hasard} au hasard, {tpe} par TPE, {reprise} en reprise"
axes = ("nombre d'essais (log)", "meilleur coût annoncé (évaluations)")
figures.curves(nombres, suites, titre, axes, log="x")

# %% [markdown]
# Ces courbes sont des **annonces**, et l'on sait ce qu'elles valent. Voici, bras par bras, les finalistes, Version 2
# mise à part, annoncés, puis rejugés sur quarante graines neuves ; enfin, le premier d'entre eux, rejugé.

# %%
for bras, (avant, apres) in finalistes.items():
    debut, fin, premier = avant.mean(), apres.mean(), apres[avant.argmin()]
    print(f"{bras:8} annoncés {number(debut, 1)}, rejugés {number(fin, 1)}", end=" ; ")
    print(f"le premier : {number(premier, 1)}")

# %% [markdown]
# Et la malédiction, bras par bras ? Reprenons les soixante-dix partages de la section 3.

# %%
for bras in BRAS:
    siens = trials(recherche, bras).costs()
    annonce, vrai = np.mean([rejuger(vues, siens) for vues in PARTAGES], axis=0)
    print(f"{bras:8} annonce {number(annonce, 1)} ; sur les autres graines, {number(vrai, 1)}")

# %% [markdown]
# Une méthode qui apprend propose des recettes de plus en plus semblables. Entre des recettes de même valeur,
# **seule** la chance départage : plus une recherche est bonne, plus il faut se méfier de son classement, et plus elle
# a besoin d'être rejugée.

# %% [markdown]
# > **Attention.** Chaque bras n'a cherché qu'**une** fois. Un autre tirage aurait donné d'autres essais : que l'un des trois l'emporte est
# > exploratoire. Pour conclure, il faudrait recommencer chaque bras dix ou vingt fois, et compter les recherches comme on compte des
# > graines.

# %% [markdown]
# ## 6. Arrêter tôt : qui tue-t-on ?
#
# Pourquoi payer 30 000 pas à une recette qui ne donne rien ? On peut arrêter en route les moins prometteuses, d'après
# leur retour moyen jusque-là. Cette étude n'a rien arrêté : on peut donc y voir qui l'on aurait tué.
#
# Tout dépend de ce que l'on cherche. Prenons le coût, qui récompense aussi la vitesse ; puis un critère qui ne lit
# que la **fin** : la part des évaluations sous 475 dans le dernier tiers.
#
# > **À vous.** À 5 000 pas, un sixième de la course, on garde la moitié des essais, ou le quart. Combien des dix meilleurs meurent ?

# %%
tardifs = (hasard.returns[..., 20:] < 475).mean(axis=(1, 2))


def rangs(pas):
    """Le rang de chaque essai, 0 pour le premier, d'après son retour moyen jusqu'à ce pas."""
    debut = hasard.returns[..., : pas // 1_000].mean(axis=(1, 2))
    return (-debut).argsort(kind="stable").argsort()


# %%
for critere, valeurs in {"coût": moyens, "fin": tardifs}.items():
    dix = valeurs.argsort(kind="stable")[:10]
    for instant in (2_000, 5_000, 10_000):
        moitie, quart = (np.sum(rangs(instant)[dix] >= essais // part) for part in (2, 4))
        print(f"{critere:5} à {number(instant):>6} pas, tués parmi les dix meilleurs : ", end="")
        print(f"{moitie} si l'on garde la moitié, {quart} si l'on garde le quart")

# %% [markdown]
# Voici la moitié gardée et la moitié tuée à 5 000 pas, jugées sur la fin.

# %%
tas = {"gardées": rangs(5_000) < essais // 2, "tuées": rangs(5_000) >= essais // 2}
gardee, tuee = (np.flatnonzero(qui)[tardifs[qui].argmin()] for qui in tas.values())
vus, manques = hasard.returns[..., :5].mean(axis=(1, 2)), 100 * tardifs
morts = np.sum(tardifs[tas["tuées"]] <= np.sort(tardifs)[9])

# %%
titre = f"{morts} recettes tuées auraient fini parmi les meilleures"
axes = ("retour moyen des 5 000 premiers pas", "évaluations sous 475, à la fin (%)")
figures.points({nom: (vus[qui], manques[qui]) for nom, qui in tas.items()}, titre, axes)

# %% [markdown]
# Qui tue-t-on ? Suivons la meilleure recette de chaque moitié, sur ses huit graines en moyenne.

# %%
abscisses = 1_000 * np.arange(1, evaluations + 1)
deux = {"la meilleure des gardées": gardee, "la meilleure des tuées": tuee}
suivies = {nom: hasard.returns[rang].mean(axis=0) for nom, rang in deux.items()}

# %%
etapes = [number(suite[rang]) for rang in (4, -1) for suite in suivies.values()]
titre = "Gardée, tuée : {} et {} pas à l'arrêt, {} et {} à la fin".format(*etapes)
axes = ("pas de jeu par agent", "retour moyen de huit graines")
figures.curves(abscisses, suivies, titre, axes)

# %% [markdown]
# L'arrêt précoce a un préjugé : il préfère ce qui **part vite**. Un petit taux d'apprentissage, une moyenne des poids
# qui traîne, une longue exploration partent lentement, et peuvent finir aussi bien. Un tel arrêt nuit peu à qui cherche
# la vitesse, davantage à qui cherche la stabilité : avant d'arrêter, demandez-vous si ce que l'on voit tôt **annonce**
# ce que l'on veut à la fin.
#
# ### Par moitiés
#
# La **division successive** (*successive halving*) ne garde que la moitié des essais à chaque palier : 96 jusqu'à
# cinq mille pas, 48 jusqu'à dix mille, 24 jusqu'à quinze mille, et 12 jusqu'au bout. Calculons ce qu'elle dépense, en
# milliers de pas par graine : $96 \times 5 + 48 \times 5 + 24 \times 5 + 12 \times 15 = 1\,020$, au lieu de $96
# \times 30 = 2\,880$. Un gros tiers.

# %%
en_lice = np.arange(essais)
for instant in (5_000, 10_000, 15_000):
    debut = hasard.returns[en_lice, :, : instant // 1_000].mean(axis=(1, 2))
    en_lice = en_lice[(-debut).argsort(kind="stable")[: len(en_lice) // 2]]
for critere, valeurs in {"coût": moyens, "échecs à la fin (%)": manques}.items():
    survivants, tous = number(valeurs[en_lice].min(), 1), number(valeurs.min(), 1)
    print(f"{critere} : {survivants} au mieux parmi {len(en_lice)} survivants, {tous} parmi tous")

# %% [markdown]
# Ce que l'on épargne paie d'autres essais, ou d'autres graines pour les survivants. C'est pourquoi presque tous les
# outils de recherche arrêtent tôt ; encore faut-il savoir qui l'on n'entendra jamais.

# %% [markdown]
# ## 7. Quels champs comptent ?
#
# Une recherche au hasard est aussi une expérience : chaque champ y varie sans rapport avec les autres. On peut donc se
# demander lesquels vont avec un coût plus bas. La **corrélation des rangs** de Spearman va de −1 à 1 ; au-dessous de
# zéro, plus le champ est grand, plus le coût est bas. On ne le demande qu'au bras `hasard` : TPE, lui, choisit ses
# champs ensemble.
#
# > **À vous.** Des seize champs, nommez les trois qui comptent le plus.

# %%
lus = hasard.fields
champs = {nom: valeurs for nom, valeurs in lus.items() if valeurs.dtype.kind == "f"}
champs["double"] = (lus["double"] == "True").astype(float)
for nom in ("relu", "silu", "tanh"):
    champs[nom] = (lus["activation"] == nom).astype(float)

# %% [markdown]
# L'intervalle vient d'un rééchantillonnage des essais. La valeur $p$ compare la corrélation à celles que l'on trouve
# en **mélangeant** les coûts, ce qui défait tout lien ; puis Holm la corrige, car nous posons la question dix-huit
# fois.

# %%
sort = np.random.default_rng(0)
tires = sort.integers(essais, size=(2_000, essais))
melanges = sort.permuted(np.tile(moyens, (5_000, 1)), axis=1)


def lien(valeurs):
    """La corrélation des rangs d'un champ et du coût, et son intervalle à 95 %."""
    bornes = np.quantile(rank_correlation(valeurs[tires], moyens[tires]), [0.025, 0.975])
    return rank_correlation(valeurs, moyens), *bornes


# %% [markdown]
# La valeur $p$ : quelle part des mélanges fait aussi bien ?


# %%
def p_valeur(valeurs):
    """La part des mélanges où la corrélation est au moins aussi forte."""
    par_hasard = np.abs(rank_correlation(np.broadcast_to(valeurs, melanges.shape), melanges))
    vue = np.abs(rank_correlation(valeurs, moyens)) - 1e-9
    return (1 + np.sum(par_hasard >= vue)) / (1 + len(melanges))


# %% [markdown]
# Les dix-huit liens, puis ceux qui résistent à la correction.

# %%
liens = {nom: lien(valeurs) for nom, valeurs in champs.items()}
corrigees = holm([p_valeur(valeurs) for valeurs in champs.values()])
surs = [nom for nom, p in zip(champs, corrigees, strict=True) if p < 0.05]

# %% [markdown]
# Du plus fort au plus faible, quel que soit son sens :

# %%
ordre = sorted(liens, key=lambda nom: -abs(liens[nom][0]))
titre = f"Ce que le hasard des essais n'explique pas : {', '.join(surs) or 'rien'}"
figures.intervals({"corrélation des rangs avec le coût": {nom: liens[nom] for nom in ordre}}, titre)

# %% [markdown]
# N'allez pas trop loin. Une corrélation des rangs ne voit que ce qui monte ou descend : un champ dont la bonne valeur
# est au **milieu** a une corrélation nulle, et compte pourtant. Elle ne voit pas non plus ce que deux champs font
# ensemble. Elle dépend des bornes : un champ que l'on a borné autour de bonnes valeurs ne montre plus rien. Enfin, un
# intervalle qui contient zéro n'innocente personne : avec ce nombre d'essais, une corrélation de deux dixièmes
# échappe souvent.

# %% [markdown]
# ## 8. La confirmation
#
# On a cherché sur huit graines, puis choisi sur quarante autres. Voici ce choix, sur les cinquante évaluations : ce
# que coûte la Version 2, et le meilleur des autres, bras par bras.

# %%
BRAS_ET_AUTOUR = (*BRAS, "autour")
juges = {bras: trials(choix, bras).costs().mean(axis=1) for bras in BRAS_ET_AUTOUR}
la_notre, juges["reprise"] = juges["reprise"][0], juges["reprise"][1:]
print(f"version 2 : {number(la_notre, 1)}")
for bras, siens in juges.items():
    print(f"{bras:8} : {number(siens.min(), 1)}, meilleur de {len(siens)}")

# %% [markdown]
# Le bras `autour` vint après les autres. Puisque aucun de leurs essais n'avait battu la Version 2, on a cherché une
# fois encore dans son seul voisinage, vingt-quatre essais, et vingt-quatre graines par essai pour mieux les
# départager. Le choix préfère toujours la Version 2. Elle vient d'une autre recherche, dont on ne sait plus rien : ni
# combien d'essais, ni sur quelles graines.
#
# Le meilleur de ce choix est encore un gagnant, d'une sélection plus petite : il est encore un peu maudit. Pour
# **affirmer**, il faut une troisième série de graines, nommée d'avance, et une seule comparaison : la meilleure
# recette essayée, « trouvée », contre la Version 2, sur les graines 1000 à 1099, 50 000 pas, cent parties par
# évaluation. « Trouvée » ne remplacera la Version 2 que si l'intervalle de l'écart des coûts, graine à graine, est
# tout entier sous zéro.

# %% [markdown]
# > **À vous.** Pariez, avant de lire.

# %%
confirmation = load_study("../etudes/confirmation.csv")
RIVALES = ("version 2", "trouvée")


# %% [markdown]
# Un tableau par recette : une ligne par graine, une colonne par évaluation.


# %%
def retours(reglage):
    """Les retours d'une recette, rangés : (graines, évaluations)."""
    lignes = np.flatnonzero(confirmation["reglage"] == reglage)
    lignes = lignes[np.argsort(confirmation["graine"][lignes])]
    return np.stack([confirmation[nom][lignes] for nom in confirmation if nom.isdigit()], axis=1)


# %%
depenses = {nom: costs(retours(nom) >= 475) for nom in RIVALES}
ecarts = depenses["trouvée"] - depenses["version 2"]

# %% [markdown]
# La règle était écrite : un intervalle tout entier d'un côté de zéro, ou bien l'on ne sait pas.

# %%
decelable = number(float(smallest_effect(ecarts)), 1)
print(f"écart que cent graines avaient quatre chances sur cinq de montrer : {decelable}")
bas, haut = paired_interval(ecarts)
verdict = "on ne sait pas"
if haut < 0 or bas > 0:
    verdict = f"« {RIVALES[int(haut < 0)]} » l'emporte"

# %% [markdown]
# Voici les coûts des cent graines, et le verdict.

# %%
ecart, bas, haut = (number(un, 1) for un in (ecarts.mean(), bas, haut))
titre = f"Trouvée moins Version 2 : {ecart} [{bas} ; {haut}], {verdict}"
figures.distributions(depenses, titre, "coût d'une graine (évaluations)")

# %% [markdown]
# Ce titre est la seule phrase de ce carnet que l'on ait le droit d'écrire sans « exploratoire ». Le reste de ce que
# l'on voulait d'une recette était écrit aussi ; on le compte, chaque part avec son intervalle exact, sans rien
# comparer.


# %%
def compte(nom, vrais):
    """Écrit un nombre de graines, et l'intervalle exact de leur part."""
    _, bas, haut = map(number, percentage(vrais))
    print(f"    {nom} : {vrais.sum()} sur {vrais.size} [{bas} à {haut} %]")


# %%
for nom in RIVALES:
    suite = retours(nom)
    premiere = 1_000 * (1 + np.nan_to_num(streak_end(suite >= 475), nan=np.inf))
    milieu, tard = np.quantile(premiere, [0.5, 0.95], method="inverted_cdf")
    fin = streak_end(suite >= 475, 3)[:, None]
    apres = np.where(np.arange(suite.shape[1]) > fin, suite, np.inf).min(axis=1)
    print(nom)
    print(f"    première réussite (visé : 3 000 pas en médiane) : {number(milieu)}")
    print(f"    au 95ᵉ centile (visé : 8 000 pas) : {number(tard)}")
    compte("réussissent trois fois de suite (visé : toutes)", np.isfinite(fin[:, 0]))
    compte("puis une évaluation sous 475 (visé : 3 au plus)", apres < 475)
    compte("puis une évaluation sous 400 (visé : aucune)", apres < 400)
    compte("500 tout rond à la fin (visé : 95 au moins)", suite[:, -1] == 500)

# %% [markdown]
# La règle ne change donc rien : la Version 2 garde son nom. Mais lisez aussi les deux relevés. Les deux recettes
# conservent presque toujours leur réussite, aucune n'est aussi rapide qu'on la voulait, et trop de graines ne finissent
# pas à 500 tout rond. Le choix préférait nettement la Version 2 ; cent graines neuves ne les séparent pas. Ce n'est pas
# la preuve qu'elles se valent, ni qu'il n'y a rien de mieux : c'est ce que l'on apprend à ce prix.

# %% [markdown]
# ## 9. À plus grande échelle
#
# Votre balayage et la grande recherche sont faits des mêmes pièces : une `Study`, des tâches indépendantes, une archive
# qui n'accepte que des groupes entiers. D'un cœur à une grappe de machines, une ligne change :
# `complete(balayage, cluster="tcp://adresse:8786")`. Pour qui a une grappe, une page dit comment
# **[lancer 200 graines](../etudes/GRAPPE.md)**.
#
# Deux précautions, quel que soit le nombre de machines. L'archive dit **avec quoi** chaque groupe fut fait : code,
# versions, processeur. Et si l'on change un réglage, elle refuse de mêler ses graines aux anciennes : c'est pourquoi, à
# la section 2, chaque façon de tirer a son fichier.

# %% [markdown]
# ## Testez-vous
#
# Les nombres qui suivent sont inventés ; les erreurs de lecture ne le sont pas.
#
# **1.** Un article essaie deux cents recettes, cinq graines chacune, et publie le score de la meilleure, sur ces cinq
# graines. Un autre publie celui de sa recette, fixée d'avance, sur cinq graines. Les deux scores sont égaux. Quelle
# recette croyez-vous la meilleure, sur des graines neuves ?
#
# - **A.** La première : elle a battu cent quatre-vingt-dix-neuf rivales.
# - **B.** La seconde : son score n'a été choisi par personne.
# - **C.** Ni l'une ni l'autre : mêmes graines, même score.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ Battre beaucoup de rivales est bon signe ; mais le score en sort d'autant plus flatté.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✔ À score égal, celui qui fut choisi parmi deux cents doit davantage à ses graines.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ Le score est le même, non ce qu'il vaut : l'un est un maximum, l'autre une mesure.
#
# </details>
#
# **2.** Votre budget permet cent entraînements. Un essai préliminaire montre qu'une même recette passe de 5 à 25
# d'une graine à l'autre. Que faites-vous ?
#
# - **A.** Cent recettes, une graine chacune : plus on essaie, mieux on trouve.
# - **B.** Une seule recette, cent graines : au moins le score sera sûr.
# - **C.** Moins de recettes, plusieurs graines chacune, et de quoi rejuger les meilleures.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ Avec un tel bruit, la meilleure de cent graines isolées est surtout la plus chanceuse.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✘ C'est ne rien chercher : on connaîtra très bien une recette quelconque.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✔ Plusieurs graines séparent un peu la recette de sa chance ; des graines neuves disent ce qu'il en reste.
#
# </details>
#
# **3.** Après cent essais de TPE, tous les meilleurs ont un grand réseau. Que conclure ?
#
# - **A.** TPE a proposé surtout de grands réseaux : il faut regarder ailleurs avant de le dire.
# - **B.** Les grands réseaux sont meilleurs.
# - **C.** Il faut recommencer avec des réseaux encore plus grands.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✔ S'il a bien réussi une fois avec un grand réseau, il y revient, et tout ce qu'il trouve de bon lui ressemble. Le
# bras tiré au hasard, lui, permet de comparer.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ TPE retourne là où il a réussi : ses essais ne sont pas un échantillon.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ C'est comparer de grands réseaux entre eux ; ce sont les petits qui manquent.
#
# </details>

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# Un seul jeu, un seul espace, une seule recherche par bras. Le critère est un choix : un autre prix des rechutes
# aurait classé autrement. Et tout ce qui rééchantillonne l'archive suppose que ces essais ressemblent à ceux que l'on
# n'a pas faits.

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. **Le gagnant d'une recherche déçoit** : on a choisi sa chance avec lui. Son score se mesure sur des graines qui
#    n'ont rien choisi.
# 2. Essais, graines et durée se partagent **un seul budget** : beaucoup d'essais à peu de frais, puis peu de
#    finalistes, beaucoup de graines. Un arrêt précoce écarte ce qui part lentement.
# 3. Chercher, choisir, confirmer : **trois séries de graines**, et le critère écrit avant la première.
#
# Le [carnet 14](14_ce_qui_reste_vrai_ailleurs.ipynb) examine ce qui, de tout cela, reste vrai pour d'autres jeux.
