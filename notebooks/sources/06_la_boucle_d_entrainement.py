# %% [markdown]
# # 06 · La boucle d'entraînement
#
# **La question.** Nous avons une mémoire, un réseau, une cible et une perte. Dans quel ordre et à quel
# rythme les faire travailler ? La boucle en décide, et c'est là que se cachent les fautes les plus
# coûteuses : celles qui laissent le programme tourner.
#
# C'est la section *Boucle d'entraînement* du document fondateur. Nous l'exécutons à la lettre, nous
# mesurons où mènent ses choix, puis nous écrivons une boucle qui se lit comme l'algorithme. Le carnet
# finit par un DQN complet sur une page, et par le tableau qui mène des noms du document à ceux du cours.
#
# *Lecture : 55 minutes ; exercices : 55 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from copy import deepcopy

import numpy as np
import torch

from cartpole_helpers import (
    QUICK,
    ReplayBuffer,
    Training,
    evaluate,
    exact_interval,
    load_study,
    one_page,
    paired_interval,
    td_loss,
    td_target,
    version1,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.live import Screen, follow, waiting
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.panel import panel
from cartpole_helpers.statistics import holm, paired_p_value, smallest_effect
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. La boucle du document, à la lettre
#
# Voici la boucle du document fondateur, telle que nous la faisons tourner aujourd'hui. Lisez-la comme
# vous liriez le code d'un collègue.
#
# > **À vous.** Six de ses lignes au moins posent problème, sans qu'aucune ne fasse échouer le
# > programme. Combien en trouvez-vous avant de lire la suite ?

# %%
listing(version1.train, comments=False)

# %% [markdown]
# Pour qu'elle tourne, il a fallu rétablir la construction de `dqnn`, mise en commentaire, ajouter `NN` et
# `choose_action`, que le document nomme sans les donner, retirer l'affichage, et suivre l'API d'aujourd'hui : `reset`
# rend deux valeurs, `step` en rend cinq. Les paramètres après l'étoile sont les nôtres ; `seed=None` laisse tout au
# hasard, comme dans le document.
#
# Le `yield` est de nous aussi : à la fin de chaque épisode, la boucle nous rend la main, et nous
# regardons. `follow` y ajoute une barre, qui montre où l'on en est, et un arrêt propre : le bouton ■ de
# Jupyter laisse finir l'épisode en cours, et nous gardons tout. Le document, lui, affiche `exit` et ne
# rend rien.

# %% tags=["nbval-ignore-output"]
BUDGET = 10_000
episodes = []
for progres in follow(version1.train(seed=0, verbose=False), BUDGET):
    episodes.append(progres)

# %% [markdown]
# Dix mille pas, soit deux cents secondes de jeu : au carnet 00, un agent a résolu CartPole avec ce
# budget. Où en est l'agent du document ?

# %% tags=["nbval-ignore-output"]
durees = np.array([progres.length for progres in episodes])
pas = np.array([progres.env_steps for progres in episodes])
parfaits, fin = np.sum(durees == 500), number(durees[-100:].mean(), 1)
figures.points(
    {"un épisode": (pas, durees)},
    f"{parfaits} épisodes sur {len(durees)} durent 500 pas ; les cent derniers, {fin} en moyenne",
    ("pas de jeu depuis le début", "durée de l'épisode (pas)"),
)

# %% [markdown]
# Un éclair, sans lendemain. Il n'y a qu'une mise à jour par épisode, donc d'un point au suivant : quelques-unes
# ont suffi à trouver une bonne politique, une seule à la perdre. Peut-être faut-il attendre ; peut-être cette graine
# est-elle malchanceuse. Une seule graine, regardée si peu de temps, ne le dira pas.
#
# ## 2. Ce que la boucle atteint, graine après graine
#
# Nous avons donc attendu : deux millions de pas par graine, ou les cent mille épisodes auxquels le document
# s'arrête. Nous l'avons fait avec les valeurs qu'il imprime : taux d'apprentissage $3 \cdot 10^{-4}$, multiplié par
# 0,999 à chaque mise à jour jusqu'à $3 \cdot 10^{-6}$, une copie toutes les 60 ; puis avec celles que son auteur a
# publiées ailleurs ($10^{-3{,}5}$ ; 0,9999 ; $10^{-5}$ ; 75). Ce sont des heures de calcul, dont la cellule
# suivante lit l'archive.
#
# > **À vous.** Quelle part des graines, croyez-vous, atteindra 475 avec les valeurs imprimées ?

# %%
etude = load_study("../etudes/version1.csv")


# %% [markdown]
# Chaque ligne de l'archive est une évaluation : cent épisodes joués sans exploration, tous les dix mille
# pas. La colonne `en_ligne` juge le réseau qui apprend, la colonne `cible` sa copie. Rangeons-les par
# graine ; une graine arrêtée avant les autres garde sa dernière évaluation, puisqu'elle n'apprend plus.


# %%
def par_graine(reglage, colonne):
    """Les valeurs d'une colonne de l'archive : (graines, évaluations)."""
    lignes = etude["reglage"] == reglage
    graines = np.unique(etude["graine"][lignes])
    suites = [etude[colonne][lignes & (etude["graine"] == graine)] for graine in graines]
    nombre = max(map(len, suites))
    return np.array([np.pad(suite, (0, nombre - len(suite)), "edge") for suite in suites])


# %%
retours = {
    "valeurs imprimées": par_graine("document", "en_ligne"),
    "valeurs de l'auteur": par_graine("auteur", "en_ligne"),
}

# %%
abscisses = 10_000 * np.arange(1, 1 + len(retours["valeurs imprimées"][0]))
atteint = {nom: np.any(valeurs >= 475, axis=1).sum() for nom, valeurs in retours.items()}
constat = " ; ".join(f"{nom}, {n} sur {len(retours[nom])}" for nom, n in atteint.items())
figures.learning_curves(abscisses, retours, f"Graines qui ont un jour atteint 475 : {constat}")

# %% [markdown]
# Les deux moyennes interquartiles restent sous le seuil ; les valeurs de l'auteur font mieux. Le titre est pourtant
# généreux : avec deux cents évaluations par graine, il suffit d'**une** bonne. Combien de temps faut-il aux graines
# qui y arrivent, et y restent-elles ? (Le carnet 07 dira d'où vient l'intervalle exact.)

# %%
for nom, valeurs in retours.items():
    reussite = valeurs >= 475
    premiers = sorted(abscisses[np.argmax(ligne)] for ligne in reussite if ligne.any())
    bas, haut = (round(100 * borne) for borne in exact_interval(atteint[nom], len(valeurs)))
    print(f"{nom} : {bas} à {haut} % des graines y arrivent (intervalle exact à 95 %)")
    print("   la première fois, en pas :", ", ".join(map(number, premiers)) or "jamais")
    print(f"   encore ≥ 475 à la fin : {reussite[:, -1].sum()} sur {len(valeurs)}")
    retombees = np.sum(valeurs.max(axis=1) - valeurs[:, -1] > 100)
    print(f"   à la fin, plus de 100 pas sous leur sommet : {retombees} sur {len(valeurs)}")

# %% [markdown]
# L'attente varie énormément d'une graine à l'autre, et réussir un jour n'est pas savoir. Ce programme n'est
# pas absurde : il apprend. Mais il apprend lentement, pas avec toutes les graines, et sans garder ce qu'il a
# appris. C'est le pire des bogues : celui qui ressemble à un mauvais réglage. Cherchons les suspects un à un, en
# mesurant.
#
# ## 3. Une mise à jour par épisode
#
# Dans la boucle, l'appel à `train_dqn` est sous `if done`. L'agent apprend donc une fois par **épisode**, et non
# par pas.
#
# > **À vous.** Au début, un épisode dure une dizaine de pas. Quand l'agent saura jouer, il en durera
# > cinq cents. Que devient le rythme de l'apprentissage ?

# %%
auteur = retours["valeurs de l'auteur"]
avances, mises_a_jour = (np.diff(par_graine("auteur", nom)) for nom in ("pas", "episodes"))
actives = avances > 0  # aucun pas n'est joué après l'arrêt d'une graine
rythmes = 1_000 * mises_a_jour[actives] / avances[actives]
jeu = ((auteur[:, 1:] + auteur[:, :-1]) / 2)[actives]
lent, rapide = np.median(rythmes[jeu > 300]), np.median(rythmes[jeu < 30])
figures.points(
    {"dix mille pas d'une graine": (jeu, rythmes)},
    f"L'agent qui joue bien fait {rapide / lent:.0f} fois moins de mises à jour par pas de jeu",
    ("retour moyen de la politique (pas)", "mises à jour par 1 000 pas de jeu"),
)

# %% [markdown]
# Le titre compare les agents qui tiennent plus de 300 pas à ceux qui en tiennent moins de 30. Mieux l'agent
# joue, moins il apprend de chaque pas joué. Un DQN ordinaire fait une mise à jour par pas,
# ou une tous les k pas, sans regarder où finissent les épisodes.
# Les toutes premières mises à jour du document se font, en outre, sur des lots plus courts que les 256 demandés : le
# carnet 03 l'a vu.

# %% [markdown]
# ## 4. Un taux d'apprentissage qui s'éteint
#
# Après chaque mise à jour, le document multiplie le taux d'apprentissage par `lr_decay`, jusqu'à un
# plancher cent fois plus bas. L'objet qui s'en charge, `scheduler`, est un **ordonnanceur**. Suivons-le
# seul, sans rien entraîner.


# %%
def taux_d_apprentissage(episodes, **reglage):
    """Le taux d'apprentissage du document à chaque épisode."""
    dqnn = version1.DQNN(version1.NN, **reglage)
    dqnn.optimizer.step()  # sans gradient, il ne change rien ; PyTorch veut qu'il passe le premier
    suite = []
    for _ in range(episodes):
        suite.append(dqnn.scheduler.get_last_lr()[0])
        if suite[-1] > dqnn.min_lr:
            dqnn.scheduler.step()
    return np.array(suite)


# %%
numeros = np.arange(1, 10_001)
AUTEUR = {"lr": 10**-3.5, "lr_decay": 0.9999, "min_lr": 1e-5, "itermax": 75}
suites = {
    "valeurs imprimées": taux_d_apprentissage(len(numeros)),
    "valeurs de l'auteur": taux_d_apprentissage(len(numeros), **AUTEUR),
}
plancher = 1 + np.argmax(suites["valeurs imprimées"] <= 3e-6)
figures.curves(
    numeros,
    suites,
    f"À l'épisode {number(plancher)}, le taux d'apprentissage du document est au plancher",
    ("épisode", "taux d'apprentissage d'Adam"),
    log="y",
)

# %% [markdown]
# L'ordonnanceur compte les **épisodes**, qui au début sont courts. Combien de pas de jeu l'agent a-t-il vus quand
# son taux d'apprentissage touche le fond ? Et quelle part du jeu se joue ensuite ? L'archive le dit.

# %%
au_plancher = par_graine("document", "episodes") >= plancher  # (graines, évaluations)
joues = par_graine("document", "pas")
vus = np.array([ligne[np.argmax(la)] for ligne, la in zip(joues, au_plancher, strict=True)])
print("pas joués quand le plancher est atteint, médiane :", number(np.median(vus)))
print(f"part des pas joués au plancher, médiane : {100 * np.median(1 - vus / joues[:, -1]):.0f} %")

# %% [markdown]
# L'essentiel de l'expérience est joué au plancher. Chaque correction y est cent fois plus petite qu'au départ,
# que l'agent sache jouer ou non. Avec les valeurs de l'auteur, le taux décroît dix fois moins vite : est-ce leur
# avantage ? Elles changent aussi le plancher et les copies. La section 7 sépare les fautes une à une.
#
# > **Attention.** Un ordonnanceur que personne ne regarde freine un algorithme aussi sûrement qu'un bogue.
# > Tracez toujours le taux d'apprentissage en fonction de ce que vous payez, ici les pas de jeu.

# %% [markdown]
# ## 5. Le chronomètre pris pour une chute
#
# Vous connaissez la faute depuis le carnet 01, et sa réparation depuis le carnet 04 : `done` confond la
# chute et la fin des cinq cents pas. Que fait-elle aux valeurs ? Prenons un état sans danger, d'où une
# bonne politique ne tombe jamais, et $\gamma = 0{,}99$. Une transition sur cinq cents est celle où le
# chronomètre coupe l'épisode. Que vaut cet état, selon qu'on la compte ou non comme une chute ?

# %%
rien = torch.zeros(500, dtype=torch.bool)
chronometre = torch.arange(500) == 499


def valeur(fins, gamma=0.99):
    """La valeur d'un état sûr, quand `fins` marque les transitions qui terminent."""
    v = torch.tensor(0.0)
    for _ in range(3_000):
        ensuite = v.expand(500, 2)  # la même valeur partout, pour les deux actions
        v = td_target(torch.ones(500), fins, ensuite, gamma).mean()
    return v.item()


# %% [markdown]
# > **À vous.** La bonne réponse est $1 + \gamma + \gamma^2 + \dots = 1/(1-\gamma) = 100$. Que donnera
# > l'autre ? Un peu moins, ou beaucoup moins ?

# %%
print(f"seule la chute termine       : {number(valeur(rien), 1)}")
print(f"le chronomètre termine aussi : {number(valeur(chronometre), 1)}")

# %% [markdown]
# Une transition sur cinq cents suffit à rabaisser tous les états sûrs, parce que l'amorçage propage son
# erreur aux autres. L'agent ne voit pas le chronomètre : pour lui, un état parfaitement stable finit
# parfois en catastrophe, sans cause visible. Que des valeurs soient fausses ne dit pas encore ce qu'il en coûte
# au jeu : le carnet 10 le mesure.
#
# Avec le $\gamma = 1$ du document, la somme $1 + 1 + 1 + \dots$ n'a pas de fin, et seule la fausse chute la
# borne, à 500. Sans elle, les valeurs montent sans limite ; la politique, qui ne lit que leur ordre, n'en souffre pas forcément : au carnet 08, un agent qui a $\gamma = 1$ et le chronomètre réparé joue bien.

# %% [markdown]
# ## 6. Un réseau cible en retard, que l'on évalue
#
# Le carnet 04 l'a relevé : pour jouer sans explorer, `eval_dqn` interroge le réseau **cible**, recopié tous
# les soixante épisodes (soixante-quinze, avec les valeurs de l'auteur). Le retard change-t-il le
# jugement ? L'archive a évalué les deux réseaux au même instant, sur les mêmes départs.

# %%
cible = par_graine("auteur", "cible")
ecart = round(100 * np.mean(np.abs(cible - auteur) > 50))
figures.points(
    {"une évaluation": (auteur.ravel(), cible.ravel())},
    f"Dans {ecart} % des évaluations, les deux réseaux sont à plus de 50 pas l'un de l'autre",
    ("retour du réseau qui apprend (pas)", "retour du réseau cible (pas)"),
    identity=True,
)

# %% [markdown]
# Aucun des deux n'est toujours le meilleur ; mais on ne sait plus de qui l'on parle. Le document ne joue d'ailleurs
# qu'**un** épisode de test sur 1 024, et affiche « Test episode » pour trois autres, qui sont des épisodes
# d'entraînement. Cherchez-les dans sa boucle : `i_episode & 255` d'un côté, `i_episode & 1023` de l'autre. Le carnet
# suivant dira combien d'épisodes il faudrait.

# %% [markdown]
# ## 7. Rien n'est reproductible
#
# Le document ne fixe aucune graine. Lançons-le deux fois tel quel, puis deux fois avec la graine 1.


# %%
def premieres_durees(graine):
    boucle = version1.train(seed=graine, verbose=False)
    return [next(boucle).length for _ in range(8)]


# %% tags=["nbval-ignore-output"]
for graine in (None, None, 1, 1):
    print("graine", graine, ":", premieres_durees(graine))

# %% [markdown]
# Sans graine, on ne sait jamais si une correction a servi ou si le tirage était meilleur. Voici toutes les
# fautes que nous avons trouvées : comparez avec votre liste de la section 1.
#
# | Faute (* : dans `DQNN`, hors de la boucle) | Ce qu'elle fait | Réparation |
# |:---|:---|:---|
# | 1. une mise à jour par épisode | mieux l'agent joue, moins il apprend par pas | une mise à jour tous les k pas |
# | 2. copies comptées en épisodes* | mieux l'agent joue, plus sa cible est vieille | une copie tous les k pas |
# | 3. taux d'apprentissage qui s'éteint* | corrections minuscules, que l'agent sache jouer ou non | constant |
# | 4. chronomètre pris pour une chute | les états sûrs passent pour dangereux | `terminated` seul coupe l'amorçage |
# | 5. $\gamma = 1$* | une erreur se propage sans s'atténuer | $\gamma < 1$ |
# | 6. cible tirée à part* | premières cibles venues d'un réseau étranger | copier à la construction |
# | 7. premiers lots trop courts | premières mises à jour sur quelques exemples voisins | attendre `warmup` transitions |
# | 8. évaluation du réseau cible, sur un épisode | on mesure du hasard, sur un autre joueur | `evaluate`, cent départs neufs |
# | 9. aucune graine | rien ne se refait | un générateur par usage |
# | 10. graphe de gradient construit pour agir | aussitôt jeté | `torch.no_grad()` |
# | 11. `env.close()` hors d'un `finally` | la fenêtre reste ouverte après un arrêt | `try … finally` |
#
# Les sept premières peuvent changer ce que l'agent apprend. **Laquelle compte le plus ?** L'étude archivée a
# entraîné trente graines sur cinquante mille pas, avec les valeurs imprimées : rien de réparé, tout, une seule
# faute, toutes sauf une.
#
# > **À vous.** Laquelle rapporterait le plus, réparée seule ? Et réparée la dernière, quand les autres le sont déjà ?

# %%
fautes = load_study("../etudes/fautes_version1.csv")
SECONDE_MOITIE = [str(pas) for pas in range(27_500, 50_001, 2_500)]
NOMS = [nom[9:] for nom in dict.fromkeys(fautes["reglage"]) if nom.startswith("gardée : ")]


def retour(reglage):
    """Le retour moyen de chaque graine dans la seconde moitié du budget : (graines,)."""
    lignes = fautes["reglage"] == reglage
    return np.mean([fautes[pas][lignes] for pas in SECONDE_MOITIE], axis=0)


# %%
seule = {nom: retour(f"réparée : {nom}") - retour("aucune réparée") for nom in NOMS}
derniere = {nom: retour("toutes réparées") - retour(f"gardée : {nom}") for nom in NOMS}
pire = max(NOMS, key=lambda nom: derniere[nom].mean())
for reglage in ("aucune réparée", f"gardée : {pire}", "toutes réparées"):
    print(f"{reglage} : {retour(reglage).mean():.0f} pas en moyenne")

# %% [markdown]
# D'un réglage à l'autre, une graine garde ses poids initiaux et ses départs : les écarts se prennent graine par
# graine. Les intervalles sont élargis : il y a au plus une chance sur vingt que l'un des quatorze se trompe ; la
# correction de Holm, plus bas, donne la même assurance pour les quatorze tests.


# %%
def elargis(ecarts):
    """Pour chaque faute, l'écart moyen et son intervalle, élargi pour quatorze comparaisons."""
    bornes = {nom: paired_interval(e, confidence=1 - 0.05 / 14) for nom, e in ecarts.items()}
    return {nom: (ecarts[nom].mean(), *bornes[nom]) for nom in ecarts}


titre = f"La plus chère, « {pire} » : {seule[pire].mean():.0f} pas gagnés à la réparer"
figures.intervals(
    {
        "réparée seule : gain (pas)": elargis(seule),
        "réparée en dernier : gain (pas)": elargis(derniere),
    },
    f"{titre} seule, {derniere[pire].mean():.0f} en dernier",
)

# %%
tous = np.array([*seule.values(), *derniere.values()]).T  # (graines, comparaisons)
sures = holm(paired_p_value(tous)) < 0.05
manque = smallest_effect(tous)[~sures].max()
changees = np.sum(seule["chronomètre pris pour une chute"] != 0)

# %%
print(f"comparaisons sûres, après la correction de Holm : {sures.sum()} sur {len(sures)}")
print(f"ailleurs, un effet de moins de {manque:.0f} pas a pu nous échapper")
print(
    f"réparer le seul chronomètre n'a rien changé à {len(tous) - changees} graines sur {len(tous)}"
)

# %% [markdown]
# Le taux d'apprentissage d'abord : réparez les six autres fautes sans lui, et l'agent reste où le document l'a
# laissé. La mise à jour par épisode vient après, et ne se voit qu'une fois le taux constant : une faute peut en
# cacher une autre, et l'ordre des réparations décide de ce que chacune semble rapporter.
#
# Pour les cinq autres, nous ne savons pas : un effet plus petit que le nombre imprimé a pu nous échapper. Du
# chronomètre, l'étude ne dit rien : il ne coupe ici presque aucun épisode ; le carnet 10 le juge sur des agents qui
# tiennent. (Réparés seuls, le chronomètre et la mise à jour ont un intervalle peu sûr : une à trois graines y font tout
# l'écart.) Dans la suite, nous réparons tout.

# %% [markdown]
# ## 8. La boucle, récrite
#
# L'algorithme se résume à cinq verbes : **agir, avancer, mémoriser, apprendre, synchroniser**. Voici la méthode que
# le cours exécute, pour un agent comme pour soixante-quatre.

# %%
listing(Training.advance)

# %% [markdown]
# `act` choisit des actions ε-gloutonnes, avec un ε qui part de 1 et descend ; `is_time_to_learn` attend
# que la mémoire contienne `warmup` transitions. `remember` y range `terminated` ; `truncated` ne lui sert
# qu'avec la cible à plusieurs pas du carnet 08.
#
# Cette méthode ne trace rien, n'affiche rien, ne sauvegarde rien : elle fait un tour, et dit dans un `Step` ce qui
# s'y est passé. Qui veut une courbe, une barre, un arrêt, l'écrit **dehors**, dans sa propre boucle. Apprendre et
# synchroniser demandent quelques lignes.

# %%
listing(Training.learn, Training.synchronise)

# %% [markdown]
# On y reconnaît le carnet 04 : la cible, que `_target` calcule sans gradient ; la perte ; un pas d'Adam. Puis la
# synchronisation rapproche un peu le réseau cible du réseau principal à chaque mise à jour, au lieu de recopier
# celui-ci de loin en loin ; `_average`, une moyenne des poids, est le réseau avec lequel joue l'agent que rend
# l'entraînement (le carnet 08 dira pourquoi). Faisons un tour à la main.

# %%
entrainement = Training(QUICK, seeds=0)
tour = entrainement.advance()
for nom in ("observation", "action", "terminated", "truncated", "next_observation", "loss"):
    print(f"{nom:17}", getattr(tour, nom).shape)

# %% [markdown]
# Un agent, seize chariots, quatre nombres chacun. La première dimension compte les agents : en entraîner
# huit n'ajoute pas une ligne au code. Lançons-en huit, en direct. `Screen` réserve une place où la figure
# se redessine au fur et à mesure ; arrêtez quand vous voulez, rien ne sera perdu.
#
# > **À vous.** La configuration `QUICK` fait une mise à jour tous les seize pas de jeu. À quel moment la
# > plupart des huit agents atteindront-ils 475 ?

# %% tags=["nbval-ignore-output"]
groupe, ecran = Training(QUICK, seeds=range(8)), Screen()
instants, mesures, souvenirs = [], [], {}
for tour in follow(groupe.run(), QUICK.total_steps):
    if tour.env_steps % 800 == 0:
        instants.append(tour.env_steps)
        mesures.append(evaluate(groupe.agent, episodes=20).mean(axis=1))
        reussis = np.sum(mesures[-1] >= 475)
        titre = f"Après {number(tour.env_steps)} pas, {reussis} agents sur 8 atteignent 475"
        ecran.show(figures.learning_curves(np.array(instants), np.array(mesures).T, titre))
    if tour.env_steps in (1_600, 9_600):
        souvenirs[f"à {number(tour.env_steps)} pas"] = groupe.memory.sample(512).observation

# %% [markdown]
# Le même budget qu'à la section 1, et un tout autre résultat. Une part en revient aux deux coups de pouce
# du carnet 00, la symétrie et l'échelle des entrées ; la section 9 se passera du premier.
#
# Comme la boucle rend la main à chaque tour, nous en avons profité pour regarder dans les mémoires des
# huit agents, tôt et tard.

# %% tags=["nbval-ignore-output"]
contenu = {nom: etats.reshape(-1, 4) for nom, etats in souvenirs.items()}
tot, tard = (np.mean(np.abs(etats[:, 2]) > np.radians(6)) for etats in contenu.values())
titre = f"Les états à plus de 6° passent de {100 * tot:.0f} à {100 * tard:.0f} % de la mémoire"
figures.memory_maps(contenu, titre)

# %% [markdown]
# Au début, la mémoire montre la tige dans tous ses états. (Les bandes du premier panneau ne sont pas un défaut :
# près de l'équilibre, chaque poussée change la vitesse angulaire de la même quantité, à peu de chose près.) Puis
# l'agent joue bien, et ses souvenirs se serrent autour de l'équilibre. Rien n'est encore effacé, car la mémoire a
# de la place ; mais les dangers y pèsent de moins en moins, et sortent plus rarement dans les lots. Gardez cette
# image : nous la retrouverons quand nous chercherons pourquoi un agent oublie.

# %% [markdown]
# ### Un panneau pour essayer
#
# Une boucle qui rend la main se conduit aussi à la souris. Ce panneau appelle `Training.advance` dans un fil
# d'exécution à part : mêmes tours, même agent que `train` pour la même graine, et le carnet reste libre
# pendant ce temps. Nous y avons fait un premier essai de `QUICK`, auquel comparer les vôtres.

# %% tags=["nbval-ignore-output"]
tableau = panel(QUICK)
tableau.start()
tableau.wait()
tableau

# %% [markdown]
# Quatre graphiques. Le **retour** montre deux choses : les points, vingt épisodes joués sans hasard à chaque
# vingtième de l'entraînement ; le trait gris, ce que l'agent obtient en jouant, hasard compris. La **perte**
# et **ε**, vous les connaissez. $Q(s_0)$ est ce que l'agent s'attend à gagner quand la tige est
# droite et immobile ; la ligne pointillée est un plafond, $1/(1-\gamma)$, qu'aucune somme actualisée de
# récompenses ne dépasse.
#
# > **À vous.** Dans « Explorer », mettez « ε à l'arrivée » à 1 : l'agent jouera toujours au hasard, et ne tiendra
# > jamais longtemps. Que fera son retour **sans hasard** ? Pariez, puis appuyez sur « Démarrer ».
#
# <details><summary>Que faut-il observer ?</summary>
#
# Le trait gris reste au sol, et les points montent quand même, par à-coups : à voir tomber la tige de cent
# façons, l'agent apprend ce qu'il faudrait faire. Le DQN est dit **hors politique** (*off-policy*) : il
# apprend la valeur du meilleur choix, quel que soit celui que l'on a fait.
#
# </details>
#
# Revenez à `QUICK` et mettez « actualisation γ » à 0 : la cible n'est plus que la récompense du pas, qui vaut
# toujours 1, quelle que soit l'action. Que voulez-vous que l'agent préfère ?
#
# La cadence « 50 tours par seconde » montre le chariot en temps réel. Tout ce que vous réglez s'écrit en une
# ligne de Python, et l'agent du dernier essai vous attend dans la cellule suivante.

# %% tags=["nbval-ignore-output"]
dernier = evaluate(tableau.agent, episodes=100, seed=5)
print(f"{len(tableau.history.episode_return)} épisodes d'entraînement ;")
print(f"sur cent départs neufs, l'agent tient {dernier.mean():.0f} pas en moyenne")

# %% [markdown]
# Cet agent est celui de la graine 0 dans le groupe de huit, jugé quatre cents pas plus tard que dans le titre de la
# figure de ce groupe : tant que les poids bougent, un tel titre dépend de l'instant où l'on s'arrête.
#
# ## 9. Un DQN complet sur une page
#
# Le moteur du cours entraîne des groupes, reprend après un arrêt, se laisse régler. Pour comprendre, un
# texte plus court vaut mieux. Voici un DQN entier : un agent, un environnement, rien d'autre. Les règles sont celles du
# carnet 04, la mémoire est celle du carnet 03.

# %%
listing(one_page)

# %% [markdown]
# Relisez la fonction `train` : **agir, avancer, mémoriser, apprendre**, et la synchronisation dans
# `learn`. Elle s'arrête d'elle-même quand une évaluation atteint 490.
#
# > **À vous.** Deux lignes distinguent la chute de la troncature, et aucune ne dit `done` : lesquelles ? Et une
# > faute du tableau de la section 7 est restée, sans gravité ici : laquelle ?
#
# <details><summary>Réponse</summary>
#
# `memory.add(observation, action, reward, terminated, successor)` ne range que `terminated` ; et
# `env.reset()` est appelé `if terminated or truncated`. Les deux drapeaux servent donc, chacun à sa
# place : l'un pour l'avenir, l'autre pour recommencer. La faute qui reste est `env.close()`, hors d'un
# `finally` ; sans fenêtre à fermer, la page économise deux lignes et n'y perd rien.
#
# </details>

# %% tags=["nbval-ignore-output"]
with waiting("Apprentissage"):
    politique, pas_joues = one_page.train(seed=0)
juges = evaluate(politique, episodes=1_000, seed=12_345)
jugement = number(juges.mean(), 1)
print(f"{number(pas_joues)} pas de jeu ; retour moyen sur 1 000 départs : {jugement}")

# %% [markdown]
# Une graine ne prouve rien. En voici vingt, jugées chacune sur mille départs qui n'ont servi à rien
# d'autre.

# %%
page = load_study("../etudes/une_page.csv")
reussies = int(np.sum(page["retour"] >= 475))
bas, haut = (round(100 * borne) for borne in exact_interval(reussies, len(page["retour"])))
figures.points(
    {"une graine": (page["pas"], page["retour"])},
    f"{reussies} graines sur {len(page['pas'])} atteignent 475 "
    f"(intervalle exact : {bas} à {haut} %)",
    ("pas de jeu avant l'arrêt", "retour moyen sur 1 000 départs neufs (pas)"),
)

# %% [markdown]
# Une page suffit, si elle sait s'arrêter : la première évaluation à 490 ou plus met fin à l'entraînement, et seule
# l'attente change d'une graine à l'autre. Le carnet 15 écrit un programme presque pareil, sans cet arrêt : à budget
# fixe, ses graines n'y arrivent pas toutes. L'axe vertical ne montre que le haut de l'échelle.
#
# ## 10. Du document au cours
#
# Chaque nom du document fondateur a son successeur. Ce tableau permet de relire l'un à la lumière de l'autre.
#
# | Document | Cours | Ce qui change |
# |:---|:---|:---|
# | `carray`, `Buffer` | `ReplayBuffer` | toute capacité, tirage sans permutation, `terminated` |
# | `Buffer.push`, `Buffer.sample` | `ReplayBuffer.add`, `ReplayBuffer.sample` | un lot trop grand est refusé |
# | `NN` | `Config.hidden`, `Config.activation` | l'architecture est un réglage |
# | `DQNN` | `Training`, `Agent` | apprendre d'un côté, jouer de l'autre |
# | `DQNN.forward`, `DQNN.eval_dqn` | `Agent.q_values`, `Agent` | le réseau qui apprend, ou sa moyenne |
# | `DQNN.train_dqn` | `td_target`, `td_loss` | des règles pures, vérifiables à la main |
# | `DQNN.target_switch` | `Config.target_period`, `Config.target_rate` | le réseau cible part d'une copie |
# | `lr`, `lr_decay`, `min_lr` | `Config.learning_rate`, `Config.learning_rate_decay`, `Config.learning_rate_floor` | constant, sauf si on le demande |
# | `discount` | `Config.gamma` | inférieur à 1 |
# | `itermax` | `Config.target_period` | un versement partiel remplace la copie |
# | `eps`, `choose_action` | `Config.epsilon`, `epsilon_greedy` | part de 1, décroît, puis se fixe |
# | `train` | `train`, `Training.run` | rend la main à chaque tour |
# | `test` | `evaluate`, `play` | des graines, un compte, une moyenne |
# | `torch.save`, `DQNN.load_model` | `save`, `load` | sans pickle, avec la configuration |
# | `except KeyboardInterrupt` | `follow` | garde ce qui est appris |

# %% [markdown]
# ## 11. À vous
#
# **Exercice 1, à calculer (5 minutes).** Avec les valeurs de l'auteur (départ $10^{-3{,}5}$, facteur 0,9999,
# plancher $10^{-5}$), à quel épisode le plancher est-il atteint ?
#
# <details><summary>Solution</summary>
#
# On cherche $n$ tel que $10^{-3{,}5} \times 0{,}9999^n = 10^{-5}$, donc
# $n = 1{,}5 \ln 10 / (-\ln 0{,}9999) \approx 34\,537$. Pour le vérifier, appelez la fonction de la
# section 4, `taux_d_apprentissage(35_000, **AUTEUR)`, et cherchez le premier taux qui ne dépasse pas `1e-5`.
#
# </details>

# %% [markdown]
# **Exercice 2, à écrire (15 minutes).** Écrivez trois règles de la boucle, deux lignes chacune. D'abord ε : il
# descend en ligne droite de `depart` à `arrivee` en `duree` pas, puis n'en bouge plus.


# %%
def epsilon(pas, depart, arrivee, duree):
    """Rend la probabilité d'explorer après `pas` pas de jeu."""
    ...


check(epsilon)

# %% [markdown]
# Puis les deux fins de la section 5 : que ranger dans la mémoire, et quand commencer un nouvel épisode ? Les
# deux drapeaux peuvent être vrais ensemble, si la tige tombe au dernier pas.


# %%
def fin_et_reprise(terminated, truncated):
    """Rend deux booléens : la fin à mémoriser, et s'il faut recommencer un épisode."""
    ...


check(fin_et_reprise)

# %% [markdown]
# Enfin, la synchronisation : chaque poids du réseau cible fait vers le réseau principal une part `taux` du
# chemin. Rendez de nouveaux poids, sans toucher à ceux que l'on vous donne.


# %%
def rapprocher(cible, en_ligne, taux):
    """Rend les poids du réseau cible, rapprochés de ceux du réseau principal : même forme."""
    ...


check(rapprocher)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Pour ε, calculez la part du chemin parcouru, `pas / duree`, et bornez-la à 1. Pour les fins, une seule des
# deux réponses est « l'un ou l'autre ». Pour la synchronisation, le chemin est `en_ligne - cible`.
#
# </details>

# %%
show("epsilon")

# %%
show("fin_et_reprise")

# %%
show("rapprocher")

# %% [markdown]
# **Exercice 3, à écrire (10 minutes).** Écrivez maintenant le rythme. À chaque pas, la boucle se pose deux
# questions : est-ce le moment d'apprendre ? Est-ce celui de recopier le réseau cible ? Ici, on apprend tous les
# `apprendre_tous_les` pas, à condition que la mémoire ait de quoi remplir un lot ; on copie tous les
# `copier_tous_les` pas, quoi qu'il arrive : tant que rien n'est appris, la copie égale déjà l'original.


# %%
def calendrier(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    """Rend deux booléens : s'il faut apprendre au pas numéro `pas`, et s'il faut copier.

    `pas` part de 1 ; `souvenirs` : les transitions en mémoire ; `lot` : combien il en faut.
    """
    ...


check(calendrier)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `pas % n` vaut 0 un pas sur `n`. Chaque réponse a sa ligne ; celle de la copie ne parle pas de la mémoire.
#
# </details>

# %%
show("calendrier")

# %% [markdown]
# **Exercice 4, à écrire (15 minutes).** Jouer, et garder ce qui est arrivé : c'est la moitié de la boucle, et celle où
# les fautes se cachent le mieux. Écrivez-la pour un environnement de Gymnasium. Trois pièges : que ranger dans `suivante`
# quand l'épisode finit, quand recommencer, et combien de fois donner la graine à `reset`.


# %%
def jouer(politique, env, pas, graine):
    """Joue `pas` pas dans `env`, d'un épisode à l'autre ; rend la liste de leurs transitions.

    Chacune est un tuple `(observation, action, recompense, terminated, suivante)`, où `suivante`
    est l'état où l'action a mené, même à la fin d'un épisode. `politique` reçoit des observations
    (N, 4) et rend des actions (N,). `graine` suffit à tout refaire ; les départs diffèrent.
    """
    ...


check(jouer)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Avant la boucle : `observation, _ = env.reset(seed=graine)`. Dans la boucle, quatre gestes, dans cet ordre :
# choisir (`politique(observation[None])[0]`), avancer, ranger, puis l'observation devient la suivante, ou celle que
# rend `env.reset()` si l'épisode est fini.
#
# </details>

# %%
show("jouer")

# %% [markdown]
# Quand les exercices 3 et 4 sont cochés, votre calendrier et vos transitions suffisent à apprendre. L'agent
# ci-dessous ne joue jamais : il regarde cinq mille pas joués à pile ou face, et en tire sa leçon selon votre
# calendrier.
#
# > **À vous.** Le carnet 01 a mesuré combien de pas tient le hasard. Combien en tiendra cet agent, qui n'a rien vu
# > d'autre ?


# %%
def apprendre_de(lot, en_ligne, cible, optimiseur):
    """Fait un pas d'Adam sur un lot, avec la cible et la perte du carnet 04."""
    observation, action, recompense, terminated, suivante = map(torch.from_numpy, lot)
    with torch.no_grad():
        but = td_target(recompense, terminated, cible(suivante), 0.98)
    optimiseur.zero_grad()
    td_loss(en_ligne(observation), action, but).backward()
    optimiseur.step()


# %%
def spectateur(transitions, graine):
    """Rend la politique apprise en regardant ces transitions, une à une, dans l'ordre."""
    torch.manual_seed(graine)
    en_ligne = one_page.QNetwork()
    cible = deepcopy(en_ligne)
    optimiseur, memoire = torch.optim.Adam(en_ligne.parameters(), 1e-3), ReplayBuffer(5_000)
    for pas, transition in enumerate(transitions, start=1):
        memoire.add(*transition)
        apprendre, copier = calendrier(pas, len(memoire), 64, 2, 200)
        if apprendre:
            apprendre_de(memoire.sample(64), en_ligne, cible, optimiseur)
        if copier:
            cible.load_state_dict(en_ligne.state_dict())
    return one_page.greedy(en_ligne)


# %% tags=["nbval-ignore-output"]
import gymnasium as gym

from cartpole_helpers.policies import random_policy

if check(calendrier).passed and check(jouer).passed:
    with gym.make("CartPole-v1") as env:
        regardees = jouer(random_policy(seed=0), env, 5_000, graine=0)
    print("chutes regardées :", sum(transition[3] for transition in regardees))
    appris = evaluate(spectateur(regardees, graine=0))
    print(f"retour moyen de l'agent : {appris.mean():.0f} pas")

# %% [markdown]
# **Exercice 5, à écrire (10 minutes).** La boucle ci-dessous s'arrête quand son budget est épuisé. Faites-la
# s'arrêter plus tôt : dès que **deux évaluations de suite** atteignent 475. Pourquoi deux ?

# %% tags=["nbval-ignore-output"]
essai = Training(QUICK, seeds=3)
for tour in essai.run():
    if tour.env_steps % 400 == 0:
        retour = evaluate(essai.agent, episodes=30).mean()
        # Votre code ici.
print(f"arrêté après {number(essai.env_steps)} pas, dernière évaluation : {retour:.0f}")

# %% [markdown]
# <details><summary>Solution</summary>
#
# Avant la boucle, `de_suite = 0`. Sous l'évaluation,
# `de_suite = de_suite + 1 if retour >= 475 else 0`, puis `if de_suite == 2: break`. Une seule évaluation
# de trente épisodes peut être un coup de chance, ou un sommet d'où l'agent retombe aussitôt.
#
# </details>
#
# ## Ce que ce carnet ne montre pas
#
# L'étude des fautes s'arrête à cinquante mille pas et ne part que des valeurs imprimées : plus tard, ou à d'autres
# rythmes, l'ordre peut être différent. Et nous avons jugé nos agents un peu vite, sur vingt ou trente épisodes.

# %% [markdown]
# ## Testez-vous
#
# **1.** Une boucle conduit seize chariots et fait une mise à jour par tour. On passe à soixante-quatre chariots
# sans toucher au reste, ni au budget de 9 600 pas de jeu. L'agent apprend moins bien. Quelle est la première
# explication à examiner ?
#
# - **A.** Il fait quatre fois moins de mises à jour.
# - **B.** Sa mémoire se remplit quatre fois plus : les vieux souvenirs sont chassés.
# - **C.** Ses lots mêlent trop d'épisodes différents.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✔ Un tour fait maintenant 64 pas de jeu : $9\,600 / 64 = 150$ mises à jour, au lieu de $9\,600 / 16 = 600$. Le
# rythme, que personne n'a décidé de changer, a changé.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ Chaque tour range bien quatre fois plus de transitions ; mais il y a quatre fois moins de tours, et la mémoire en
# reçoit 9 600 dans les deux cas.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ Des épisodes différents, le carnet 03 les réclamait.
#
# </details>
#
# **2.** On ramène la limite de 500 à 100 pas, et la mémoire range toujours le chronomètre comme une chute. Une
# transition sur cent porte cette fausse fin. Avec $\gamma = 0{,}99$, que vaut un état d'où l'on ne tombe jamais,
# quand les valeurs se sont propagées ?
#
# - **A.** 100 : la tige ne tombe pas.
# - **B.** 99 : une transition sur cent y perd sa suite.
# - **C.** 50, à peu près.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ C'est oublier les fausses fins : sans elles, la valeur serait bien $1/(1 - 0{,}99) = 100$.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✘ C'est ne compter la perte qu'une fois, sur le premier pas ; or la suite est elle-même faite de valeurs déjà
# rabaissées, et ainsi de suite.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✔ La valeur vérifie $V = 1 + 0{,}99 \times 0{,}99\, V$ : un pour le pas, puis la suite, actualisée, que l'on perd
# une fois sur cent. D'où $V = 1/(1 - 0{,}9801) \approx 50$.
#
# </details>
#
# **3.** Un agent médiocre, qui ne progresse pas, atteint 475 par chance à une évaluation sur cent. On l'évalue deux
# cents fois pendant son entraînement. Avec quelle probabilité pourra-t-on écrire « il a atteint 475 » ?
#
# - **A.** 1 %, la même à chaque évaluation.
# - **B.** 87 %, environ.
# - **C.** 2 %, puisqu'il y a deux fois cent évaluations.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ Ce nombre vaut pour **une** évaluation, choisie d'avance.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✔ La probabilité de rater toutes les évaluations est $0{,}99^{200} \approx 0{,}13$ ; celle d'en réussir au moins
# une, 87 %. Voilà pourquoi « a atteint un jour » est une mesure si généreuse, et pourquoi il faut aussi demander ce
# qui reste à la fin.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ En deux cents évaluations, on attend déjà deux réussites en moyenne : 2 % est bien trop peu.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. La boucle, c'est **agir, avancer, mémoriser, apprendre, synchroniser** ; elle rend la main, et tout le
#    reste se fait dehors.
# 2. Le **rythme** fait partie de l'algorithme. Compté en épisodes, il change à mesure que l'agent progresse, et
#    personne ne l'a décidé.
# 3. Un DQN complet s'écrit en **une page**, et se juge sur **beaucoup de graines**.
#
# Au prochain carnet, nous apprendrons à juger : [07 · La boucle de test](07_la_boucle_de_test.ipynb).
