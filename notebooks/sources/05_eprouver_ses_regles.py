# %% [markdown]
# # 05 · Éprouver ses règles
#
# **La question.** Vous avez écrit une cible et une perte, tout s'exécute, aucune erreur ne s'affiche, et l'agent
# n'apprend pas. Ou, pire, il apprend un peu. Il y a au moins dix façons de rater ces quelques lignes. Comment
# déceler une faute avant que CartPole ne la cache ?
#
# Nous construisons six mondes minuscules dont les valeurs se calculent de tête, nous glissons des fautes dans la
# règle, et nous regardons lesquels les décèlent. Puis nous assemblons le tout, et apprenons sans jouer.
#
# *Lecture : 35 minutes ; exercices : 50 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn, tensor

from cartpole_helpers import (
    QUICK,
    Training,
    bootstrap_interval,
    double_td_target,
    evaluate,
    interquartile_mean,
    one_page,
    policies,
    td_loss,
    td_target,
    version1,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.live import each
from cartpole_helpers.display.numbers import number
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. Des mondes dont on connaît la réponse
#
# Quand un DQN n'apprend pas CartPole, est-ce la cible, la perte, le taux d'apprentissage, la patience ? CartPole
# répond trop tard et trop vaguement. Il faut des mondes si petits que l'on connaît leurs valeurs d'avance, et si
# différents que chacun **isole une faute**.
#
# Un monde est ici une poignée de transitions, toujours les mêmes : un lot, comme en rend la mémoire du carnet 03,
# mais que l'on écrit à la main. Chaque transition dit le lieu, l'action, la récompense, la façon dont le pas finit,
# et le lieu suivant.


# %%
class Monde(NamedTuple):
    place: Tensor  # (B,)
    action: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    next_place: Tensor


def monde(*transitions):
    """De transitions (lieu, action, gain, fin, lieu suivant), un tenseur par colonne."""
    lignes = [(lieu, a, gain, *fin, suivant) for lieu, a, gain, fin, suivant in transitions]
    return Monde(*map(tensor, zip(*lignes, strict=True)))


# %% [markdown]
# Un pas finit de trois façons : l'épisode continue, il est terminé, il est tronqué. Souvent, l'action ne
# change rien ; `toujours` écrit alors les deux transitions d'un coup.


# %%
SUIT, FINI, COUPE = (False, False), (True, False), (False, True)  # terminated, truncated


def toujours(lieu, gain, fin, suivant):
    return [(lieu, action, gain, fin, suivant) for action in (0, 1)]


# %% [markdown]
# Voici les six. Une flèche mène d'un lieu (0, 1 ou 2) au suivant ; le nombre après les deux-points est ce qu'elle
# rapporte ; ⊥ est la fin de l'épisode.
#
# | Monde | Ce qui s'y passe | Ce qu'il éprouve |
# |:---|:---|:---|
# | lire | 0 → ⊥ : −1 ; 1 → ⊥ : 1 | lire une récompense, et s'arrêter là |
# | choisir | 0, action 0 → ⊥ : −1 ; action 1 → ⊥ : 1 | corriger l'action prise, et elle seule |
# | attendre | 0 → 1 : 0 ; 1 → ⊥ : 1 | tirer de la suite une valeur, réduite par γ |
# | prévoir | 0 → 1 : 0 ; 1, action 0 → ⊥ : −1 ; action 1 → ⊥ : 1 | prendre la meilleure suite |
# | durer | 0 → 0 : 1, parfois coupé par le chronomètre | ne pas prendre la troncature pour une fin |
# | parier | 0 → 1 ou 2, à pile ou face : 0 ; 1 → ⊥ : 1 ; 2 → ⊥ : 0 | faire la moyenne des issues du hasard ; c'est A, B et C du carnet 04 |
#
# En Python, les trois premiers. Le lieu suivant d'un pas terminé est écrit lui aussi, et ne devrait pas compter :
# c'est ainsi que l'on verra si une règle oublie le masque.

# %%
lire = monde(*toujours(0, -1.0, FINI, 0), *toujours(1, 1.0, FINI, 1))
choisir = monde((0, 0, -1.0, FINI, 0), (0, 1, 1.0, FINI, 0))
attendre = monde(*toujours(0, 0.0, SUIT, 1), *toujours(1, 1.0, FINI, 1))

# %% [markdown]
# Et les trois autres. Dans « parier », les deux suites du lieu 0 sont écrites une fois chacune : pile ou face.

# %%
prevoir = monde(*toujours(0, 0.0, SUIT, 1), (1, 0, -1.0, FINI, 1), (1, 1, 1.0, FINI, 1))
durer = monde(*toujours(0, 1.0, SUIT, 0), *toujours(0, 1.0, COUPE, 0))
hasard = [*toujours(0, 0.0, SUIT, 1), *toujours(0, 0.0, SUIT, 2)]
parier = monde(*hasard, *toujours(1, 1.0, FINI, 1), *toujours(2, 0.0, FINI, 2))

# %% [markdown]
# Pour les valeurs, prenons $\gamma = \tfrac12$ : l'avenir y perd vite son prix, et tout se calcule de tête.
#
# > **À vous.** Calculez les vraies valeurs de chaque monde avant de lire la cellule suivante. « Durer » est le plus
# > traître : combien vaut 1 par pas, pour toujours, quand $\gamma = \tfrac12$ ?

# %%
GAMMA = 0.5

# %% [markdown]
# Pour chaque monde, une ligne par lieu, une colonne par action.

# %%
MONDES = {
    "lire": (lire, [[-1, -1], [1, 1]]),
    "choisir": (choisir, [[-1, 1]]),
    "attendre": (attendre, [[GAMMA, GAMMA], [1, 1]]),
    "prévoir": (prevoir, [[GAMMA, GAMMA], [-1, 1]]),
    "durer": (durer, [[1 / (1 - GAMMA)] * 2]),
    "parier": (parier, [[GAMMA / 2, GAMMA / 2], [1, 1], [0, 0]]),
}

# %% [markdown]
# Ce que nous éprouvons est une **règle** : une cible, calculée avec les valeurs `v` des lieux suivants, puis une
# perte, qui compare à cette cible `y` les valeurs `q` des lieux de départ. Voici celles du cours.


# %%
def cible_juste(m, v):
    return td_target(m.reward, m.terminated, v, GAMMA)


def perte_juste(m, q, y):
    return td_loss(q, m.action, y)


# %% [markdown]
# `regle` assemble les deux.


# %%
def regle(cible, perte=perte_juste):
    return lambda m, q, v: perte(m, q, cible(m, v))


# %% [markdown]
# L'élève est le plus petit réseau qui soit : une couche, de trois lieux vers deux valeurs. À chaque pas, il lit
# toutes les transitions du monde, et corrige ses poids selon la règle.

# %% [markdown]
# L'erreur d'une règle dans un monde est son plus grand écart aux vraies valeurs, après cent pas.

# %%
LIEUX = torch.eye(3)  # le lieu n, vu par le réseau : un 1 à la place n, des 0 ailleurs


def erreur(une_regle, lot, vraies, graine):
    torch.manual_seed(graine)
    reseau = nn.Linear(3, 2)
    optimiseur = torch.optim.Adam(reseau.parameters(), lr=0.1)
    for _ in range(100):
        q = reseau(LIEUX)
        optimiseur.zero_grad()
        une_regle(lot, q[lot.place], q[lot.next_place]).backward()
        optimiseur.step()
    return (reseau(LIEUX)[: len(vraies)] - tensor(vraies)).abs().max().item()


# %% [markdown]
# > **À vous.** La règle du cours trouvera-t-elle les vraies valeurs partout, hasard de « parier » compris ?

# %%
juste = regle(cible_juste)
for nom, (lot, vraies) in MONDES.items():
    pire = max(erreur(juste, lot, vraies, graine) for graine in range(3))
    print(f"{nom:9} plus grande erreur, sur trois graines : {number(pire, 2)}")

# %% [markdown]
# La règle du cours passe partout. Mais une épreuve toujours réussie ne prouve rien. Il faut la voir **refuser**.
# Glissons donc des fautes, de celles que l'on trouve dans de vrais programmes ; d'abord dans la cible.

# %%
CIBLES = {
    "le masque oublié à la fin": lambda m, v: m.reward + GAMMA * v.amax(-1),
    "la récompense masquée aussi": lambda m, v: (m.reward + GAMMA * v.amax(-1)) * ~m.terminated,
    "le maximum de tout le lot": lambda m, v: m.reward + GAMMA * v.max() * ~m.terminated,
    "la moyenne au lieu du maximum": lambda m, v: m.reward + GAMMA * v.mean(-1) * ~m.terminated,
}

# %% [markdown]
# Trois autres se font sans toucher à la règle, en l'appelant de travers.

# %%
CIBLES |= {
    "γ oublié": lambda m, v: td_target(m.reward, m.terminated, v, 1.0),
    "le mauvais signe": lambda m, v: td_target(m.reward, m.terminated, v, -GAMMA),
    "le chronomètre pour une chute": lambda m, v: td_target(
        m.reward, m.terminated | m.truncated, v, GAMMA
    ),
}

# %% [markdown]
# Puis dans la perte : corriger la meilleure action au lieu de l'action prise, laisser passer le gradient, ou soustraire
# une ligne (B,) d'une colonne (B, 1), ce qui compare chaque valeur à toutes les cibles du lot.


# %%
def prise(m, q):
    return q.gather(-1, m.action[:, None])  # (B, 1)


# %%
PERTES = {
    "la meilleure action au lieu de l'action prise": lambda m, q, y: (
        (q.amax(-1) - y.detach()).square().mean()
    ),
    "le gradient dans la cible": lambda m, q, y: (prise(m, q)[:, 0] - y).square().mean(),
    "(B, 1) contre (B,)": lambda m, q, y: (prise(m, q) - y.detach()).square().mean(),
}

# %% [markdown]
# > **À vous.** Dix fautes et la règle du cours : onze règles, six mondes. Quelle faute sera la plus discrète ? Et quel monde le plus sévère ?


# %%
def verdict(une_regle):
    """Pour chaque monde, la règle trouve-t-elle les vraies valeurs, trois graines sur trois ?"""
    return [
        all(erreur(une_regle, lot, vraies, graine) < 0.1 for graine in range(3))
        for lot, vraies in MONDES.values()
    ]


# %% [markdown]
# Chaque règle entre dans chaque monde, avec trois graines ; elle passe si toutes ses valeurs sont justes à 0,1
# près.

# %% tags=["nbval-ignore-output"]
REGLES = {"la règle du cours": juste}
REGLES |= {nom: regle(cible) for nom, cible in CIBLES.items()}
REGLES |= {nom: regle(cible_juste, perte) for nom, perte in PERTES.items()}
passe = np.array([verdict(une_regle) for une_regle in each(REGLES.values(), "Règles")])

# %%
refusees = np.sum(~passe[1:].all(axis=1))
severe = np.sum(~passe, axis=0).max()
combien = f"{refusees} fautes sur {len(passe) - 1} sont décelées"
titre = f"{combien} ; aucun monde n'en décèle plus de {severe}"
figures.verdicts(passe, list(REGLES), list(MONDES), titre)

# %% [markdown]
# Lisez par lignes : chaque faute est refusée quelque part. Lisez par colonnes : « parier » est le plus sévère, et
# aucun monde ne suffit. Les fautes les plus discrètes ne sont vues que d'un monde. « Parier » seul voit le maximum
# de tout le lot, et le gradient dans la cible (il faut du hasard pour que celle-ci ait intérêt à mentir) ;
# « durer » seul, le chronomètre ; « prévoir » seul, la moyenne.
#
# Sauf sur la première ligne, une croix est donc une bonne nouvelle : le monde a vu la faute. Relisez enfin
# la colonne « durer ». Elle accepte qu'on oublie le masque, puisque rien n'y finit. **Une épreuve n'éprouve que ce
# qu'elle contient** : un essai où l'épisode ne se termine jamais ne dira rien de la fin des épisodes.
#
# > **Pour aller plus loin.** Ces mondes suivent une pratique du métier, les *probe environments*
# > (environnements sondes). Les tests du paquet en ont d'autres, joués par la vraie boucle, mémoire et
# > environnements compris : lisez `tests/test_worlds.py`.

# %% [markdown]
# ## 2. Le maximum est optimiste
#
# Nos mondes éprouvent une règle ; une règle juste a pourtant un défaut, qu'ils ne voient pas, parce que leurs valeurs
# finissent par être exactes. La cible prend un maximum sur des valeurs **estimées**. Supposons que toutes les actions
# valent exactement zéro, et que chaque estimation soit entachée d'un bruit gaussien, de moyenne nulle et d'écart type
# 1, indépendant d'une action à l'autre. Le maximum choisit l'action la plus chanceuse, et garde sa chance.
#
# > **À vous.** Avec deux actions, le maximum des estimations vaut-il 0 en moyenne ? Et avec vingt ?

# %%
actions = np.arange(2, 21, 2)
generateur = torch.Generator().manual_seed(0)
rien, jamais = torch.zeros(20_000), torch.zeros(20_000, dtype=bool)  # vingt mille tirages
simple, double = [], []
for nombre in actions:
    bruit, autre = torch.randn((2, 20_000, nombre), generator=generateur)
    simple.append(td_target(rien, jamais, bruit, 1.0).mean().item())
    double.append(double_td_target(rien, jamais, bruit, autre, 1.0).mean().item())

# %% [markdown]
# `bruit` sert à choisir et à évaluer dans le premier cas ; dans le second, `autre` évalue le choix de
# `bruit`.

# %%
figures.curves(
    actions,
    {"maximum (td_target)": simple, "double (double_td_target)": double},
    f"Deux actions de valeur nulle : leur maximum estimé vaut {number(simple[0], 2)} en moyenne",
    ("nombre d'actions", "cible moyenne (la vraie est 0)"),
)

# %% [markdown]
# L'optimisme croît avec le nombre d'actions. Dans un DQN, la cible le recopie dans les valeurs, d'où il
# revient dans la cible : c'est sans doute un des moteurs de l'emballement du carnet 04.
#
# Le remède, dû à van Hasselt (2010), est adapté au DQN en 2016. Un réseau choisit l'action, un **autre** en donne
# la valeur : la chance du premier n'est plus celle du second. Ici, où les deux bruits sont indépendants, le biais
# disparaît ; dans un DQN, le second est une copie retardée du premier, et le biais est seulement réduit.
#
# $$y = r + \gamma\, Q_{\text{cible}}\big(s', \arg\max_{a'} Q_{\text{principal}}(s', a')\big)$$

# %% [markdown]
# ## 3. Le tout assemblé
#
# Quatre règles suffisent : la cible, la perte, la copie du réseau cible, et le choix de l'action. Les trois premières sont
# au carnet 04. La quatrième est la règle ε-gloutonne, et la voici.

# %%
listing(version1.choose_action)

# %% [markdown]
# C'est celle de l'auteur du document. Celle du paquet, `epsilon_greedy`, fait la même chose sur un lot entier, avec
# des tirages qu'on lui passe. Et voici une mise à jour complète : l'essentiel du carnet 04, en une dizaine de lignes.

# %%
listing(one_page.learn)

# %% [markdown]
# La cible, sous `no_grad`, avec son propre `GAMMA`, 0,98 ; la perte ; un pas de l'optimiseur ; puis le réseau cible,
# que `lerp_` rapproche de 1 % (`TARGET_RATE`) du réseau principal. Rien n'y parle de chariot. On peut donc l'essayer
# **sans jouer** : remplissons une mémoire de 5 000 pas d'un joueur qui pousse au hasard, et apprenons à partir
# d'elle, sans jamais laisser le réseau toucher au jeu.


# %%
def souvenirs_du_hasard(graine):
    """La mémoire d'un joueur qui n'a jamais regardé où il poussait."""
    # Aucune mise à jour avant 6 000 pas : ce joueur n'apprend jamais.
    hasard = replace(QUICK, epsilon_start=1.0, epsilon_end=1.0, warmup=6_000)
    joueur = Training(hasard, graine)
    while joueur.env_steps < 5_000:
        joueur.advance()
    return joueur.memory


# %% [markdown]
# Le réseau, la copie, l'optimiseur et la boucle la plus simple qui soit : tirer, apprendre, recommencer. Ce réseau a
# deux couches de 64 neurones et des entrées mises à l'échelle ; il n'a pas la symétrie de `QUICK`.


# %%
def apprendre_sans_jouer(graine, mises_a_jour=1_000, arret=200):
    """Les retours d'un réseau tous les `arret` lots tirés de cette mémoire."""
    torch.manual_seed(graine)
    memoire, enligne, retours = souvenirs_du_hasard(graine), one_page.QNetwork(), []
    cible, optimiseur = deepcopy(enligne), torch.optim.Adam(enligne.parameters(), 1e-3)
    for numero in range(1, mises_a_jour + 1):
        one_page.learn(enligne, cible, optimiseur, memoire.sample(64))
        if numero % arret == 0:
            retours.append(evaluate(one_page.greedy(enligne), episodes=20).mean())
    return retours


# %% [markdown]
# > **À vous.** Le joueur au hasard tombe presque aussitôt. Un réseau instruit par les seules chutes de ce joueur peut-il
# > tenir plus longtemps que lui ?

# %% tags=["nbval-ignore-output"]
hors_jeu = np.array([apprendre_sans_jouer(graine) for graine in each(range(8), "Graines")])

# %% [markdown]
# Huit graines, huit joueurs différents, huit réseaux ; la bande est l'intervalle à 95 % de la moyenne
# interquartile.

# %% tags=["nbval-ignore-output"]
modele = evaluate(policies.random_policy(seed=0), episodes=1_000).mean()
bilan = {
    "la plus haute, à chaque instant": hors_jeu.max(axis=0),
    "moyenne interquartile": interquartile_mean(hors_jeu),
    "la plus basse, à chaque instant": hors_jeu.min(axis=0),
    "le joueur au hasard": np.full(5, modele),
}
acquis = bilan["moyenne interquartile"][-1]
figures.curves(
    np.arange(200, 1_001, 200),
    bilan,
    f"Formés par un joueur qui tient {modele:.0f} pas, huit réseaux en tiennent {acquis:.0f}",
    ("mises à jour", "retour moyen (pas)"),
    bands={"moyenne interquartile": bootstrap_interval(hors_jeu)},
)

# %% [markdown]
# Voilà la force du Q-learning : le maximum de la cible suppose que l'on jouera **bien** ensuite, quoi qu'ait fait
# celui dont on lit les souvenirs. L'élève n'imite pas ; il recoupe. (Les premiers points sont sous le hasard : un réseau
# presque neuf pousse presque toujours du même côté.) C'est ce que le
# carnet 02 appelait apprendre **hors politique**. La figure invite aussi à la prudence : les graines
# s'écartent beaucoup. Une raison probable est que, là où le hasard n'est jamais allé, rien ne corrige l'élève.

# %% [markdown]
# ## 4. À vous
#
# **Exercice 1, à écrire (15 minutes).** Écrivez la règle ε-gloutonne pour un lot entier, ou pour un lot par agent :
# l'axe des actions est toujours le dernier. Les tirages sont donnés, afin que la fonction n'ait aucun hasard à elle.


# %%
def epsilon_greedy(q, epsilon, draws):
    """Rend la meilleure action, ou, si l'on explore, une action uniforme : (..., A) → (...).

    `draws` : (..., 2), uniformes dans [0, 1) ; le premier dit s'il faut explorer, le second quelle
    action prendre alors.
    """
    ...


check(epsilon_greedy)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `draws.unbind(dim=-1)` sépare les deux tirages ; `torch.where` choisit, ligne par ligne. Un nombre uniforme,
# multiplié par le nombre d'actions puis arrondi vers le bas, donne une action uniforme.
#
# </details>

# %%
show("epsilon_greedy")

# %% [markdown]
# **Exercice 2, à écrire (10 minutes).** Écrivez la cible du Double DQN, section 2 : deux réseaux, deux rôles.
# Lequel choisit, lequel juge ?


# %%
def double_td_target(reward, terminated, next_q_online, next_q_target, gamma):
    """Rend la cible du Double DQN : (..., B), (..., B), (..., B, A), (..., B, A) → (..., B)."""
    ...


check(double_td_target)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Le réseau principal choisit l'action suivante, par `argmax` ; le réseau cible dit ce qu'elle vaut, et `gather` va
# y chercher cette valeur. Le masque ne change pas.
#
# </details>

# %%
show("double_td_target")

# %% [markdown]
# **Exercice 3, à diagnostiquer (10 minutes).** Cette règle contient une faute qui n'est pas parmi celles de la
# section 1. Elle s'exécute, sa perte baisse, elle détache sa cible. Lisez d'abord les verdicts, dites ce qu'ils excluent,
# et trouvez la ligne.


# %%
def suspecte(m, q, v):
    valeur = q.gather(-1, m.action[:, None]).squeeze(-1)
    ensuite = v.gather(-1, m.action[:, None]).squeeze(-1)
    cible = m.reward + GAMMA * ensuite.masked_fill(m.terminated, 0)
    return (valeur - cible.detach()).square().mean()


# %%
for nom, accepte in zip(MONDES, verdict(suspecte), strict=True):
    print("✔" if accepte else "✘", nom)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Un seul monde refuse : celui où le lieu **suivant** offre un choix.
#
# </details>
#
# <details><summary>Solution</summary>
#
# La ligne `ensuite` prend, dans l'état suivant, la valeur de l'action qu'on vient de prendre dans l'état
# présent, au lieu du maximum. La règle apprend ce que vaut une politique qui s'obstine. Partout où les deux actions se
# valent, on ne voit pas la différence. Remède : `v.max(dim=-1).values`.
#
# </details>
#
# **Exercice 4, à inventer (15 minutes).** La règle que voici garde ses récompenses sur huit bits, et nos six mondes
# l'acceptent. Inventez un septième monde qui la refuse, et qui accepte la règle du cours. Gardez-y de petites
# valeurs : en cent pas, l'élève ne va guère au-delà de 10.


# %%
def huit_bits(m, q, v):
    return juste(m._replace(reward=m.reward.to(torch.int8).float()), q, v)


# %% [markdown]
# Le septième monde, et ses vraies valeurs :

# %%
septieme = monde((0, 0, -1.0, FINI, 0), (0, 1, 1.0, FINI, 0))  # à changer
vraies = [[-1, 1]]  # à changer aussi

# %% [markdown]
# Les deux règles devraient y différer :

# %%
print("les six mondes l'acceptent :", all(verdict(huit_bits)))
for nom, essayee in [("la règle du cours", juste), ("huit bits", huit_bits)]:
    print(f"{nom:18} septième monde, erreur {number(erreur(essayee, septieme, vraies, 0), 2)}")

# %% [markdown]
# <details><summary>Indice</summary>
#
# Que devient 0,5 quand on le garde sur huit bits ? La section 4 du carnet 03 l'a montré.
#
# </details>
#
# <details><summary>Solution</summary>
#
# Une récompense qui n'est pas un entier : `monde(*toujours(0, 0.5, FINI, 0))`, de valeurs
# `[[0.5, 0.5]]`. Ou 0,4 par pas, sans fin : `monde(*toujours(0, 0.4, SUIT, 0))`, de valeurs
# `[[0.8, 0.8]]`. La leçon vaut plus que la réponse : un
# banc d'essai n'est jamais fini, et chaque faute découverte y laisse une épreuve de plus.
#
# </details>

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# Les six mondes éprouvent des règles, et rien d'autre : ni la mémoire, ni l'exploration, ni l'ordre des gestes dans
# la boucle, où sont tant d'autres fautes. Le [carnet 15](15_de_zero.ipynb) a un jury qui éprouve un programme entier.
# Et l'optimisme du maximum est ici calculé sur un bruit que nous avons choisi ; le [carnet
# 10](10_pourquoi_ca_s_effondre.ipynb) le mesure sur de vrais agents.

# %% [markdown]
# ## Testez-vous
#
# **1.** Un programme trouve les vraies valeurs de « lire » et de « choisir », mais pas celles d'« attendre ». Quelle
# faute l'explique ?
#
# - **A.** Il n'y a pas de masque à la fin des épisodes.
# - **B.** La perte corrige la meilleure action, au lieu de l'action prise.
# - **C.** Le chronomètre est pris pour une chute.
# - **D.** Le facteur γ est oublié.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est la faute la plus courante ; mais sans masque, le programme échouerait déjà dans « lire », en ajoutant à −1 une
# suite qui n'existe pas.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ Avec cette faute, il échouerait déjà dans « choisir ».
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ Le temps ne coupe rien dans « attendre ».
#
# </details>
# <details name="q1"><summary>Répondre D</summary>
#
# ✔ Dans « lire » et « choisir », tout finit au premier pas : γ n'y sert jamais. « Attendre » est le premier monde où
# une valeur vient d'une autre.
#
# </details>
#
# **2.** Les six mondes acceptent votre règle, et votre agent n'apprend toujours pas CartPole. Qu'en concluez-vous ?
#
# - **A.** La règle est juste, c'est prouvé.
# - **B.** La faute est ailleurs, ou c'en est une qu'aucun de ces mondes ne décèle.
# - **C.** Les mondes sont trop faciles : il faut baisser le seuil d'erreur.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ C'est prendre six essais pour une preuve.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Une épreuve n'éprouve que ce qu'elle contient : l'exercice 4 en donne un exemple.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ C'est chercher plus de sévérité là où il manque un autre cas.
#
# </details>
#
# **3.** Un réseau apprend à partir des souvenirs d'un joueur au hasard, et joue mieux que lui. Pourquoi est-ce possible ?
#
# - **A.** Il imite les meilleurs moments de ce joueur.
# - **B.** Sa cible évalue ce que vaudrait la suite si l'on jouait bien, quoi que le joueur ait fait.
# - **C.** Ce ne l'est pas : il a eu de la chance.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ Rien n'est imité : la cible ignore ce que le joueur a fait ensuite.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✔ C'est apprendre hors politique : le maximum ne regarde pas l'action que le joueur a prise ensuite.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ Huit réseaux, formés par huit joueurs différents : c'est beaucoup demander à la chance.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. Une faute de DQN ne lève pas d'erreur : elle fait de mauvais agents. On la cherche dans de **petits mondes** dont on
#    connaît les valeurs, et l'on vérifie que chacun sait refuser.
# 2. **Une épreuve n'éprouve que ce qu'elle contient** : sans fin d'épisode, rien n'éprouve le masque ; sans hasard, rien n'éprouve
#    l'arrêt du gradient.
# 3. Le maximum de valeurs bruitées est **optimiste**, d'autant plus que les actions sont nombreuses. Il permet
#    aussi d'apprendre **hors politique**, à partir des souvenirs d'un autre.
#
# Le prochain carnet ouvre la boucle : [06 · La boucle d'entraînement](06_la_boucle_d_entrainement.ipynb).
