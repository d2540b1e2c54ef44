# %% [markdown]
# # 05 · La boucle d'entraînement
#
# **La question.** Nous avons une mémoire, un réseau, une cible et une perte. Dans quel ordre et à quel
# rythme les faire travailler ? C'est la boucle qui en décide, et c'est là que se cachent les fautes
# les plus coûteuses : celles qui laissent le programme tourner.
#
# C'est la section *Boucle d'entraînement* du document fondateur. Nous l'exécutons à la lettre, nous
# mesurons ce que coûte chacun de ses choix, puis nous écrivons une boucle qui se lit comme
# l'algorithme. Le carnet finit par un DQN complet sur une page, et par la table qui mène des noms du
# document à ceux du cours.
#
# *Comptez une heure de lecture ; le carnet s'exécute en une à deux minutes.*

# %%
import numpy as np
import torch

from cartpole_helpers import (
    QUICK,
    Training,
    evaluate,
    load_study,
    one_page,
    td_target,
    version1,
    wilson_interval,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.live import Screen, follow

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
# Pour qu'elle tourne, il a fallu décommenter la construction de `dqnn`, écrire `NN` et `choose_action`,
# que le document nomme sans les donner, et suivre l'API d'aujourd'hui : `reset` rend deux valeurs,
# `step` en rend cinq. Les paramètres après l'étoile sont les nôtres ; `seed=None` laisse tout au
# hasard, comme dans le document.
#
# Le `yield` est de nous aussi : à la fin de chaque épisode, la boucle nous rend la main, et nous
# regardons. Une barre montre où l'on en est. Le bouton d'arrêt de Jupyter (■) laisse finir l'épisode en cours
# et garde tout ; le document, lui, affiche `exit` et perd le réseau.

# %% tags=["nbval-ignore-output"]
BUDGET = 10_000
episodes = []
for progres in follow(version1.train(seed=0, verbose=False), BUDGET):
    episodes.append(progres)

# %% [markdown]
# Dix mille pas, soit deux cents secondes de jeu. Un DQN bien fait y suffit parfois à résoudre CartPole. Où en
# est celui-ci ?

# %% tags=["nbval-ignore-output"]
durees = np.array([progres.length for progres in episodes])
pas = np.array([progres.env_steps for progres in episodes])
debut, fin = (round(bout.mean()) for bout in (durees[:100], durees[-100:]))
figures.points(
    {"un épisode": (pas, durees)},
    f"En {len(durees)} épisodes, la durée moyenne de cent épisodes passe de {debut} à {fin} pas",
    ("pas de jeu depuis le début", "durée de l'épisode (pas)"),
)

# %% [markdown]
# Presque rien. Peut-être faut-il seulement attendre ; peut-être cette graine est-elle malchanceuse. Une
# seule courbe ne tranche aucune des deux questions.
#
# ## 2. Ce qu'elle atteint, sur toutes les graines
#
# Nous avons donc attendu : deux millions de pas par graine, avec les valeurs imprimées dans le document, puis avec
# celles que son auteur emploie dans un script publié plus tard. Deux heures de calcul, faites une fois
# pour toutes ; cette ligne en lit l'archive.
#
# > **À vous.** Combien de graines sur vingt, croyez-vous, atteindront 475 avec les valeurs imprimées ?

# %%
etude = load_study("../etudes/version1.csv")


# %% [markdown]
# Chaque ligne de l'archive est une évaluation : cent épisodes joués sans exploration, tous les dix mille
# pas. On la range par graine.


# %%
def par_graine(reglage, colonne):
    """Les valeurs d'une colonne de l'archive, une ligne par graine."""
    lignes = etude["reglage"] == reglage
    graines = np.unique(etude["graine"][lignes])
    return np.array([etude[colonne][lignes & (etude["graine"] == graine)] for graine in graines])


retours = {
    "valeurs imprimées": par_graine("document", "en_ligne"),
    "valeurs de l'auteur": par_graine("auteur", "en_ligne"),
}

# %%
abscisses = 10_000 * np.arange(1, 1 + len(retours["valeurs imprimées"][0]))
atteint = {nom: np.any(valeurs >= 475, axis=1).sum() for nom, valeurs in retours.items()}
constat = " ; ".join(f"{nom}, {n} graines sur {len(retours[nom])}" for nom, n in atteint.items())
figures.learning_curves(abscisses, retours, f"Atteignent 475 au moins une fois : {constat}")

# %% [markdown]
# La moyenne interquartile reste loin du seuil dans les deux cas. Le second réglage fait mieux, parce que son pas
# d'apprentissage ne s'éteint pas si vite ; nous allons le voir. Combien de temps faut-il aux graines qui
# y arrivent, et le restent-elles ?

# %%
for nom, valeurs in retours.items():
    reussite = valeurs >= 475
    premiers = sorted(abscisses[np.argmax(ligne)] for ligne in reussite if ligne.any())
    bas, haut = (round(100 * borne) for borne in wilson_interval(atteint[nom], len(valeurs)))
    print(f"{nom} : {bas} à {haut} % des graines y arrivent (intervalle à 95 %)")
    print("   la première fois, en pas :", ", ".join(map(figures.number, premiers)) or "jamais")
    print(f"   encore ≥ 475 à la fin : {reussite[:, -1].sum()} sur {len(valeurs)}")

# %% [markdown]
# Il faut, le plus souvent, des centaines de milliers de pas ; et réussir un jour n'est pas savoir.
# Regardons une à une les graines du second réglage.

# %%
auteur = retours["valeurs de l'auteur"]
meilleurs = auteur.max(axis=1)
chutes = np.sum(meilleurs - auteur[:, -1] > 100)
figures.learning_curves(
    abscisses, auteur, f"{chutes} graines sur {len(auteur)} finissent 100 pas sous leur meilleur"
)

# %% [markdown]
# Chaque trait fin monte, retombe, remonte. Ce programme n'est pas absurde : il apprend. Mais il apprend très
# lentement, une fois sur deux environ, et sans garder ce qu'il a appris. C'est le pire des bogues :
# celui qui ressemble à un mauvais réglage. Cherchons-en les causes une à une, en mesurant.

# %% [markdown]
# ## 3. Une mise à jour par épisode
#
# Dans la boucle, l'appel à `train_dqn` est sous `if done`. L'agent apprend donc une fois par **épisode**,
# jamais par pas.
#
# > **À vous.** Au début, un épisode dure une dizaine de pas. Quand l'agent saura jouer, il en durera
# > cinq cents. Que devient le rythme de l'apprentissage ?

# %%
nouvelles = np.diff(par_graine("auteur", "episodes"))
rythmes = 1_000 * nouvelles / np.diff(par_graine("auteur", "pas"))
jeu = (auteur[:, 1:] + auteur[:, :-1]) / 2
lent = np.median(rythmes[jeu > 300])
rapide = np.median(rythmes[jeu < 30])
figures.points(
    {"dix mille pas d'une graine": (jeu.ravel(), rythmes.ravel())},
    f"L'agent qui joue bien apprend {rapide / lent:.0f} fois moins que celui qui joue mal",
    ("retour moyen de la politique (pas)", "mises à jour par 1 000 pas de jeu"),
)

# %% [markdown]
# C'est à l'envers : plus il y a à apprendre, moins il apprend. Un DQN ordinaire fait une mise à jour
# par pas, ou tous les quelques pas, sans regarder où finissent les épisodes.
#
# Ces mises à jour rares sont, en outre, les plus mauvaises au début : tant que la mémoire contient moins de 256 transitions, le
# lot est plus court que demandé. Combien de mises à jour en sont touchées ?

# %%
courts = np.cumsum(durees) < 256
print("mises à jour faites sur un lot trop court :", courts.sum())
print("taille des cinq premiers lots :", np.cumsum(durees)[:5])

# %% [markdown]
# ## 4. Un pas d'apprentissage qui s'éteint
#
# Après chaque mise à jour, le document multiplie le pas d'apprentissage par `lr_decay`, jusqu'à un plancher cent
# fois plus bas. Suivons l'ordonnanceur lui-même, sans rien entraîner.


# %%
def pas_d_apprentissage(episodes, **reglage):
    """Le pas d'apprentissage du document à chaque épisode."""
    dqnn = version1.DQNN(version1.NN, **reglage)
    dqnn.optimizer.step()
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
    "valeurs imprimées": pas_d_apprentissage(len(numeros)),
    "valeurs de l'auteur": pas_d_apprentissage(len(numeros), **AUTEUR),
}
plancher = 1 + np.argmax(suites["valeurs imprimées"] <= 3e-6)
figures.curves(
    numeros,
    suites,
    f"À l'épisode {figures.number(plancher)}, le document n'apprend presque plus",
    ("épisode", "pas d'apprentissage d'Adam"),
    log="y",
)

# %% [markdown]
# L'ordonnanceur compte les **épisodes**, qui au début sont courts. Combien de pas de jeu l'agent a-t-il vus quand
# son pas d'apprentissage touche le fond ? L'archive le dit.

# %%
vus = [
    pas[np.argmax(numero >= plancher)]
    for numero, pas in zip(
        par_graine("document", "episodes"), par_graine("document", "pas"), strict=True
    )
]
print("pas de jeu vus au plancher, médiane :", figures.number(np.median(vus)))
print(f"part du budget jouée au plancher : {100 * (1 - np.median(vus) / 2e6):.0f} %")

# %% [markdown]
# Presque toute l'expérience est faite avec un pas d'apprentissage cent fois trop petit, que l'agent ait appris ou
# non. Les valeurs de l'auteur décroissent dix fois moins vite : c'est l'essentiel de leur avantage.
#
# > **Attention.** Un ordonnanceur éteint un algorithme aussi sûrement qu'un bogue. Tracez toujours le pas
# > d'apprentissage en fonction de ce que vous payez, ici les pas de jeu.

# %% [markdown]
# ## 5. Le chronomètre pris pour une chute
#
# `done = terminated or truncated` : la boucle range ensemble la chute et la fin des cinq cents pas. Que
# devient alors la valeur d'un état sans danger, où une bonne politique tient toujours ? Calculons-la
# dans les deux cas, avec $\gamma = 0{,}99$. Une transition sur cinq cents est celle où le chronomètre sonne.

# %%
UNS, SUITE = torch.ones(500), torch.arange(500)
chute, chronometre = torch.zeros(500, dtype=torch.bool), SUITE == 499


def valeur(fins, gamma=0.99):
    """La valeur d'un état sûr, quand `fins` marque les transitions qui terminent."""
    v = torch.tensor(0.0)
    for _ in range(3_000):
        v = td_target(UNS, fins, v.expand(500, 2), gamma).mean()
    return v.item()


# %% [markdown]
# > **À vous.** La bonne réponse est $1 + \gamma + \gamma^2 + \dots = 1/(1-\gamma) = 100$. Que donnera
# > l'autre ? Un peu moins, ou beaucoup moins ?

# %%
print(f"seule la chute termine       : {valeur(chute):6.1f}")
print(f"le chronomètre termine aussi : {valeur(chronometre):6.1f}")

# %% [markdown]
# Une transition sur cinq cents suffit à retirer seize points à tous les états sûrs, parce que l'erreur
# se propage par amorçage à toutes les autres. L'agent ne voit pas le chronomètre : pour lui, un état
# parfaitement stable finit parfois en catastrophe, sans cause visible. Et c'est en jouant bien qu'il
# rencontre ces fausses chutes.
#
# Gymnasium donne les deux drapeaux séparément. La mémoire du cours garde `terminated`, et lui seul
# coupe l'amorçage.

# %% [markdown]
# ## 6. Un réseau cible en retard, que l'on évalue
#
# Pour jouer sans explorer, `eval_dqn` interroge le réseau **cible**, recopié tous les soixante
# épisodes. Le document montre donc un autre joueur que celui qui vient d'apprendre. L'archive a
# évalué les deux, au même instant.

# %%
cible = par_graine("auteur", "cible")
ecart = round(100 * np.mean(np.abs(cible - auteur) > 50))
figures.points(
    {"une évaluation": (auteur.ravel(), cible.ravel())},
    f"Dans {ecart} % des évaluations, les deux réseaux diffèrent de plus de 50 pas",
    ("retour du réseau qui apprend (pas)", "retour du réseau cible (pas)"),
    identity=True,
)

# %% [markdown]
# Aucun des deux n'est toujours le meilleur ; mais on ne sait plus de qui l'on parle. Le document n'en joue
# d'ailleurs qu'**un** épisode, tous les 1 024, et affiche « Test episode » pour trois autres qui
# sont des entraînements. Cherchez-les dans sa boucle : `i_episode & 255` d'un côté,
# `i_episode & 1023` de l'autre. Le carnet suivant dira combien d'épisodes il faudrait.

# %% [markdown]
# ## 7. Rien n'est refaisable
#
# Le document ne fixe aucune graine. Lançons-le deux fois comme il est, puis deux fois avec la graine 1.


# %%
def premieres_durees(graine):
    boucle = version1.train(seed=graine, verbose=False)
    return [next(boucle).length for _ in range(8)]


# %% tags=["nbval-ignore-output"]
for graine in (None, None, 1, 1):
    print("graine", graine, ":", premieres_durees(graine))

# %% [markdown]
# Sans graine, toute correction semble marcher une fois sur deux. Voici donc où nous en sommes.
#
# | Faute de la boucle | Ce qu'elle cause | Réparation |
# |:---|:---|:---|
# | une mise à jour par épisode | apprend le moins quand il y a le plus à apprendre | une mise à jour tous les k pas |
# | lots trop courts au début | premiers pas sur quelques exemples voisins | attendre `warmup` transitions |
# | pas d'apprentissage décroissant par épisode | s'éteint avant d'avoir appris | constant, ou réglé en mises à jour |
# | `done` confond chute et chronomètre | 83,5 au lieu de 100 | `terminated` seul coupe l'amorçage |
# | $\gamma = 1$ | une erreur se propage sans s'atténuer | $\gamma < 1$ |
# | cible jamais synchronisée au départ | premières cibles d'un réseau étranger | copier à la construction |
# | évalue le réseau cible, un épisode | on mesure du hasard, sur un autre joueur | `evaluate`, cent départs neufs |
# | aucune graine | rien ne se refait | un générateur par usage |
# | graphe de gradient construit pour agir | du temps perdu | `torch.no_grad()` |
# | `env.close()` hors d'un `finally` | la fenêtre reste ouverte après un arrêt | `try … finally` |
#
# Laquelle compte le plus ? Nous ne le savons pas encore : il faut les réparer une à une, sur beaucoup de
# graines. C'est tout le carnet 07. Ici, nous les réparons toutes.

# %% [markdown]
# ## 8. La boucle, récrite
#
# L'algorithme tient en cinq verbes : **agir, avancer, mémoriser, apprendre, synchroniser**. Voici la méthode que le
# cours exécute, pour un agent comme pour soixante-quatre.

# %%
listing(Training.advance)

# %% [markdown]
# Elle ne trace rien, n'affiche rien, ne sauvegarde rien : elle fait un tour, et rend un compte rendu. Qui veut
# une courbe, une barre, un arrêt, l'écrit **dehors**, dans sa propre boucle. Apprendre et synchroniser
# tiennent en quelques lignes.

# %%
listing(Training._learn, Training._synchronise)

# %% [markdown]
# On y reconnaît le carnet précédent : la cible, calculée sans gradient ; la perte ; un pas d'Adam. Puis la
# synchronisation, qui rapproche un peu la cible du réseau à chaque mise à jour, au lieu de la
# recopier de loin en loin. Faisons un tour à la main.

# %%
entrainement = Training(QUICK, seeds=0)
tour = entrainement.advance()
for nom in ("observation", "action", "terminated", "truncated", "next_observation", "loss"):
    print(f"{nom:17}", getattr(tour, nom).shape)

# %% [markdown]
# Un agent, seize chariots, quatre nombres chacun. La première longueur est celle des agents : en entraîner huit n'ajoute
# pas une ligne au code. Lançons-en huit, en direct. La courbe grandit à mesure ; arrêtez quand
# vous voulez, rien ne sera perdu.
#
# > **À vous.** La configuration `QUICK` fait une mise à jour tous les seize pas de jeu. À quel moment la
# > plupart des huit agents passeront-ils 475 ?

# %% tags=["nbval-ignore-output"]
groupe, ecran = Training(QUICK, seeds=range(8)), Screen()
instants, mesures, souvenirs = [], [], {}
for tour in follow(groupe.run(), QUICK.total_steps):
    if tour.env_steps % 800 == 0:
        instants.append(tour.env_steps)
        mesures.append(evaluate(groupe.agent, episodes=20).mean(axis=1))
        titre = f"Après {figures.number(tour.env_steps)} pas"
        ecran.show(figures.learning_curves(np.array(instants), np.array(mesures).T, titre))
    if tour.env_steps in (1_600, 9_600):
        souvenirs[f"à {figures.number(tour.env_steps)} pas"] = groupe.memory.sample(512).observation

# %% [markdown]
# Le même budget que la section 1, et un tout autre résultat. Comme la boucle rend la main à chaque tour, nous en avons
# profité pour regarder dans les mémoires des huit agents, tôt et tard.

# %% tags=["nbval-ignore-output"]
contenu = {nom: etats.reshape(-1, 4) for nom, etats in souvenirs.items()}
tot, tard = (np.mean(np.abs(etats[:, 2]) > np.radians(6)) for etats in contenu.values())
titre = f"Les états à plus de 6° passent de {100 * tot:.0f} à {100 * tard:.0f} % de la mémoire"
figures.memory_maps(contenu, titre)

# %% [markdown]
# Au début, la mémoire est pleine de chutes. Puis l'agent joue bien, et ses souvenirs se serrent autour de
# l'équilibre : il oublie peu à peu à quoi ressemble un danger. Gardez cette image, elle expliquera bien des
# rechutes.

# %% [markdown]
# ## 9. Un DQN complet sur une page
#
# Le moteur du cours entraîne des groupes, reprend après un arrêt, se laisse régler. Pour comprendre, il faut plus
# court. Voici tout un DQN, un agent, un environnement, rien d'autre : les règles sont celles du
# carnet 04, la mémoire celle du carnet 03.

# %%
listing(one_page)

# %% [markdown]
# Relisez la fonction `train` : **agir, avancer, mémoriser, apprendre**, et la synchronisation dans `learn`. Chaque faute de la
# section 7 y a sa réparation. Elle s'arrête d'elle-même quand une évaluation atteint 490.
#
# > **À vous.** Où est la ligne qui distingue la chute du chronomètre ? Il y en a deux, et aucune des deux
# > ne dit `done`.

# %% tags=["nbval-ignore-output"]
politique, pas_joues = one_page.train(seed=0)
juges = evaluate(politique, episodes=1_000, seed=12_345)
print(
    f"{figures.number(pas_joues)} pas de jeu ; retour moyen sur 1 000 départs : {juges.mean():.1f}"
)

# %% [markdown]
# Une graine ne prouve rien : en voici vingt, jugées chacune sur mille départs qui n'ont servi à rien
# d'autre.

# %%
page = load_study("../etudes/une_page.csv")
reussies = int(np.sum(page["retour"] >= 475))
bas, haut = (round(100 * borne) for borne in wilson_interval(reussies, len(page["retour"])))
figures.points(
    {"une graine": (page["pas"], page["retour"])},
    f"Une page suffit : {reussies} graines sur {len(page['retour'])} (de {bas} à {haut} %, à 95 %)",
    ("pas de jeu avant l'arrêt", "retour moyen sur 1 000 départs neufs (pas)"),
)

# %% [markdown]
# <details><summary>Réponse à la question</summary>
#
# `memory.add(observation, action, reward, terminated, successor)` ne range que `terminated` ; et
# `env.reset()` est appelé `if terminated or truncated`. Les deux drapeaux servent donc, chacun à sa
# place : l'un pour l'avenir, l'autre pour recommencer.
#
# </details>
#
# ## 10. Du document au cours
#
# Chaque nom du document fondateur a son successeur. Cette table permet de relire l'un avec l'autre.
#
# | Document | Cours | Ce qui change |
# |:---|:---|:---|
# | `carray`, `Buffer` | `ReplayBuffer` | toute capacité, tirage sans permutation, `terminated` |
# | `Buffer.push`, `Buffer.sample` | `ReplayBuffer.add`, `ReplayBuffer.sample` | un lot trop grand est refusé |
# | `NN` | `Config.hidden`, `Config.activation` | l'architecture est un réglage |
# | `DQNN` | `Training`, `Agent` | apprendre d'un côté, jouer de l'autre |
# | `DQNN.forward`, `DQNN.eval_dqn` | `Agent.q_values`, `Agent` | le réseau qui apprend, ou sa moyenne |
# | `DQNN.train_dqn` | `td_target`, `td_loss` | des règles pures, vérifiables à la main |
# | `DQNN.target_switch` | `Config.target_period`, `Config.target_rate` | en mises à jour, synchronisé au départ |
# | `lr`, `lr_decay`, `min_lr` | `Config.learning_rate`, `Config.learning_rate_decay`, `Config.learning_rate_floor` | par mise à jour |
# | `discount` | `Config.gamma` | inférieur à 1 |
# | `itermax` | `Config.target_period` | |
# | `eps`, `choose_action` | `Config.epsilon`, `epsilon_greedy` | décroît, puis se stabilise |
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
# $n = 1{,}5 \ln 10 / (-\ln 0{,}9999) \approx 34\,537$. La cellule de la section 4 le confirme, si vous lui
# donnez assez d'épisodes.
#
# </details>
#
# **Exercice 2, à écrire (10 minutes).** La boucle ci-dessous s'arrête après un budget. Faites-la
# s'arrêter plus tôt : dès que **deux évaluations de suite** atteignent 475. Pourquoi deux ?

# %% tags=["nbval-ignore-output"]
essai = Training(QUICK, seeds=3)
for tour in essai.run():
    if tour.env_steps % 400 == 0:
        retour = evaluate(essai.agent, episodes=30).mean()
        # Votre code ici.
print(f"arrêté après {essai.env_steps} pas, dernière évaluation : {retour:.0f}")

# %% [markdown]
# <details><summary>Solution</summary>
#
# Avant la boucle, `de_suite = 0`. Sous l'évaluation,
# `de_suite = de_suite + 1 if retour >= 475 else 0`, puis `if de_suite == 2: break`. Une seule évaluation
# de trente épisodes peut être un coup de chance : la figure de la section 8 en montre plusieurs.
#
# </details>
#
# **Exercice 3, à explorer (15 minutes).** Dans l'exercice 2, remplacez `QUICK` par une variante :
# `replace(QUICK, learn_every=20)` (importez `replace` de `dataclasses`). C'est la
# moitié de la faute de la section 3. Sur cinq graines, que perdez-vous ?
#
# ## Ce que ce carnet ne montre pas
#
# Nous avons réparé toutes les fautes à la fois : rien ne dit encore lesquelles comptaient. Et nous avons jugé nos
# agents un peu vite, sur vingt ou trente épisodes.
#
# ## Ce qu'il faut retenir
#
# 1. La boucle, c'est **agir, avancer, mémoriser, apprendre, synchroniser** ; elle rend la main, et tout le
#    reste se fait dehors.
# 2. Le rythme compte autant que la règle : une mise à jour par épisode et un pas d'apprentissage qui s'éteint
#    suffisent à ruiner un algorithme juste.
# 3. Un DQN complet tient sur **une page**, et se juge sur **beaucoup de graines**.
#
# Le prochain carnet apprend à juger : [06 · La boucle de test](06_la_boucle_de_test.ipynb).
