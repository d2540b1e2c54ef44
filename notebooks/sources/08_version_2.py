# %% [markdown]
# # 08 · Version 2
#
# **La question.** Nous savons ce que la Version 1 fait de travers. Que faut-il changer pour qu'elle
# apprenne CartPole, avec toutes les graines, et sans oublier ensuite ? Et de tous ces changements,
# lesquels servent vraiment ?
#
# Du document fondateur, la section « Version 2 » est restée vide. Ce carnet la remplit : il part des nombres de la
# Version 1, répare un groupe de réglages à la fois, mesure chacun sur vingt graines, puis prend la recette finie et
# fait onze retraits, un à la fois.
#
# *Lecture : 45 minutes ; exercices : 30 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch

from cartpole_helpers import (
    VERSION_2,
    CartPoleVector,
    Training,
    evaluations_of,
    interquartile_mean,
    load,
    load_study,
    paired_interval,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.explorer import explorer
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.settings import written
from cartpole_helpers.dqn import FREE, held_epsilon_greedy
from cartpole_helpers.repairs import (
    ABLATIONS,
    ENGINE,
    REPAIRS,
    SHORTER,
    TUNED,
    ladder,
    without,
)
from cartpole_helpers.statistics import (
    after_success,
    holds,
    holm,
    paired_p_value,
    percentage,
    smallest_effect,
    succeeds,
)
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. D'où l'on part
#
# Le [carnet 06](06_la_boucle_d_entrainement.ipynb) a fait tourner la Version 1 à la lettre, sur vingt graines et
# jusqu'à deux millions de pas. Combien de ces graines avaient atteint 475, ne serait-ce qu'une fois, à trois
# échéances ?

# %%
version1 = load_study("../etudes/version1.csv")
reussies = (version1["reglage"] == "document") & (version1["en_ligne"] >= 475)

# %% [markdown]
# L'archive juge la Version 1 à la fin d'un épisode, un peu après le compte rond : on lui laisse mille pas de plus.

# %%
for budget in (50_000, 500_000, 2_000_000):
    graines = np.unique(version1["graine"][reussies & (version1["pas"] < budget + 1_000)])
    print(f"graines arrivées à 475 en {number(budget)} pas : {len(graines)} sur 20")

# %% [markdown]
# Nous nous donnons la première de ces trois échéances : **cinquante mille pas**, moins de dix-sept minutes de jeu.
# Les mêmes réglages sont d'abord essayés sur le moteur du cours. Des fautes du carnet 06, il corrige celles du
# programme : le chronomètre n'y passe plus pour une chute, le réseau cible part d'une copie, on apprend tous les
# vingt pas, et l'on juge le réseau qui apprend. Il en garde deux, qui sont des nombres : γ = 1, et le taux
# d'apprentissage qui s'éteint, la plus coûteuse. N'attendez donc pas le score de « toutes réparées ».

# %% [markdown]
# Chaque réglage de ce carnet a été entraîné d'avance. Tous les mille pas, l'agent joue cent épisodes depuis des
# départs neufs ; l'entraînement, lui, n'en sait jamais rien. La
# cellule suivante lit l'archive.

# %%
echelle = load_study("../etudes/echelle.csv")
PAS = np.array([int(colonne) for colonne in echelle if colonne.isdigit()])


# %%
def scores(noms, graines=range(20)):
    """Les retours moyens de ces graines pour chaque réglage : nom → (graines, évaluations)."""
    return {nom: evaluations_of(echelle, reglage=nom, graine=graines) for nom in noms}


# %% [markdown]
# Sauf mention contraire, ce sont les graines 0 à 19, déjà vues pendant que l'on cherchait la recette : ce que nous en
# tirerons est **exploratoire**. Ce que nous affirmerons reposera sur des graines neuves.
#
# > **À vous.** Les fautes de programmation sont réparées, les nombres sont ceux de la Version 1. En cinquante mille
# > pas, combien de graines sur vingt atteindront 475 ?

# %%
depart = scores([ENGINE])[ENGINE]
atteint = np.sum(np.any(depart >= 475, axis=1))
figures.learning_curves(
    PAS, depart, f"Les nombres de la Version 1, programme réparé : à 475, {atteint} sur 20"
)

# %% [markdown]
# Un programme juste ne suffit donc pas : à cette échéance, la moyenne ne quitte pas le bas de la figure. Restent les
# **réglages**, et quelques idées neuves.

# %% [markdown]
# ## 2. Onze réparations
#
# Les voici dans l'ordre où nous les ferons. Chacune garde celles d'avant, et fait un **barreau** de l'échelle ; la
# dernière donne `VERSION_2`. Chaque champ est suivi de son ancienne valeur, puis de la nouvelle.

# %%
barreaux = ladder()
for (nom, champs), avant in zip(REPAIRS.items(), barreaux.values(), strict=False):
    print(nom)
    for champ, valeur in champs.items():
        if getattr(avant, champ) != valeur:
            print(f"    {champ} : {getattr(avant, champ)} → {valeur}")

# %% [markdown]
# | Réparation | Pourquoi on l'essaie |
# |:---|:---|
# | γ sous 1 | les vraies valeurs restent bornées par $1/(1-\gamma)$, et une erreur s'atténue en se propageant |
# | un réseau large | celui de la Version 1, au carnet 04, ne réussissait que quelquefois ; l'activation devient SiLU, une rampe lissée, et les poids de départ, ceux de PyTorch |
# | les entrées à l'échelle | on tombe à 2,4 m, ou à 0,21 rad : sans facteur, l'angle pèse environ dix fois moins |
# | seize chariots | `learn_every` compte des tours de boucle, et un tour fait maintenant seize pas : seize pas neufs entre deux mises à jour, au lieu de vingt, venus de seize épisodes au lieu d'un ; la mémoire et les lots sont réduits aussi |
# | le taux d'apprentissage | grand d'abord, il décroît à chaque mise à jour jusqu'au dixième de sa valeur initiale et s'y arrête |
# | une cible qui glisse | un vingtième du réseau principal à chaque mise à jour, au lieu d'une copie toutes les soixante |
# | explorer davantage | ε descend de 1 à 0,5 : à l'entraînement, un pas sur deux reste joué au hasard |
# | des actions prolongées | section 3 |
# | une cible à plusieurs pas | trois récompenses réelles avant l'amorçage : une information remonte trois fois plus vite |
# | Double DQN | un réseau choisit, l'autre évalue : on surestime moins |
# | la moyenne des poids | section 4 |
#
# Le [carnet 04](04_le_dqn.ipynb) a présenté l'échelle des entrées et la cible qui glisse ; le [carnet
# 05](05_eprouver_ses_regles.ipynb), Double DQN ; le carnet 06, γ et le taux d'apprentissage. La cible à plusieurs pas
# est nouvelle : $r_1 + \gamma r_2 + \gamma^2 r_3 + \gamma^3 \max_a Q(s_3, a)$, où $s_3$ est l'état d'arrivée. Elle a
# un prix : ses deux dernières récompenses viennent d'actions en partie tirées au hasard, et la valeur visée n'est
# plus tout à fait celle de la bonne politique. Quand l'épisode s'arrête avant trois pas, la transition reste courte,
# de $k$ récompenses ; et si le chronomètre l'a coupé, on amorce là, avec $\gamma^k$.

# %% [markdown]
# > **À vous.** Écrivez trois noms : la réparation la plus utile, une inutile, une nuisible.
# > Deux des onze restent à expliquer ; les sections 3 et 4 s'en chargent, puis viendra la réponse.

# %% [markdown]
# ## 3. Prolonger une action tirée au hasard
#
# Explorer, c'est tirer parfois l'action au hasard. Mais une action dure 0,02 s. Tirée à pile ou face cinquante fois
# par seconde, la force pousse à gauche, puis à droite, et presque tout se compense : le chariot **tremble** plus
# qu'il n'explore. Dabney, Ostrovski et Barreto (2021) proposent un remède : une action tirée au hasard est
# **prolongée** pendant plusieurs pas. Leurs durées sont parfois très longues ; les nôtres, non.

# %%
listing(held_epsilon_greedy)

# %% [markdown]
# La règle est celle du carnet 05, avec une mémoire : `held` garde l'action au hasard en cours, dont la durée est elle
# aussi tirée au hasard, `hold` pas en moyenne. Plus une telle action dure, moins elle doit commencer souvent : la
# ligne `begins` est réglée pour que ε reste la part des pas joués au hasard. Notons `keep` $= 1 - 1/\text{hold}$ la
# probabilité qu'une action au hasard se prolonge d'un pas ; `FREE` dit qu'il n'y en a pas en cours. Une part ε des
# pas est jouée au hasard, et chacun est le dernier de son action avec la probabilité $1 - \text{keep}$ : à la longue,
# il s'achève $\varepsilon\,(1 - \text{keep})$ actions par pas, et il doit en commencer autant. Or une action ne
# commence qu'aux pas où aucune ne se prolonge, dont la part est $1 - \text{keep}\,\varepsilon$ : le seuil de `begins`
# est le rapport des deux.
#
# Voyons ce que cela change, sur un seul exemple : le quatrième agent du carnet 07, entraîné avec `QUICK`, distrait un
# pas sur deux.


# %%
def etats_visites(tenue_moyenne, chariots=200, tours=500):
    """Les états (N, 4) où passe un bon agent, quand ε = 0,5, et le nombre de ses chutes."""
    hasard, env = np.random.default_rng(0), CartPoleVector(chariots)
    observation, _ = env.reset(seed=0)
    tenue, visites, chutes = torch.full((chariots,), FREE), [], 0
    for _ in range(tours):
        q = torch.from_numpy(bon_agent.q_values(observation))
        tirages = torch.from_numpy(hasard.random((chariots, 2)))
        action, tenue = held_epsilon_greedy(q, 0.5, tenue_moyenne, tirages, tenue)
        observation, _, terminated, _, info = env.step(action.numpy())
        visites.append(info["final_obs"])
        chutes += terminated.sum()
    return np.concatenate(visites), chutes


# %% [markdown]
# > **À vous.** Des actions de 1, 2 ou 8 pas en moyenne, et autant de hasard chaque fois : cent mille pas, dont la
# > moitié au hasard. Les prolonger mènera-t-il plus souvent la tige à de grandes vitesses ? Et le chariot plus loin du
# > centre ?

# %%
bon_agent = load("../checkpoints/agent_5600_pas.safetensors")
parcours = {tenue: etats_visites(tenue) for tenue in (1, 2, 8)}
vitesses = [number(np.degrees(etats[:, 3]).std()) for etats, _ in parcours.values()]
titre = f"Écart type de la vitesse angulaire : {', puis '.join(vitesses)}°/s"
figures.memory_maps({f"durée {n} pas": etats for n, (etats, _) in parcours.items()}, titre)

# %% [markdown]
# La « mémoire » de l'échelle de couleurs désigne ici tous les états visités. La longue courbe du dernier panneau est la
# trace d'une poussée prolongée depuis l'équilibre : en quelques pas, elle mène jusqu'à la chute. Et le chariot, que
# devient-il ?

# %%
for duree, (etats, nombre) in parcours.items():
    loin = number(100 * np.mean(np.abs(etats[:, 0]) > 1), 1)
    print(f"durée {duree} : {nombre} chutes ; {loin} % des états à plus de 1 m du centre")

# %% [markdown]
# Avec autant de hasard, la tige prend des angles et des vitesses bien plus variés : un agent qui apprend y trouverait
# de quoi s'exercer à la rattraper. Mais elle tombe plus souvent, les épisodes raccourcissent, et le chariot n'a plus le
# temps d'aller loin. Prolonger est donc affaire de **dosage**, et seule une mesure peut le régler ; dans la Version 2,
# une action au hasard dure deux pas en moyenne.

# %% [markdown]
# ## 4. La moyenne des poids
#
# Un réseau qui apprend tremble lui aussi : chaque lot le tire un peu de son côté. Polyak et Juditsky (1992)
# ont montré, sur des problèmes plus simples, qu'il vaut mieux lire la **moyenne** de ses positions que la
# dernière. Dans le moteur du cours, cette moyenne est un troisième réseau, `_average`, avec lequel joue
# l'agent rendu. Rien d'autre ne la lit.
#
# > **À vous.** Voici deux entraînements de même graine, l'un avec la moyenne, l'autre sans. Au centième tour,
# > leurs actions, leurs pertes seront-elles différentes ?

# %%
sans_moyenne = replace(VERSION_2, average_rate=1.0, average_tail=0.0)
deux = [Training(config, 0) for config in (VERSION_2, sans_moyenne)]
for _ in range(100):
    avec_elle, sans_elle = (entrainement.advance() for entrainement in deux)

# %%
print("mêmes actions :", np.array_equal(avec_elle.action, sans_elle.action))
print("mêmes pertes :", np.array_equal(avec_elle.loss, sans_elle.loss))
print("même agent rendu :", torch.equal(*(entrainement.agent.weights for entrainement in deux)))

# %% [markdown]
# L'apprentissage est **le même**, au bit près ; seul l'agent que l'on juge diffère. Reste à choisir
# l'**horizon** de la moyenne, c'est-à-dire le nombre de mises à jour sur lequel elle porte. Si l'horizon
# est court, elle tremble encore ; s'il est long, elle traîne les poids du début, qui ne savaient rien.
#
# À chaque mise à jour, la moyenne fait vers le réseau une part du chemin, le **taux** ; son horizon est l'inverse du
# taux : 0,0005 donne 2 000 mises à jour, 0,02 en donne 50. La Version 2 laisse l'horizon **grandir** : à la mise à
# jour $n$, le taux est $1/(0{,}25\,n)$, ou 1 pour les quatre premières, qui recopient donc le réseau. L'horizon vaut
# alors $n/4$ : la moyenne porte à peu près sur le dernier quart des mises à jour. Cinquante mille pas en font moins
# de 3 125, et il n'y dépasse pas 781. (`average_tail` est ce 0,25 ; `average_rate`, 0,0005, est un plancher pour le
# taux, que l'on n'atteint pas ici.)

# %%
versements = {
    "horizon fixe, 2 000 mises à jour": replace(VERSION_2, average_tail=0.0),
    "horizon fixe, 50": replace(VERSION_2, average_rate=0.02, average_tail=0.0),
    "horizon qui grandit": VERSION_2,
}


# %% [markdown]
# Quelle part des poids de départ reste-t-il dans la moyenne ? Chaque versement la multiplie par $1$ moins
# son taux.


# %%
def reste(config, rangs):
    """La part (%) des poids de départ après chaque mise à jour."""
    return 100 * np.cumprod([1 - config.average_rate_at(rang) for rang in rangs])


# %%
rangs = np.arange(1, 1_001)
restes = {nom: reste(config, rangs) for nom, config in versements.items()}
fixe = number(restes["horizon fixe, 2 000 mises à jour"][-1])
titre = f"Après mille mises à jour, l'horizon long garde {fixe} % des poids de départ"
figures.curves(rangs, restes, titre, ("mises à jour", "poids de départ dans la moyenne (%)"))

# %% [markdown]
# L'horizon qui grandit oublie le départ dès la première mise à jour. L'horizon court l'oublie vite, mais il ne lisse
# que cinquante mises à jour, pour toujours. Lisser davantage, à mesure que les mises à jour s'accumulent, fait-il
# mieux jouer ? Ce sera la onzième réparation.

# %% [markdown]
# > **Pour aller plus loin.** À partir de la quatrième, la mise à jour $n$ verse dans la moyenne une part
# > $1/(0{,}25\,n)$ du réseau : c'est `Config.average_rate_at`. L'horizon d'une moyenne est l'inverse de son
# > taux, ici un quart de $n$.

# %% [markdown]
# ## 5. L'échelle
#
# Voici la réponse. Chaque panneau ajoute une réparation ; en gris, le panneau d'avant. La courbe est la moyenne
# interquartile de vingt graines, la bande, son intervalle à chaque évaluation. Cette moyenne écarte le quart des
# graines qui va le plus mal : elle ne dira pas qui retombe. Relisez vos trois noms.

# %%
montee = scores(barreaux)
premier, dernier = (interquartile_mean(montee[nom])[-1] for nom in (ENGINE, [*montee][-1]))
bouts = f"de {number(premier)} à {number(dernier)} pas"
figures.small_multiples(PAS, montee, f"En onze réparations, le retour final passe {bouts}")

# %% [markdown]
# Les cinq premiers panneaux restent près du sol ; leurs réparations n'ont pourtant rien d'absurde. Le sixième
# décolle : sans doute l'ancien taux d'apprentissage empêchait-il de voir l'effet des précédentes. Puis la cible qui
# glisse fait **redescendre** la courbe, et l'exploration touche le plafond. Avec les actions prolongées, la courbe
# monte un peu moins vite, reste plus longtemps en haut, puis faiblit. Les trois derniers panneaux s'écrasent en
# haut : la courbe ne sait plus les départager.

# %% [markdown]
# Deux nombres résument un panneau. La part des graines qui **réussissent** : trois évaluations de suite à 475 ou
# plus. Et la part de celles qui **conservent** leur réussite : plus une seule évaluation sous 475 ensuite. Une graine
# qui n'a jamais réussi n'a rien conservé. `percentage` rend une part de graines, en pour cent, et son intervalle
# exact, celui du carnet 07.


# %%
def tiennent(valeurs):
    """Les graines (S,) qui réussissent, puis n'ont plus une évaluation sous 475."""
    return holds(valeurs >= 475)


colonnes = {
    "graines qui réussissent (%)": {
        nom: percentage(succeeds(la >= 475)) for nom, la in montee.items()
    },
    "réussite conservée (%)": {nom: percentage(tiennent(la)) for nom, la in montee.items()},
}

# %%
avant, apres = (np.sum(tiennent(montee[nom])) for nom in [*montee][-2:])
titre = f"Moyenne des poids : {avant}, puis {apres} réussites conservées sur 20"
figures.intervals(colonnes, titre)

# %% [markdown]
# À partir de « explorer davantage », toutes les graines réussissent, et la colonne de gauche n'a plus rien à dire.
# Celle de droite monte surtout deux fois : avec la cible à plusieurs pas, puis avec la moyenne des poids. Une graine
# qui réussit tard a toutefois moins d'évaluations devant elle.

# %% [markdown]
# Reste à dire ce que vaut chaque réparation, **à sa place**. Pour une graine, le gain d'une réparation est ce que la courbe
# gagne en moyenne, de la première évaluation à la dernière, sur celle du barreau d'avant. Cette mesure mêle la
# vitesse et le niveau, et plafonne à 500.
#
# La section suivante fera onze retraits, mesurés de même. Si rien n'avait d'effet, vingt-deux intervalles à 95 %
# en trouveraient pourtant au moins un, environ deux fois sur trois. La correction de Holm (1979) rend chaque verdict
# plus exigeant : le risque d'en prononcer **ne serait-ce qu'un** à tort reste sous 5 %.

# %%
retraits, complete = scores(ABLATIONS), montee["la moyenne des poids"]
ecarts = {apres: montee[apres] - montee[avant] for avant, apres in pairwise(montee)}
ecarts |= {nom: valeurs - complete for nom, valeurs in retraits.items()}
par_graine = np.stack([ecart.mean(axis=1) for ecart in ecarts.values()], axis=1)  # (20, 22)

# %% tags=["hide-input"]
# Les verdicts, corrigés, les gains et ce que les graines pouvaient montrer.
sur = dict(zip(ecarts, holm(paired_p_value(par_graine)) < 0.05, strict=True))
gains = np.stack([par_graine.mean(axis=0), *paired_interval(par_graine)], axis=1)  # (22, 3)
gains = dict(zip(ecarts, gains, strict=True))
visible = dict(zip(ecarts, smallest_effect(par_graine), strict=True))


# %%
def verdict(noms):
    """Les noms de ce qui rapporte, de ce qui coûte, et de ce qui reste sans verdict."""
    mieux = [nom for nom in noms if sur[nom] and gains[nom][0] > 0]
    pire = [nom for nom in noms if sur[nom] and gains[nom][0] < 0]
    return mieux, pire, [nom for nom in noms if not sur[nom]]


# %% [markdown]
# Chaque barreau est comparé au précédent. Les intervalles, ceux de Student, ne sont pas corrigés, et les verdicts le
# sont : un intervalle peut donc éviter zéro, de peu, sans que la réparation ait de verdict.

# %%
aident, nuisent, indecis = verdict(REPAIRS)
compte = f"utiles : {len(aident)}, nuisibles : {len(nuisent)}, sans verdict : {len(indecis)}"
barres = {nom: gains[nom] for nom in REPAIRS}
figures.intervals({"gain sur le barreau d'avant (pas)": barres}, f"Onze réparations ; {compte}")

# %% [markdown]
# Les voici par leur nom. Pour celles qui restent sans verdict, le nombre de pas est le plus petit gain que ces vingt
# graines avaient quatre chances sur cinq de montrer, sans même la correction : un gain moindre a pu nous échapper. Il
# arrive qu'une seule graine fasse presque tout l'écart : ce nombre n'est qu'un ordre de grandeur.

# %%
print("aident :", ", ".join(sorted(aident, key=lambda nom: -gains[nom][0])))
print("nuisent :", ", ".join(nuisent) or "aucune")
print("on ne sait pas :", ", ".join(f"{nom} ({visible[nom]:.0f} pas)" for nom in indecis))

# %% [markdown]
# Deux réparations font l'essentiel du chemin : un taux d'apprentissage bien plus grand, et une exploration bien plus
# forte. La cible qui glisse, là où nous l'avons mise, nuit. Aviez-vous trouvé ?

# %% [markdown]
# > **Attention.** Ce gain dépend de l'**ordre**. Une réparation posée trop tôt ne peut rien montrer, si une
# > autre faute empêche encore d'apprendre ; posée en dernier, elle n'a presque plus rien à gagner. Pour
# > savoir de quoi la Version 2 a besoin, il faut la prendre finie, et en retirer un groupe à la fois.

# %% [markdown]
# ## 6. Ôter un groupe à la fois
#
# Retirons un seul groupe de réglages à la Version 2, les autres restant en place. Le point de comparaison est
# la Version 2 complète, c'est-à-dire le dernier barreau : le même pour tous, et s'il a eu de la chance, tous en
# pâtissent. Voici ce que nous lui retirons.

# %%
for nom, config in without().items():
    defaits = {champ: getattr(config, champ) for champ in ABLATIONS[nom]}
    print(nom, ":", ", ".join(f"{champ} = {valeur}" for champ, valeur in defaits.items()))

# %% [markdown]
# Un retrait ne ramène pas toujours à la Version 1 : celui du taux d'apprentissage n'ôte que la décroissance, et garde
# la grandeur. La moyenne des poids n'y est pas : sans elle, c'est l'avant-dernier barreau, déjà jugé. Le dernier
# retrait ne défait aucune réparation : il réduit la mémoire, qui ne garde plus que les cinq mille derniers pas. La
# cible recopiée l'est toutes les 33 mises à jour : elle a de 0 à 32 mises à jour de retard, donc 16 en moyenne. Celle
# qui glisse mêle les réseaux passés : celui d'il y a $k$ mises à jour y compte pour $0{,}05 \times 0{,}95^k$, et la
# moyenne de $k$ est $0{,}95/0{,}05 = 19$.
#
# > **À vous.** Si l'échelle disait tout, ôter une réparation coûterait ce qu'elle avait rapporté. Laquelle,
# > pensez-vous, coûtera beaucoup plus cher ? Laquelle ne coûtera rien ? Dans la figure, la Version 2 complète
# > est en gris.

# %%
mieux, pire, egaux = verdict(ABLATIONS)
compte = f"coûteux : {len(pire)}, profitables : {len(mieux)}, sans verdict : {len(egaux)}"
courbes = {"version 2": complete} | retraits
figures.small_multiples(PAS, courbes, f"Onze retraits ; {compte}", reference="version 2")

# %% [markdown]
# Les courbes disent si l'on apprend. Voici, à gauche, la part des graines qui conservent leur réussite ; à droite, ce
# que coûte chaque retrait.

# %%
tenues = {nom: percentage(tiennent(valeurs)) for nom, valeurs in retraits.items()}
couts = {nom: -gains[nom][[0, 2, 1]] for nom in ABLATIONS}
cher = max(couts, key=lambda nom: couts[nom][0])
titre = f"Le retrait le plus coûteux, « {cher} » : {number(couts[cher][0])} pas"
figures.intervals({"réussite conservée (%)": tenues, "coût du retrait (pas)": couts}, titre)

# %%
print("coûtent :", ", ".join(sorted(pire, key=lambda nom: -couts[nom][0])))
print("on ne sait pas :", ", ".join(f"{nom} ({visible[nom]:.0f} pas)" for nom in egaux))
for nom in ABLATIONS:
    if (arrivees := np.sum(succeeds(retraits[nom] >= 475))) < 20:
        print(f"{nom} : graines qui réussissent, {arrivees} sur 20")

# %% [markdown]
# Mettre les entrées à l'échelle ne rapportait que peu, sans doute parce qu'une autre faute empêchait encore
# d'apprendre ; avec des entrées brutes, **aucune** graine ne réussit plus. Un ingrédient n'a pas de valeur en soi,
# il en a une parmi les autres.
#
# Baisser ε à 0,05 est l'autre retrait ruineux ; un petit réseau, lui, apprend plus tard, et ses vingt graines
# conservent leur réussite. Quant au taux d'apprentissage constant, il reste sans verdict sur le retour, mais la moitié des
# graines ne conserve pas sa réussite.

# %% [markdown]
# ### Trois à la fois
#
# Trois retraits restent tout près de zéro, avec des intervalles étroits : γ = 1, sans Double DQN, mémoire de 5 000. Une
# recette plus courte s'en passerait-elle ? Les retraits un à un ne le disent pas : un réglage peut suppléer les autres.
# Il faut les ôter **ensemble**, et dire d'avance quel écart serait négligeable.
#
# L'étude l'a écrit avant de mesurer : cent graines neuves, de 1000 à 1099, et deux marges, 5 pas pour le retour moyen
# de la courbe, 5 points pour le *taux de rechute*. Celui d'une graine est la part des évaluations sous 475 après sa
# réussite ; 100 %, si elle ne réussit pas.


# %%
def rechute(valeurs):
    """La rechute (%) de chaque graine : (S,)."""
    return 100 * (1 - after_success(valeurs >= 475, 3).mean(axis=1).filled(0))


# %% [markdown]
# > **À vous.** Sans les trois, les écarts resteront-ils dans les marges ?

# %%
neuves = scores(["version 2", SHORTER], graines=range(1_000, 1_100))
courte, entiere = neuves[SHORTER], neuves["version 2"]
mesures = {"retour, en pas": lambda la: la.mean(axis=1), "rechute, en points": rechute}
for unite, mesure in mesures.items():
    ecart = mesure(courte) - mesure(entiere)
    milieu, bas, haut = (number(x, 1) for x in (ecart.mean(), *paired_interval(ecart)))
    print(f"sans les trois, {unite} : {milieu} [{bas} ; {haut}]")
print(
    f"réussite conservée : {np.sum(tiennent(courte))} sur 100, contre {np.sum(tiennent(entiere))}"
)

# %% [markdown]
# Les deux intervalles sont dans leurs marges : à ces marges près, une recette plus courte suffirait. Qu'elle conserve aussi
# bien ses réussites, nous ne l'avons pas montré : le dernier compte penche pour la recette entière.

# %% [markdown]
# ### Et si l'on en réglait quatre à la fois ?
#
# Ôter une chose à la fois ne dit rien des combinaisons. Une autre étude a essayé toutes celles de quatre champs,
# `gamma`, `learning_rate`, `target_rate` et `capacity`, chacune sur douze graines et vingt mille pas : voici ses
# curseurs. La réponse vient aussitôt, de l'archive ; les traits fins sont les graines, le trait épais leur médiane.
#
# > **À vous.** Avant de toucher aux curseurs : lequel des quatre fera le plus de dégâts, poussé à l'un de ses bouts ?
# > Et γ = 1 est-il toujours une faute ?

# %% tags=["nbval-ignore-output"]
reglages = load_study("../etudes/reglages.csv")
explorateur = explorer(reglages)
explorateur

# %% [markdown]
# Le bouton « L'entraîner pour de vrai » fait ce que l'étude a fait, sur la graine que vous choisissez : la courbe
# doit tomber sur le trait fin de cette graine. Si vous ne nous croyez pas sur parole, c'est le moment.
#
# Une étude complète permet aussi de retourner la question : quelle part des entraînements finit à 475 ou plus, champ
# par champ, **tous réglages des trois autres confondus** ?


# %%
def part_a_la_fin(champ):
    """La part (%) des entraînements à 475 ou plus à la fin, et son intervalle, par valeur."""
    fins = 100.0 * (reglages["20000"] >= 475)
    for valeur in TUNED[champ]:
        miens = [(reglages[champ] == valeur) & (reglages["graine"] == g) for g in range(12)]
        parts = np.array([fins[lignes].mean() for lignes in miens])  # une par graine
        yield f"{champ} = {written(valeur)}", (parts.mean(), *paired_interval(parts))


# %%
parts = {nom: triplet for champ in TUNED for nom, triplet in part_a_la_fin(champ)}
pires = sorted(parts, key=lambda nom: parts[nom][0])[:2]
figures.intervals({"finissent à 475 ou plus (%)": parts}, f"Les pires : {' et '.join(pires)}")

# %% [markdown]
# Deux curseurs décident de presque tout, et chacun par son bout **lent** : un taux d'apprentissage trop petit, un
# réseau cible qui suit de trop loin. Entre γ = 0,95 et γ = 1, rien n'est tranché.
#
# > **Attention.** Ces parts mêlent de bons et de mauvais réglages : elles dépendent de la grille que nous avons
# > choisie, et ne disent pas quelle valeur prendre. L'intervalle est calculé sur les douze graines, les mêmes partout :
# > il ne rend compte que de leur hasard.

# %% [markdown]
# ## 7. À vous
#
# **Exercice 1, à calculer (10 minutes).** On tire à pile ou face des poussées de ±1, prolongées pendant $h$ pas en moyenne :
# chacune s'arrête à chaque pas avec la probabilité $1/h$, et l'on tire alors de nouveau. Pour un grand nombre $n$ de
# pas, l'écart type de leur somme est $\sqrt{n}$ quand $h = 1$. Combien vaut-il quand $h = 2$ ?
#
# <details><summary>Indice</summary>
#
# Les poussées de deux pas distants de $k$ ont pour corrélation $(1 - 1/h)^k$. La variance de la somme est la
# somme des corrélations de toutes les paires, chaque pas avec lui-même compris.
#
# </details>
#
# <details><summary>Solution</summary>
#
# Avec $c = 1 - 1/h$, la variance vaut à peu près $n\,(1 + 2c + 2c^2 + \dots) = n\,(1 + c)/(1 - c) = n\,(2h - 1)$. Pour
# $h = 2$, l'écart type est $\sqrt{3n} \approx 1{,}73\sqrt{n}$ : un écart bien plus grand, pour le même nombre de pas.
# C'est ce que cherche la Version 2 avec ses deux pas ; la section 3 en a montré le prix.
#
# </details>

# %% [markdown]
# **Exercice 2, à écrire (10 minutes).** Écrivez la cible à plusieurs pas de la section 2 : les récompenses actualisées,
# puis l'amorçage, si l'épisode continue.


# %%
def retour_a_n_pas(recompenses, gamma, valeur_finale, terminated):
    """Rend la cible à n pas ; `recompenses` est une liste de n nombres, dans l'ordre.

    `valeur_finale` : la meilleure valeur de l'état où mènent les n pas.
    """
    ...


check(retour_a_n_pas)

# %% [markdown]
# <details><summary>Indice</summary>
#
# La récompense de rang $i$, compté à partir de 0, est multipliée par $\gamma^i$, et la valeur finale par
# $\gamma^n$. On peut aussi partir de la fin : à chaque pas, la récompense plus $\gamma$ fois la suite.
#
# </details>

# %%
show("retour_a_n_pas")

# %% [markdown]
# **Exercice 3, à écrire (10 minutes).** La moyenne de la section 4 porte à peu près sur le dernier quart d'une suite,
# sans jamais la garder tout entière. Elle part de zéro ; à chaque valeur, de rang $n$ (1 pour la première), elle
# parcourt la fraction $1/(\text{part} \times n)$ du chemin qui l'en sépare, ou la rejoint si cette fraction dépasse 1. L'argument
# `part` vaut 0,25 si l'on ne dit rien, comme dans la section 4.


# %%
def moyenne_glissante(suite, part=0.25):
    """Rend la moyenne d'une suite sur sa part la plus récente, calculée au fil de l'eau."""
    ...


check(moyenne_glissante)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `for rang, valeur in enumerate(suite, start=1)` donne les rangs ; `min` borne le taux ; la moyenne avance de
# `taux * (valeur - moyenne)`.
#
# </details>
#
# Essayez votre fonction sur des nombres bruités autour de 3, seuls, puis précédés d'un long détour.

# %%
bruit = 3 + np.random.default_rng(0).normal(size=4_000)
essais = {"autour de 3": bruit, "après un détour": np.append([100.0] * 50, bruit)}
for nom, suite in essais.items() if check(moyenne_glissante).passed else ():
    print(f"{nom} : {number(moyenne_glissante(suite), 2)} (on attend entre 2,9 et 3,1)")

# %% [markdown]
# Le moteur fait de même, poids par poids : `Config.average_rate_at` donne le taux, et `lerp_`, de PyTorch,
# déplace chaque poids de cette part.

# %%
show("moyenne_glissante")

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# L'échelle ne suit qu'un ordre, parmi des millions, et ses barreaux sont des groupes : ce que vaut chaque champ,
# nous ne le savons pas.
#
# Les nombres de la Version 2 viennent d'une recherche faite sur **ce** seul jeu, et dont il ne reste ni le programme
# ni le compte ; les graines 0 à 519 y ont servi, ou ont paru dans d'autres figures. Le [carnet
# 13](13_chercher_une_recette.ipynb) montre une recherche que l'on peut refaire ; le [carnet
# 14](14_ce_qui_reste_vrai_ailleurs.ipynb) dit lesquels de ces verdicts valent ailleurs.

# %% [markdown]
# ## Testez-vous
#
# Les nombres qui suivent sont inventés ; les erreurs de lecture ne le sont pas.
#
# **1.** Un programme tient 20 pas. Avec la seule réparation P, il en tient 22 ; avec la seule réparation R, 25 ; avec les
# deux, 480. Combien de pas doit-on à R ?
#
# - **A.** 458 : c'est ce qu'elle ajoute quand P est déjà là.
# - **B.** 5 : c'est ce qu'elle rapporte seule.
# - **C.** 230 : la moitié des 460 pas gagnés à deux.
# - **D.** La question n'a pas de réponse tant qu'on ne dit pas à quoi on l'ajoute.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est ainsi qu'on lit une échelle ; mais, dans l'autre ordre, c'est P qui emporterait tout le mérite.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ C'est vrai si on la pose la première ; posée après P, elle en rapporte 458.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ Partager en deux n'y change rien : ni l'une ni l'autre ne sert à grand-chose seule.
#
# </details>
# <details name="q1"><summary>Répondre D</summary>
#
# ✔ Dans l'ordre P puis R, le barreau de R vaut 458 pas ; dans l'ordre R puis P, il en vaut 5. Les deux mesures sont
# justes et répondent à deux questions.
#
# </details>
#
# **2.** Onze retraits, chacun jugé à 5 %, sans correction ; l'un d'eux est déclaré nuisible. Que savez-vous ?
#
# - **A.** Il nuit : il y a cinq chances sur cent de se tromper.
# - **B.** Peu de chose : sur onze retraits anodins, on en déclarerait souvent au moins un nuisible.
# - **C.** Rien : un seul retrait ne prouve jamais rien.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ C'est oublier que l'on a choisi, après coup, lequel des onze regarder.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Onze retraits anodins, jugés à 5 % chacun, laissent au moins une fausse alarme près d'une fois sur deux :
# $1 - 0{,}95^{11} \approx 43$ %. C'est ce que corrige Holm.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ C'est aller trop loin : avec la correction, un seul verdict suffit.
#
# </details>
#
# **3.** La moyenne des poids a un taux fixe de 0,001. Après 500 mises à jour, le réseau principal tient 500 pas ;
# l'agent rendu, qui joue avec la moyenne, tombe aussitôt. Pourquoi ?
#
# - **A.** La moyenne a gêné l'apprentissage : il faut l'ôter.
# - **B.** Le réseau principal a eu de la chance ; la moyenne montre son vrai niveau.
# - **C.** La moyenne est encore faite, pour plus de la moitié, de poids qui ne savaient rien.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ Rien d'autre que l'agent rendu ne lit cette moyenne : sans elle, l'apprentissage serait le même au bit près.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ C'est prendre la moyenne pour un juge ; c'est un autre réseau.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✔ Chaque mise à jour multiplie par 0,999 la part des poids de départ : il en reste $0{,}999^{500} \approx 61$ %. Il
# faut attendre, ou laisser l'horizon grandir.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. On répare **un groupe à la fois**, sur vingt graines, avec des verdicts corrigés pour le nombre de comparaisons ;
#    puis on **défait** un groupe à la fois, car l'ordre compte.
# 2. Ce qui semble inutile s'ôte **ensemble**, et l'écart se compare à une marge fixée d'avance : un verdict qui manque n'est pas un effet
#    nul.
# 3. Ce qui comptait ici, à l'ajout comme au retrait : des entrées à la même **échelle**, un réseau large, une
#    **exploration** qui dure ; à l'ajout, aussi, un grand **taux d'apprentissage** et une cible à plusieurs pas. Pour
#    conserver sa réussite, un taux d'apprentissage qui décroît et la moyenne des poids semblent compter.
#
# Une recette qui apprend ne fait pas encore un agent auquel on puisse se fier : [09 · Résoudre et
# tenir](09_resoudre_et_tenir.ipynb).
