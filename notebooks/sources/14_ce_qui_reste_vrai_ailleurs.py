# %% [markdown]
# # 14 · Ce qui reste vrai ailleurs
#
# **La question.** Presque tout ce que ces carnets ont établi, ils l'ont établi à CartPole. Qu'est-ce qui était vrai du
# **DQN**, et qu'est-ce qui ne l'était que d'un chariot ?
#
# Nous referons les verdicts du [carnet 08](08_version_2.ipynb) sur deux autres jeux ; nous essaierons, à quatre jeux, ce que
# l'on recommande d'ordinaire ; nous appliquerons la clinique du [carnet 11](11_la_clinique_du_dqn.ipynb) à des
# programmes hors de notre moteur. Enfin, vous emporterez un DQN d'une page vers un jeu dont le cours n'avait rien dit.
#
# *Lecture : 35 minutes ; exercices : 40 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
import gymnasium
import numpy as np

from cartpole_helpers import (
    evaluate,
    evaluations_of,
    load_study,
    one_page,
    paired_interval,
    series_of,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.live import waiting
from cartpole_helpers.display.numbers import number
from cartpole_helpers.repairs import comparisons
from cartpole_helpers.statistics import (
    at_success,
    holm,
    paired_p_value,
    percentage,
    sign_test,
    smallest_effect,
)
from cartpole_helpers.teaching.clinic import ACROBOT_PATIENTS, HEALTHY, ILLNESSES, Ward
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. Quels verdicts survivent
#
# Le carnet 08 a jugé onze réparations, puis onze retraits, sur vingt graines de CartPole, déjà vues pendant la
# recherche. L'étude `etudes/ailleurs.py` refait tout à Acrobot et à MountainCar : mêmes réglages, à l'échelle des
# entrées près, qui se mesure ; vingt graines chacun ; même mesure, le retour moyen de toute la courbe ; même
# correction, sur les vingt-deux verdicts d'un jeu.
#
# > **À vous.** Une cible à plusieurs pas rapportait à CartPole, où chaque pas paie. Qu'en attendez-vous là où chaque
# > pas coûte ? Et des actions prolongées ? Et de Double DQN ?

# %%
echelle, ailleurs = load_study("../etudes/echelle.csv"), load_study("../etudes/ailleurs.csv")


def ecarts(etude, **ou):
    """Ce que chaque changement ajoute au retour moyen de la courbe, graine à graine (20, 22)."""
    courbe = {nom: evaluations_of(etude, reglage=nom, **ou).mean(axis=1) for nom in REGLAGES}
    return np.stack([courbe[apres] - courbe[avant] for apres, avant in PAIRES.values()], axis=1)


PAIRES = comparisons()
REGLAGES = {nom for paire in PAIRES.values() for nom in paire}
effets = {"CartPole": ecarts(echelle, graine=range(20))}
for jeu in ("Acrobot-v1", "MountainCar-v0"):
    effets[jeu.partition("-")[0]] = ecarts(ailleurs, jeu=jeu)

# %% [markdown]
# Les lignes « + » sont les réparations, les lignes « − », les retraits. Un triangle est un verdict, corrigé : ▲, on y
# gagne ; ▼, on y perd. Un point est une absence de verdict, non un verdict contraire. Les nombres sont des points de
# retour, qui n'ont pas la même taille d'un jeu à l'autre.

# %%
sens = {
    jeu: np.where(holm(paired_p_value(un)) < 0.05, np.sign(un.mean(axis=0)), 0).astype(int)
    for jeu, un in effets.items()
}

# %% [markdown]
# Un verdict de CartPole *vaut partout* s'il est prononcé dans le même sens pour les trois jeux ; il *se renverse* si l'un
# des deux autres prononce le contraire.

# %%
verdicts = np.stack([*sens.values()], axis=1)  # (22, 3)
ici, la = verdicts[:, 0], verdicts[:, 1:]
communs, renverses = (ici != 0) & (la == ici[:, None]).all(1), (la * ici[:, None] < 0).any(1)

# %%
moyens = np.stack([un.mean(axis=0) for un in effets.values()], axis=1)
titre = "Sur {} verdicts : valables partout, {} ; renversés, {}"
titre = titre.format(np.sum(ici != 0), communs.sum(), renverses.sum())
noms = [f"{'+' if rang < 11 else '−'} {nom}" for rang, nom in enumerate(PAIRES)]
figures.effects(moyens, verdicts, noms, [*effets], titre)

# %% [markdown]
# Lesquels valent partout, lesquels se renversent ? Et là où l'on ne sait pas, quel effet ces graines avaient-elles
# quatre chances sur cinq de montrer, fût-ce sans la correction ?

# %%
changements = np.array([*PAIRES])
print("partout :", ", ".join(changements[communs]) or "aucun")
print("renversés :", ", ".join(changements[renverses]) or "aucun")
for jeu, un in effets.items():
    muets = sens[jeu] == 0
    visible = number(np.median(smallest_effect(un)[muets]), 1)
    print(f"{jeu} : {muets.sum()} sans verdict ; plus petit effet visible (médiane) : {visible}")

# %% [markdown]
# Aucun verdict de CartPole n'est prononcé pour les deux autres jeux à la fois. Ces verdicts n'y sont pas faux pour autant.
# Le plus souvent, ces jeux restent **sans** verdict, et les nombres ci-dessus disent quel effet y serait passé
# inaperçu. Mais deux se renversent. Des entrées brutes ruinent CartPole et MountainCar, et Acrobot s'en porte mieux ;
# nous ne savons pas pourquoi. Une cible qui glisse coûtait à CartPole, au barreau où on l'ajoutait, et rapporte à
# MountainCar.
#
# Le plus instructif est dans les lignes où CartPole n'avait rien à dire. Retirer de la Version 2 ses actions
# prolongées, ou sa cible à plusieurs pas, n'y changeait rien de visible (le plus petit effet visible est écrit plus
# haut) ; à Acrobot, les deux retraits coûtent ; à MountainCar, le second. γ = 1, sans verdict à CartPole, coûte à
# MountainCar. Un jeu facile ne montre pas ce que vaut une réparation : il montre ce dont **lui** se passe.
#
# ## 2. Ce que l'on recommande d'ordinaire
#
# Pour des récompenses de toutes tailles, on conseille une perte de Huber (un carré, puis une droite au-delà de 1), un
# gradient écrêté (borné), des récompenses réduites ; pour mieux apprendre, une cible recopiée, davantage de mises à
# jour, une cible à plus de pas, ou à moins. L'étude `etudes/essais.py` change une chose à la fois dans la recette du
# carnet 12, à quatre jeux. La mesure est la **part du chemin** parcourue, du retour du hasard au seuil, en moyenne
# sur toute la courbe : celle de l'essai, moins celle de la recette, graine à graine. Huit graines par case : tout y
# est **exploratoire**, et sans correction.
#
# > **À vous.** De ces onze changements, combien aideront partout ? Lequel nuira le plus ?

# %%
essais = load_study("../etudes/essais.csv")
DEPARTS = {"CartPole-v1": 22, "Acrobot-v1": -500, "MountainCar-v0": -200, "LunarLander-v3": -180}


def chemin(essai, jeu):
    """La part du chemin, du hasard au seuil (graines,), en pour cent, moyenne de la courbe."""
    retours, seuil = evaluations_of(essais, essai=essai, jeu=jeu), gymnasium.spec(jeu)
    part = (retours - DEPARTS[jeu]) / (seuil.reward_threshold - DEPARTS[jeu])
    return 100 * part.clip(0, 1).mean(axis=1)


# %% [markdown]
# ▲ : l'intervalle à 95 % (Student) est au-dessus de zéro ; ▼ : au-dessous. Les nombres sont des points de pourcentage.

# %%
AUTRES = [nom for nom in dict.fromkeys(essais["essai"].tolist()) if nom != "la recette"]
gains = [[chemin(nom, jeu) - chemin("la recette", jeu) for jeu in DEPARTS] for nom in AUTRES]
gains = np.moveaxis(np.array(gains), -1, 0)  # (8, 11, 4)
bas, haut = paired_interval(gains)
signes = np.where(bas > 0, 1, np.where(haut < 0, -1, 0))

# %% [markdown]
# Combien aident, combien nuisent ?

# %%
titre = f"Sur {signes.size} essais : {np.sum(signes > 0)} aident, {np.sum(signes < 0)} nuisent"
figures.effects(gains.mean(axis=0), signes, AUTRES, [jeu[:-3] for jeu in DEPARTS], titre)

# %% [markdown]
# Rien n'aide dans les quatre jeux à la fois. La cible à un pas nuit à trois d'entre eux ; la perte de Huber, à CartPole. À
# LunarLander, pour lequel on recommande cette perte, huit graines ne disent pas qu'elle aide ; diviser par dix ses
# récompenses, qui sont grandes, y aide. Deux fois plus de mises à jour aident à CartPole et à MountainCar, au prix de
# deux fois plus de calcul. Et le même ε pour toutes les copies fait mieux que nos ε échelonnés à MountainCar et à
# LunarLander : ce choix de la recette est à rejuger.
#
# Sur quarante-quatre comparaisons sans correction, deux environ passeraient par hasard : ce sont des pistes, non des
# verdicts. Et là où l'on ne sait pas, voici ce que huit graines auraient vu.

# %%
muets = smallest_effect(gains)[signes == 0]
visible = number(np.median(muets), 1)
print(f"sans verdict : {muets.size} ; plus petit effet visible (médiane) : {visible}")

# %% [markdown]
# ## 3. À côté des autres
#
# Une seule recette pour quatre jeux : est-ce se priver ? Mettons-la à côté de ce que l'on prend d'ordinaire, le DQN
# et le PPO de Stable-Baselines3, avec les nombres et le budget que `rl-zoo3` publie **pour chaque jeu**. L'étude
# `etudes/pairs_jeux.py` les évalue aux mêmes pas, sur les mêmes départs, avec un seul fil d'exécution pour chacun.
#
# Annoncé d'avance : la réussite est la troisième évaluation de suite au seuil ; un échec compte pour l'infini ; sur
# toutes les paires (graine, jeu), on compte qui réussit en moins de temps de processeur, par un test des signes,
# corrigé pour les deux concurrents. Le nombre de graines, lui, a été réduit pendant que l'étude tournait, faute de
# temps, sans que rien n'en ait été lu : trois au lieu de cinq, et une seule pour le PPO à LunarLander, où un million
# de pas prend plus de vingt minutes.
#
# > **À vous.** Contre le DQN réglé pour chaque jeu, sur combien des douze paires la recette commune sera-t-elle devant ? Et contre le PPO,
# > sur combien des dix ?

# %%
pairs = load_study("../etudes/pairs_jeux.csv")
NOUS, *PAIRS = dict.fromkeys(pairs["systeme"].tolist())


def reussite(systeme, jeu, graines=range(4_000, 4_005)):
    """Le temps de la troisième réussite de suite (graines,), ou l'infini."""
    ou = {"systeme": systeme, "jeu": jeu, "graine": graines}
    atteint = series_of(pairs, "moyenne", **ou) >= gymnasium.spec(jeu).reward_threshold
    return at_success(atteint, series_of(pairs, "secondes", **ou), 3)


# %% [markdown]
# Chacun est comparé à nous sur les graines qu'il a faites.


# %%
def devance(un, jeu):
    """Où nous réussissons plus tôt que `un`, graine à graine."""
    faites = np.unique(pairs["graine"][(pairs["systeme"] == un) & (pairs["jeu"] == jeu)])
    return reussite(NOUS, jeu, faites) < reussite(un, jeu, faites)


# %% [markdown]
# Et voici la mesure annoncée.

# %%
devant = [np.concatenate([devance(un, jeu) for jeu in DEPARTS]) for un in PAIRS]
valeurs_p = holm(np.array([sign_test(int(un.sum()), int((~un).sum())) for un in devant]))
for un, paires, p in zip(PAIRS, devant, valeurs_p, strict=True):
    print(f"face à {un} : nous devant {paires.sum()} fois sur {len(paires)}, p = {number(p, 4)}")

# %% [markdown]
# Chaque réussite, enfin : un échec n'a pas de point. Jeu par jeu, trois graines ne permettent de rien conclure.

# %%
chacun = {f"{jeu[:-3]}, {un}": reussite(un, jeu) for jeu in DEPARTS for un in (NOUS, *PAIRS)}
titre = "Une seule recette réussit plus tôt que des réglages faits pour chaque jeu"
axe = "temps de processeur jusqu'à la réussite (s, échelle logarithmique)"
figures.strips(chacun, titre, axe, log=True)

# %% [markdown]
# Devant partout : s'en tenir à une seule recette n'est pas se priver. Deux raisons, que la figure ne sépare pas : les
# autres échouent souvent, et quand ils réussissent, ils ont calculé davantage. Le DQN de `rl-zoo3` n'atteint jamais
# trois fois de suite le seuil de LunarLander ; le PPO y arrive, et n'est loin de nous ni à CartPole ni à Acrobot. Une
# fois la réussite venue, à Acrobot, il la conserve mieux que nous (`etudes/README.md`).
#
# > **Attention.** Le DQN de `rl-zoo3` n'a que cent mille pas à Acrobot et à LunarLander : ce qu'il ferait au-delà n'est pas mesuré. Et nous avons
# > cherché notre recette sur ces quatre jeux ; les auteurs de `rl-zoo3` l'ont fait pour chaque jeu, sur d'autres critères peut-être. Un temps n'est pas la
# > qualité d'un algorithme.

# %% [markdown]
# ## 4. La clinique, ailleurs
#
# Les seuils de la clinique ont été réglés à CartPole, sur notre moteur. L'étude `etudes/clinique_ailleurs.py`
# provoque les mêmes maladies dans deux programmes hors de notre moteur, le DQN de Stable-Baselines3 et une boucle
# tirée de `one_page`, à CartPole et à Acrobot : dix graines neuves par maladie, et quinze saines par programme et par
# jeu. Aucun seuil n'a changé ; un signe a été ajouté avant la mesure, sur d'autres graines. Une maladie, la politique
# périmée, n'a pas de sens chez Stable-Baselines3, qui évalue le réseau qu'il entraîne.
#
# D'Acrobot, on ne connaît aucune vraie valeur. La clinique y construit ses états d'épreuve : soixante-quatre débuts
# d'épisode, et les états de la mémoire qui précèdent une fin. Elle ne sait plus ce qu'un état **doit** valoir, mais
# elle sait encore ce que l'entraînement a **vécu** : quelles fins, quelles récompenses.
#
# > **À vous.** Quelles maladies la clinique devrait-elle manquer, sans états dont elle connaisse la valeur ?

# %%
clinique = load_study("../etudes/clinique_ailleurs.csv")
malade = clinique["maladie"]
dits = np.stack([clinique["hypothese_1"], clinique["hypothese_2"]])
juste, sain = (dits == malade).any(axis=0), malade == HEALTHY
LIEUX = [
    (ou, jeu)
    for ou in dict.fromkeys(clinique["programme"])
    for jeu in ("CartPole-v1", "Acrobot-v1")
]


# %% [markdown]
# Combien de malades, sur dix, sont reconnus, maladie par maladie, programme par programme ? « Reconnu » : la maladie
# est l'une des deux premières hypothèses.


# %%
def reconnus(nom, ou, jeu):
    """Combien de malades de ce nom, sur dix, l'outil reconnaît ; NaN si l'étude n'en a pas."""
    ceux = (malade == nom) & (clinique["programme"] == ou) & (clinique["jeu"] == jeu)
    return juste[ceux].sum() if ceux.any() else np.nan


# %%
noms = [une.name for une in ILLNESSES]
comptes = np.array([[reconnus(nom, *lieu) for lieu in LIEUX] for nom in noms])
niveaux = np.where(comptes >= 9, 1, np.where(comptes <= 5, -1, 0))
titre = f"Malades reconnus : {juste[~sain].sum()} sur {np.sum(~sain)} ; par case, sur dix"
colonnes = [f"{ou},\n{jeu[:-3]}".replace("Stable-Baselines3", "SB3") for ou, jeu in LIEUX]
figures.effects(comptes, niveaux, noms, colonnes, titre)

# %% [markdown]
# ▲ : neuf malades sur dix reconnus, au moins ; ▼ : cinq au plus ; une case vide n'a pas été essayée. Voici les
# comptes, et les fausses alarmes, sans lesquelles un rappel ne veut rien dire. Les intervalles supposent les maladies
# fixées : ils ne disent rien d'une maladie que l'étude n'a pas.

# %%
alarme = clinique["hypothese_1"] != HEALTHY
for ou, jeu in LIEUX:
    ici = (clinique["programme"] == ou) & (clinique["jeu"] == jeu)
    for quoi, faits in {"reconnus": juste[ici & ~sain], "alarmes": alarme[ici & sain]}.items():
        _, bas, haut = map(number, percentage(faits))
        print(f"{ou}, {jeu}, {quoi} : {faits.sum()} sur {faits.size}", end=" ")
        print(f"[{bas} ; {haut} %]")

# %% [markdown]
# Les ratés, un à un : ce dont l'entraînement souffrait, et ce que l'outil en a dit le plus souvent.

# %%
for ou, jeu in LIEUX:
    for nom in dict.fromkeys(malade[~juste & ~sain].tolist()):
        rates = ~juste & (malade == nom) & (clinique["programme"] == ou) & (clinique["jeu"] == jeu)
        if rates.any():
            dit, fois = np.unique(clinique["hypothese_1"][rates], return_counts=True)
            print(f"{ou}, {jeu}, {nom} : {rates.sum()} sur 10, « {dit[fois.argmax()]} »")

# %% [markdown]
# Les fausses alarmes sont toutes au même endroit : la boucle tirée de `one_page` qui, en quatre mille pas, n'arrive presque
# jamais au but d'Acrobot. Trois fois sur quatre, l'outil y accuse une cible mal alignée, à cause de valeurs plates ;
# or, sans succès, les vraies valeurs sont presque les mêmes partout. Et le signe du lot trop petit, le seul vraiment
# fragile au carnet 11, manque aussi des malades ici, surtout chez Stable-Baselines3, dont la perte de Huber n'est pas
# le carré pour lequel son seuil fut réglé.
#
# **Exercice 1, à diagnostiquer (15 minutes).** Diagnostiquez quatre entraînements d'Acrobot, deux de
# Stable-Baselines3 et deux de la boucle tirée de `one_page`, enregistrés par l'étude sans le nom de leur mal. En
# gris, un témoin sain. Aucun n'arrive encore régulièrement au but ; l'un d'eux, pourtant, n'est pas malade.

# %%
salle = Ward(ACROBOT_PATIENTS)
salle.wall(salle.numbers, "Quatre entraînements d'Acrobot : lequel n'est pas malade ?")

# %% [markdown]
# La feuille entière du premier ; changez le numéro pour voir les autres.

# %%
salle.sheet(1)

# %% [markdown]
# À vous, avec les noms du carnet 11, « rien d'anormal » compris. Pour montrer une erreur, disons que le premier explore trop.

# %%
MES_AVIS = {1: "ε bloqué haut"}
salle.judge(MES_AVIS)

# %% [markdown]
# Quand vous aurez répondu pour tous, dépliez.

# %%
salle.reveal()

# %% [markdown]
# ## 5. Emporter une page
#
# `one_page`, le DQN d'une page du [carnet 06](06_la_boucle_d_entrainement.ipynb), accepte tout jeu de Gymnasium dont
# l'observation est une suite de nombres et les actions, un choix. Prenons-en un dont le cours n'a rien dit :
# `Pendulum-v1`, un pendule qu'il faut dresser et tenir debout. Son action est un **couple**, l'effort de rotation, un
# nombre de −2 à 2 : un DQN ne sait pas en choisir. Donnons-lui donc trois crans.
#
# Un jeu mis dans une enveloppe (*wrapper*), comme le sera ce pendule, s'inscrit sous un **nom**, par
# `gymnasium.register` : tout le paquet le connaît alors. S'il n'a pas de limite de temps, `max_episode_steps=...` lui
# en donne une, sans quoi un épisode pourrait ne jamais finir. Et si son observation est un entier, comme à
# `FrozenLake-v1`, `gymnasium.wrappers.FlattenObservation` en fait une suite de nombres.


# %%
class Crans(gymnasium.ActionWrapper):
    """Le pendule, dont le couple se choisit parmi `couples`."""

    def __init__(self, env, couples=(-2.0, 0.0, 2.0)):
        super().__init__(env)
        self.couples, self.action_space = couples, gymnasium.spaces.Discrete(len(couples))

    def action(self, rang):
        """Le couple de ce rang, tel que le pendule l'attend."""
        return np.array([self.couples[rang]], np.float32)


def pendule(couples=(-2.0, 0.0, 2.0), **options):
    """Le jeu, pour `gymnasium.register`."""
    return Crans(gymnasium.make("Pendulum-v1", **options), couples)


gymnasium.register("Pendule-v1", entry_point=pendule)

# %% [markdown]
# D'abord, les nombres de « Dans quel ordre essayer » (carnet 12, section 5) : ce que vaut le hasard, et la taille de
# chaque composante.

# %% tags=["nbval-ignore-output"]
tirages = np.random.default_rng(0)
au_hasard = evaluate(lambda vues: tirages.integers(3, size=len(vues)), env="Pendule-v1")
print(f"au hasard : {number(au_hasard.mean())} en moyenne, {number(au_hasard.max())} au mieux")
with gymnasium.make("Pendule-v1") as jeu:
    vues = [jeu.reset(seed=0)[0]] + [jeu.step(tirages.integers(3))[0] for _ in range(199)]
print("écarts types :", *(number(un, 2) for un in np.std(vues, axis=0)))

# %% [markdown]
# Chaque pas coûte d'autant plus que le pendule est loin du haut, qu'il va vite, et que l'on pousse fort ; l'épisode dure
# toujours deux cents pas, et ne **finit** jamais : il n'est que tronqué. Rien à masquer, donc, mais tout à amorcer. Le
# jeu n'a pas de seuil. Tenir debout est presque gratuit : −200 en moyenne veut dire que le pendule se dresse sans
# traîner. Les facteurs de `scale` sont, à peu près, l'inverse de ces écarts types ; une composante qui ne varie pas
# garderait 1.
#
# `train` évalue tous les mille pas, et s'arrête à la première évaluation d'au moins `enough` ; s'il rend `max_steps`,
# elle n'est pas venue. Ses autres nombres sont en tête de `one_page.py` : γ vaut 0,98, et ε descend en dix mille pas.
#
# > **À vous.** La recette d'une page a été réglée à CartPole, où il lui faut quelques milliers de pas, selon la graine. Combien ici ?

# %% tags=["nbval-ignore-output"]
facteurs = (1.0, 1.0, 0.2)
with waiting("Apprentissage"):
    politique, pas = one_page.train(env="Pendule-v1", scale=facteurs, enough=-200, max_steps=15_000)
retours = evaluate(politique, seed=5, env="Pendule-v1")
print(f"{number(pas)} pas ; {number(retours.mean())} en moyenne, sur cent départs neufs")

# %% [markdown]
# **Exercice 2, à écrire (5 minutes).** Trois crans, c'est peut-être peu pour rester immobile. Écrivez la valeur d'un
# cran, pour un nombre de crans et un intervalle quelconques.


# %%
def cran(rang, bas, haut, nombre):
    """Rend la valeur du cran de rang `rang`, de 0 à `nombre` − 1, entre `bas` et `haut` compris.

    Les crans sont à intervalles égaux : le premier vaut `bas`, le dernier `haut`. `nombre` vaut au
    moins 2.
    """
    ...


check(cran)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Entre `nombre` crans, combien d'intervalles ? Le cran de rang 0 est `bas`.
#
# </details>
#
# **Exercice 3, à explorer (20 minutes).** Voici votre pendule à cinq crans. Puis divisez ses récompenses par dix, avec
# `gymnasium.wrappers.TransformReward` et `enough=-20` : apprend-il plus vite ? Refaites l'essai sur trois graines avant
# de le croire.

# %% tags=["nbval-ignore-output"]
if check(cran).passed:
    couples = tuple(cran(rang, -2.0, 2.0, 5) for rang in range(5))
    gymnasium.register("PenduleCinqCrans-v1", entry_point=pendule, kwargs={"couples": couples})
    with waiting("Apprentissage"):
        politique, pas = one_page.train(env="PenduleCinqCrans-v1", scale=facteurs, enough=-200)
    print(number(pas), "pas")

# %%
show("cran")

# %% [markdown]
# <details><summary>Ce que l'on peut en attendre</summary>
#
# Nous ne l'avons pas mesuré. Ce que l'on peut prévoir : une valeur descend ici à plusieurs centaines sous zéro, et Adam
# avance d'un pas à peu près constant, quelle que soit l'erreur ; il lui faut bien des mises à jour pour descendre si
# bas. Des récompenses dix fois plus petites devraient donc l'y mener plus tôt : c'est l'échelle de Q du carnet 12.
# Votre essai le confirme-t-il ?
#
# </details>

# %% [markdown]
# ## Testez-vous
#
# **1.** À CartPole, une réparation rapporte, et son verdict est corrigé. Que dit-il d'un autre jeu ?
#
# - **A.** Qu'elle y rapportera aussi : la correction de Holm protège du hasard.
# - **B.** Qu'elle y coûtera : les jeux s'opposent.
# - **C.** Rien de sûr : le test compte avec le hasard des graines, la correction avec le nombre des comparaisons, rien avec le choix du jeu.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est oublier un second hasard : des jeux, on n'en a tiré qu'un.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ Peu de verdicts se renversent : la plupart restent sans verdict, ce qui n'est pas le contraire.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✔ Un verdict vaut pour le jeu où il fut mesuré.
#
# </details>
#
# **2.** À un jeu dont on ne connaît aucune vraie valeur, que peut encore vérifier la clinique ?
#
# - **A.** Rien : sans vérité, pas de diagnostic.
# - **B.** Que la mémoire dit ce que l'entraînement a vécu, que la boucle fait ce qu'elle annonce, que les poids bougent à la bonne allure.
# - **C.** Tout, comme à CartPole : les états d'épreuve sont tirés du jeu.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ Trois des quatre questions du carnet 11 n'ont besoin d'aucune vérité.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ De l'autre question, celle des valeurs, il ne reste que la borne.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ C'est oublier qu'un début d'épisode dit où regarder, non ce que l'on doit y trouver.
#
# </details>
#
# **3.** Vous apportez un jeu sans fin, toujours coupé au même pas. Que doit valoir `terminated` dans la mémoire ?
#
# - **A.** Faux partout : rien ne finit, on cesse seulement de regarder.
# - **B.** Vrai au dernier pas : l'épisode s'y arrête.
# - **C.** Peu importe, puisque tous les épisodes ont la même longueur.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✔ Après la coupure, la suite existe encore : rien à masquer, mais tout à amorcer.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ La suite y serait nulle : dans un jeu où chaque pas coûte, l'agent croirait que le temps le sauve.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ L'observation ne dit pas l'heure : des états identiques auraient deux cibles.
#
# </details>

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# Quelques jeux de plus ne font pas le monde : ils sont petits, comme CartPole, et leurs observations disent tout. Un
# malade n'a qu'une maladie, à forte dose. Et deux programmes, dont l'un emprunte au cours, ne sont pas tous les
# programmes.
#
# ## Ce qu'il faut retenir
#
# 1. Un verdict vaut pour le jeu où il fut prononcé. **Refaites-le ailleurs** avant d'en faire un conseil.
# 2. Un outil réglé sur un jeu peut servir à d'autres, si ce qu'il lit ne dépend pas du jeu ; **combien** de malades il y reconnaît se mesure, ratés
#    compris.
# 3. Emporter un DQN, c'est écrire ce que sont l'observation, le choix, la récompense et la fin, puis mesurer les échelles : les règles ne
#    changent pas.
#
# Le [carnet 15](15_de_zero.ipynb) vous donne une page blanche : à vous d'écrire un DQN entier, que la clinique saura
# examiner.
