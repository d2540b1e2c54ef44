# %% [markdown]
# # 04 · Le DQN
#
# **La question.** Un réseau de neurones rend deux nombres, que l'on voudrait prendre pour les valeurs de
# deux actions. Personne ne connaît les bonnes réponses. Comment corriger ses erreurs ? En visant une
# cible, que l'on fabrique avec le réseau lui-même : c'est l'idée du DQN, et c'en est le danger.
#
# C'est la section *DQNN* du document fondateur : le réseau, la cible, le réseau cible, la perte. Nous lisons son
# code, et séparons ce qui y est juste de ce qui ne l'est pas. Le carnet suivant éprouvera les règles que voici.
#
# *Lecture : 55 minutes ; exercices : 35 minutes ; exécution : une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from textwrap import dedent
from timeit import timeit

import numpy as np
import torch
from torch import Tensor, nn, tensor

from cartpole_helpers import (
    QUICK,
    Training,
    evaluate,
    interquartile_mean,
    play,
    policies,
    td_loss,
    td_target,
    version1,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import Listing, listing
from cartpole_helpers.display.live import each, follow
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.settings import written
from cartpole_helpers.dqn import value_of
from cartpole_helpers.teaching.exercises import check, show
from cartpole_helpers.tensors import check_same_shape

# %% [markdown]
# ## 1. Un réseau à deux sorties
#
# Le [carnet 02](02_de_la_table_au_reseau.ipynb) rangeait une valeur par case, et remplaçait pour finir la table par
# un réseau. Voici ce réseau, en PyTorch : quatre nombres entrent, la position, l'angle et leurs vitesses ; deux
# sortent, $Q(s, 0)$ et $Q(s, 1)$, ce que l'on peut espérer en poussant à gauche, ou à droite.


# %%
def reseau_neuf(graine):
    torch.manual_seed(graine)
    return nn.Sequential(
        nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    )


reseau = reseau_neuf(0)

# %% [markdown]
# Un seul passage donne les deux valeurs. Il n'est pas nécessaire d'essayer chaque action : c'est tout
# l'intérêt de mettre les actions en sortie plutôt qu'en entrée. Montrons au réseau une tige qui penche à
# droite, et qui tombe.

# %%
penchee = tensor([0.0, 0.0, 0.1, 0.5])
with torch.no_grad():
    print(reseau(penchee))

# %% [markdown]
# Deux nombres proches de zéro, et qui ne veulent encore rien dire. Le plus grand désigne pourtant une
# action : un réseau tout neuf a déjà un avis sur chaque situation. Regardons-le dans le plan de l'angle
# et de sa vitesse, comme au carnet 01.
#
# > **À vous.** À quoi ressemblera la frontière entre « gauche » et « droite » d'un réseau tiré au hasard :
# > un damier, un nuage, une ligne, rien de tel ?


# %%
def valeurs(reseau):
    """Fait d'un réseau PyTorch une fonction de tableaux : (N, 4) → (N, 2)."""

    def q_values(observations):
        with torch.no_grad():
            return reseau(torch.from_numpy(observations)).numpy()

    return q_values


# %% [markdown]
# La figure a deux panneaux, et le chariot y est au milieu du rail, immobile. À gauche, la valeur de la meilleure
# action ; à droite, l'écart entre les deux : orangé là où « droite » l'emporte, bleu là où c'est « gauche », et un
# trait noir sur la frontière, s'il y en a une. Les tirets marquent les angles où l'épisode finit.

# %%
figures.action_maps(valeurs(reseau), "Un réseau neuf n'a rien appris, et il a déjà un avis partout")

# %% [markdown]
# Ni damier, ni nuage, ni ligne : dans le panneau de droite, une seule couleur. Ce réseau pousse partout du
# même côté. Les valeurs sont proches de zéro, mais une politique gloutonne ne regarde que le **signe** de
# leur écart ; elle suit l'avis d'un réseau neuf avec autant d'assurance que celui d'un réseau savant.
# Est-ce un hasard de la graine 0 ?

# %%
parties = [play(policies.random_policy(seed=graine), seed=graine) for graine in range(50)]
vues = np.concatenate([partie.observations for partie in parties])
a_droite = np.array([np.mean(valeurs(reseau_neuf(n))(vues).argmax(axis=1)) for n in range(100)])
obstines = np.sum(np.maximum(a_droite, 1 - a_droite) > 0.9)
print(f"{obstines} réseaux neufs sur 100 poussent du même côté plus de 9 fois sur 10")

# %% [markdown]
# Non : c'est le cas ordinaire. Or qui pousse toujours du même côté renverse la tige plus vite que le
# hasard. Un réseau neuf ne part donc pas de rien : il part d'un parti pris, qu'il faudra corriger.

# %% [markdown]
# ### Le réseau du document
#
# Le réseau `NN` du document, que son auteur a donné ailleurs, a sept couches, de plus en plus étroites, puis de
# plus en plus larges. Son activation réduit les nombres négatifs au lieu de les annuler ; ses poids de départ, dits
# de Xavier, sont d'autant plus petits que la couche a plus de neurones.

# %%
listing(version1.NN)

# %% [markdown]
# > **À vous.** Lequel a le plus de poids, du sien ou du nôtre ? Et lequel est le plus lent à évaluer ?


# %%
def poids(reseau):
    return sum(tenseur.numel() for tenseur in reseau.parameters())


def duree(reseau):
    """La durée d'un passage pour une observation, en microsecondes."""
    with torch.no_grad():
        return 1e6 * timeit(lambda: reseau(penchee), number=2_000) / 2_000


# %% tags=["nbval-ignore-output"]
for nom, candidat in [("le nôtre", reseau), ("celui du document", version1.NN())]:
    print(f"{nom:18}{number(poids(candidat)):>6} poids  {duree(candidat):5.0f} µs par observation")

# %% [markdown]
# Le réseau du document a bien moins de poids, et il est plus lent. Pour d'aussi petits réseaux, le temps se paie à la couche
# et non au poids : chaque couche est un appel, et un appel coûte à peu près autant pour quatre neurones
# que pour soixante-quatre. Sa taille de guêpe, quatre neurones au milieu, n'interdit rien en
# principe : quatre nombres entrent, quatre peuvent passer.

# %% [markdown]
# ### Quatre nombres, quatre échelles
#
# Les quatre entrées ne se mesurent pas dans la même unité. Regardons ce que voit un agent à ses débuts, quand
# il pousse au hasard : les cinquante parties de tout à l'heure.

# %%
ecarts_types = vues.std(axis=0)
rapport = number(ecarts_types[[1, 3]].mean() / ecarts_types[[0, 2]].mean())
noms = ["x (m)", "ẋ (m/s)", "θ (rad)", "θ̇ (rad/s)"]
series = {
    f"{nom}, écart type {number(ecart, 2)}": serie
    for nom, ecart, serie in zip(noms, ecarts_types, vues.T, strict=True)
}
figures.distributions(
    series,
    f"Les deux vitesses varient environ {rapport} fois plus que x et θ",
    "valeur que reçoit le réseau",
)

# %% [markdown]
# Les dents du peigne de ẋ sont les poussées, dont chacune change la vitesse d'environ 0,2 m/s. L'angle, dont tout
# dépend, est aussi l'une des entrées les plus faibles : à 0,21 rad, la tige est déjà tombée. Au départ, les poids
# d'une couche sont tous du même ordre ; une entrée dix fois plus petite y pèse donc dix fois moins, et le réseau
# l'entend à peine. Le réglage `input_scale` multiplie chaque entrée par un nombre.

# %%
print("facteurs    ", QUICK.input_scale)
print("écarts types", (ecarts_types * QUICK.input_scale).round(2))

# %% [markdown]
# La position reste faible : sans doute parce que ces parties finissent avant que le chariot n'aille loin. Est-ce
# important ? Mesurons, avec la boucle que le carnet 00 a fait tourner et que le carnet 06 expliquera. Douze graines,
# une seule chose changée à la fois ; tous les 800 pas, chaque agent joue vingt épisodes sur des départs qu'il n'a
# jamais vus. `QUICK` joue d'ordinaire avec une moyenne récente de ses poids, que le carnet 08 étudiera ;
# `average_rate=1.0` l'ôte, et nous jugeons le réseau tel qu'il est. Le reste vient de `QUICK`, dont voici ce qui
# compte ici.

# %%
for champ in ("gamma", "double", "hidden", "activation", "input_scale", "mirror"):
    print(f"{champ:14}", written(getattr(QUICK, champ)))

# %% [markdown]
# | Champ | Ce qu'il règle | Où on l'explique |
# |:---|:---|:---|
# | `gamma` | le prix de l'avenir | carnet 02, et section 2 |
# | `double` | une autre façon d'évaluer la suite ; `QUICK` ne s'en sert pas | carnet 05 |
# | `hidden`, `activation` | les couches cachées, et la fonction qui suit chacune (ici SiLU, une rampe lissée) | ci-dessus, et carnet 08 |
# | `input_scale` | l'échelle des entrées | ci-dessus |
# | `mirror` | la symétrie : le réseau répond en miroir à un état en miroir ; il ne peut donc pas pousser partout du même côté | carnet 00 |
#
# Restent la mémoire (50 000 transitions, lots de 64, carnet 03), le réseau cible (section 4), puis, au carnet 06,
# les seize chariots qui jouent de front, une mise à jour à chaque tour, un taux d'apprentissage de 0,008 et une
# exploration qui descend de 1 à 0,1 en mille pas.

# %%
REGLAGE = replace(QUICK, total_steps=9_600, average_rate=1.0)
GRAINES = range(12)
PAS = np.arange(800, REGLAGE.total_steps + 1, 800)
debout = np.zeros((len(GRAINES), 1, 4))  # pour chaque agent, une observation : tout à zéro

# %% [markdown]
# À chaque arrêt, nous relevons aussi la valeur que le réseau prête au départ, tige droite et immobile :
# cette valeur servira à la section 4.


# %%
def apprendre(**changements):
    """Entraîne douze agents ; rend retours, valeurs du départ (12, évaluations) et agents."""
    groupe = Training(replace(REGLAGE, **changements), GRAINES)
    retours, departs = [], []
    for pas in each(PAS, "Évaluations"):
        while groupe.env_steps < pas:
            groupe.advance()
        retours.append(evaluate(groupe.agent, episodes=20).mean(axis=1))
        departs.append(groupe.agent.q_values(debout).max(axis=(1, 2)))
    return np.array(retours).T, np.array(departs).T, groupe.agent


# %% [markdown]
# D'une évaluation à l'autre, le score monte et descend ; pour résumer un essai, nous prendrons, par graine, la
# moyenne du dernier tiers des évaluations, choisi avant de regarder : nous jugeons à la fin du budget, comme au
# carnet 00, mais sur quatre évaluations. Puis, des douze graines, la **moyenne interquartile** : celle qui reste
# quand on a écarté le quart le plus haut et le quart le plus bas. Les titres des figures donnent ce résumé.


# %%
def dernier_tiers(retours):
    """Le retour moyen de chaque graine sur ses quatre dernières évaluations."""
    return retours[:, -4:].mean(axis=1)


# %% [markdown]
# Au document, nous n'empruntons ici que les couches, leur activation et leurs poids de départ ; tout le
# reste, échelle comprise, est du cours.
#
# > **À vous.** De l'échelle des entrées et de la forme du réseau, laquelle comptera le plus ?

# %% tags=["nbval-ignore-output"]
couches = {"hidden": (32, 16, 8, 4, 8, 32), "activation": "leaky_relu"}
essais = {
    "le cours": apprendre(),
    "sans mise à l'échelle": apprendre(input_scale=(1.0, 1.0, 1.0, 1.0)),
    "le réseau du document": apprendre(**couches, initialisation="xavier_normal"),
}

# %% tags=["nbval-ignore-output"]
retours = {nom: essai[0] for nom, essai in essais.items()}
fins = {nom: interquartile_mean(dernier_tiers(serie)) for nom, serie in retours.items()}
constat = " ; ".join(f"{nom}, {fin:.0f} pas" for nom, fin in fins.items())
figures.learning_curves(PAS, retours, f"Dernier tiers : {constat}")

# %% [markdown]
# Les deux changements coûtent cher, mais pas de la même façon. Sans mise à l'échelle, la courbe monte lentement et,
# dans le temps imparti, n'approche pas du seuil. Avec le réseau du document, la bande est large, et la courbe va et
# vient. Sont-ce des graines qui réussissent et d'autres qui échouent, ou les mêmes qui hésitent ? Comptons, sur le
# dernier tiers, celles qui atteignent 475 une fois au moins, et celles qui l'atteignent les quatre fois.

# %% tags=["nbval-ignore-output"]
for nom, serie in retours.items():
    reussies = serie[:, -4:] >= 475
    une, toutes = reussies.any(axis=1).sum(), reussies.all(axis=1).sum()
    print(
        f"{nom:22} une fois au moins : {une:2} sur 12   les quatre fois : {toutes:2} sur 12", end=""
    )
    print(f"   à la toute fin : {interquartile_mean(serie)[-1]:.0f} pas")

# %% [markdown]
# Le réseau du document n'est pas incapable de jouer : la plupart de ses graines passent le seuil, mais elles n'y
# restent pas. Ce n'est pas un réseau qui échoue, c'est un réseau qui réussit **quelquefois**, du moins avec des
# réglages choisis pour le nôtre ; voilà ce qui rend les essais isolés trompeurs. Sur un seul point, le dernier,
# on l'aurait d'ailleurs cru presque aussi bon que le nôtre : c'est pour cela que l'on en prend quatre. Le
# nôtre n'est pas irréprochable non plus ; la fin de la série s'occupera de ce qu'il oublie.

# %% [markdown]
# ## 2. La cible
#
# Que devrait valoir $Q(s, a)$ ? Le carnet 02 l'a dit : la récompense reçue, plus ce que vaut la suite, réduite par
# $\gamma$. Ce $\gamma$ est un outil, qui garde les valeurs finies ; le score, lui, reste la somme simple. Quand
# l'épisode s'est **terminé**, il n'y a pas de suite, et il reste la récompense seule.
#
# $$y = r + \gamma \max_{a'} Q(s', a') \quad\text{ou, à la chute,}\quad y = r$$
#
# Faisons le calcul au crayon, sur trois transitions. La première est ordinaire ; dans la deuxième, la tige
# tombe ; dans la troisième, le temps est écoulé et la tige est encore debout. On prend $\gamma = 0{,}9$.
#
# | transition | $r$ | tombée ? | chronomètre ? | $Q(s', 0)$ | $Q(s', 1)$ | $y$ |
# |:---|:---:|:---:|:---:|:---:|:---:|:---:|
# | ordinaire | 1 | non | non | 2 | 5 | ? |
# | la chute | 1 | oui | non | 7 | 3 | ? |
# | le chronomètre | 1 | non | oui | 4 | 6 | ? |
#
# > **À vous.** Remplissez la dernière colonne avant de lire la suite.

# %%
recompense = tensor([1.0, 1.0, 1.0])
tombee = tensor([False, True, False])
chronometre = tensor([False, False, True])
q_suivants = tensor([[2.0, 5.0], [7.0, 3.0], [4.0, 6.0]])

# %% [markdown]
# Voici la réponse de la règle du cours ; *td*, pour *temporal difference*, est l'écart d'un instant au suivant, la
# « surprise » du carnet 02 :

# %%
td_target(recompense, tombee, q_suivants, 0.9)

# %% [markdown]
# $1 + 0{,}9 \times 5$, puis 1, puis $1 + 0{,}9 \times 6$. Le chronomètre n'a rien changé : la tige tient
# toujours, et l'avenir qu'on a cessé de regarder vaut encore quelque chose. Voici la règle, telle que le
# paquet l'exécute.

# %%
listing(td_target)

# %% [markdown]
# Trois lignes. Le maximum ; une vérification des formes, nous verrons pourquoi ; puis la formule, où
# `masked_fill` remplace par zéro la suite des épisodes terminés.

# %% [markdown]
# ### Le calcul du document
#
# Une seule méthode, `train_dqn`, y fait tout. Lisons-la par morceaux.


# %%
def extrait(fonction, premier, dernier):
    """Le code d'une fonction, de la ligne qui contient `premier` à celle qui contient `dernier`."""
    lignes = listing(fonction, comments=False).text.splitlines()
    debut, fin = (next(n for n, x in enumerate(lignes) if mot in x) for mot in (premier, dernier))
    return Listing(dedent("\n".join(lignes[debut : fin + 1])))


# %% [markdown]
# D'abord, ce que valent les suites :

# %%
extrait(version1.DQNN.train_dqn, "torch.no_grad", "(1 -")

# %% [markdown]
# Le réseau cible, une copie retardée (section 4), lit les observations suivantes ; on garde le maximum de chaque
# ligne, et on l'annule quand `dones` est vrai. C'est la bonne formule, et `no_grad` dit que rien ne s'apprend ici.
# La cible elle-même est écrite plus loin, au milieu de la perte :

# %%
extrait(version1.DQNN.train_dqn, "q_states =", "loss =")

# %% [markdown]
# Donnons à ce code nos trois transitions. `discount` y vaut 1 par défaut, et la boucle range dans un même `done` la
# chute et le chronomètre.
#
# > **À vous.** Lesquelles de ses trois cibles différeront des nôtres ?

# %%
done = (tombee | chronometre).int()
suites = q_suivants.max(dim=-1).values * (1 - done)
print("le document :", recompense + 1 * suites)
print("le cours :   ", td_target(recompense, tombee, q_suivants, 0.9))

# %% [markdown]
# La première vaut $1 + 5$ : l'avenir lointain y pèse autant que l'instant. La troisième vaut 1 : tenir cinq cents
# pas y est appris comme une chute. Le carnet 06 calcule l'erreur qui en résulte, et le carnet 10 la mesure.

# %% [markdown]
# ### Une colonne ou une ligne
#
# Un dernier piège, que le document évite par son `reshape(-1, 1)`. Ses actions et ses
# récompenses sont des colonnes, de forme `(B, 1)` ; un maximum rend une ligne, de forme `(B,)`.
#
# > **À vous.** Que fait PyTorch si, d'une colonne de trois nombres, on soustrait une ligne de trois
# > nombres ?

# %%
cible = td_target(recompense, tombee, q_suivants, 0.9)
print(torch.zeros(3, 1) - cible)

# %% [markdown]
# Il les croise : c'est la **diffusion** (*broadcasting*), qui étire la ligne et la colonne jusqu'à un tableau
# de trois sur trois. Trois transitions donnent neuf différences, dont six comparent la valeur d'une
# transition à la cible d'une **autre** ; leur moyenne est un nombre d'allure parfaitement honnête. Le
# paquet préfère s'arrêter :

# %%
try:
    td_loss(torch.zeros(3, 2), tensor([1, 0, 1]), cible[:, None])
except ValueError as erreur:
    print(erreur)

# %% [markdown]
# ## 3. La perte, et ce qui ne doit pas bouger
#
# La perte compare à la cible, sur un lot, la valeur de l'action **prise**. Elle prend la moyenne des
# carrés des écarts. `value_of` choisit la valeur de l'action ; `check_same_shape` donne l'erreur que vous
# venez de lire.

# %%
listing(td_loss, value_of, check_same_shape)

# %% [markdown]
# Un mot y compte plus que les autres : `detach`. La cible est fabriquée avec un réseau ; en descendant
# le gradient, on pourrait donc réduire l'écart de deux façons, en rapprochant $Q(s, a)$ de la cible, ou
# en rapprochant **la cible** de $Q(s, a)$. `detach` interdit la seconde. Pourquoi s'en priver ?
#
# Sutton et Barto (2018, section 11.5) en donnent un exemple. On part de A. Une pièce décide : vers B ou
# vers C. De B, on finit avec 1 ; de C, on finit avec 0. Il n'y a rien à choisir, et $\gamma = 1$. Les
# vraies valeurs sont évidentes : B vaut 1, C vaut 0, et A la moyenne, $\tfrac12$.

# %%
A, B, C = range(3)
lieu = tensor([A, A, B, C])
suite = tensor([B, C, A, A])  # après B et C, tout est fini : leur suite ne comptera pas
gain = tensor([0.0, 0.0, 1.0, 0.0])
fin = tensor([False, False, True, True])

# %% [markdown]
# Quatre transitions, une table de trois nombres à apprendre, et deux pertes. La seconde est celle qu'on
# écrirait en oubliant `detach`.


# %%
def avec_arret(v):
    cible = td_target(gain, fin, v[suite, None], gamma=1.0)
    return td_loss(v[lieu, None], torch.zeros(4, dtype=int), cible)  # une seule action, 0


def sans_arret(v):
    cible = td_target(gain, fin, v[suite, None], gamma=1.0)
    return (v[lieu] - cible).square().mean()


# %% [markdown]
# Puis une descente de gradient des plus ordinaires :


# %%
def descendre(perte, pas=200):
    """Les valeurs de A, B et C, pas après pas : (pas, 3)."""
    v = torch.zeros(3, requires_grad=True)
    optimiseur, suivi = torch.optim.SGD([v], lr=0.2), []
    for _ in range(pas):
        optimiseur.zero_grad()
        perte(v).backward()
        optimiseur.step()
        suivi.append(v.detach().clone())
    return torch.stack(suivi)


# %% [markdown]
# > **À vous.** Les deux descentes trouvent-elles les mêmes valeurs ? Sinon, de quel côté la seconde se
# > trompera-t-elle ?

# %%
vraie, naive = descendre(avec_arret), descendre(sans_arret)
courbes = {
    **{f"{nom}, avec arrêt": vraie[:, n].numpy() for n, nom in [(B, "B"), (C, "C")]},
    **{f"{nom}, sans arrêt": naive[:, n].numpy() for n, nom in [(B, "B"), (C, "C")]},
}

# %% [markdown]
# A n'est pas dessiné : les deux descentes lui donnent $\tfrac12$. Voici B et C.

# %%
b, c = (number(naive[-1, n].item(), 2) for n in (B, C))
titre = f"Sans arrêt du gradient, B vaut {b} et C {c}, au lieu de 1 et de 0"
figures.curves(np.arange(200), courbes, titre, ("pas de descente", "valeur apprise"))

# %% [markdown]
# La descente sans arrêt du gradient tire B et C vers A. Puisque A ne peut pas être égal à l'un et à l'autre à la
# fois, elle gagne à les rapprocher, quitte à les fausser, alors que B rapporte 1 **à coup sûr**. B vient après A :
# c'est à la valeur de B de corriger celle que l'on prête à A, et non l'inverse. Tout vient de la pièce : sans hasard,
# les vraies valeurs auraient une perte nulle, et les deux descentes s'accorderaient. CartPole n'a pas de pièce ; mais
# un réseau confond des états voisins, et l'effet peut être le même.
#
# Le plus instructif est la perte elle-même.

# %%
for nom, v in [("les vraies valeurs", vraie[-1]), ("les fausses", naive[-1])]:
    ecrites = ", ".join(number(une.item(), 2) for une in v)
    print(f"{nom:19} {ecrites:18} perte {number(sans_arret(v).item(), 4)}")

# %% [markdown]
# > **Attention.** Les fausses valeurs ont une perte **deux fois plus petite**. Une perte qui baisse ne dit
# > pas que l'on apprend juste : elle mesure un écart à une cible, et la cible bouge.
#
# Le document est ici irréprochable : son `torch.no_grad()` fait le même travail. Vérifions que notre
# perte arrête bien le gradient, même quand la cible qu'elle reçoit n'est pas détachée.

# %%
cible = tensor([5.5, 1.0, 6.4], requires_grad=True)
q = torch.zeros(3, 2, requires_grad=True)
td_loss(q, tensor([1, 0, 1]), cible).backward()
print("vers la cible :", cible.grad)
print("vers Q :", *q.grad.numpy().round(2))

# %% [markdown]
# Rien ne remonte vers la cible, et, dans chaque ligne de Q, seule l'action prise est corrigée.

# %% [markdown]
# ## 4. Le réseau cible
#
# Arrêter le gradient ne suffit pas à immobiliser la cible. Le réseau est d'un seul tenant : corriger $Q(s, a)$
# déplace aussi $Q(s', a')$, qui lui ressemble, et donc la cible, qui avance quand on avance. D'où l'idée de Mnih et
# coll. (2015) : viser avec une **copie retardée**, le réseau cible.
#
# Pourquoi un retard calmerait-il l'apprentissage, au lieu de seulement le ralentir ? Entre deux copies, chaque cible
# est un nombre fixe : on retrouve un problème supervisé ordinaire, celui que PyTorch sait résoudre. S'il est bien
# résolu, copier puis recommencer, c'est faire un **balayage** du carnet 02, et un balayage multiplie l'erreur par γ
# au plus : elle diminue.
#
# Sans copie, on ne résout jamais rien : chaque correction change le problème. Une valeur trop haute relève la cible
# de ses voisines, qui relèvent la sienne ; et le maximum pousse dans ce sens, car il sélectionne les erreurs par excès
# (carnet 05). Avec une copie, l'erreur ne remonte que d'un pas à chaque fois, et les autres transitions ont,
# entre-temps, le loisir de la corriger. Ce raisonnement n'est pas une preuve : un réseau qui ne sait pas rejoindre
# toutes ses cibles peut encore s'en écarter à chaque copie. Mesurons.
#
# On peut copier tous les poids de temps en temps, ou en verser un peu à chaque mise à jour. Dans le
# paquet, `target_period` est l'intervalle entre deux versements, en mises à jour, et `target_rate` la part
# versée.
#
# > **À vous.** Quatre recettes, de 600 mises à jour : aucun retard ; 5 % à chacune, comme `QUICK` ; copie entière
# > toutes les 20 ; 0,1 % à chacune. Classez-les, de la meilleure à la pire.

# %% tags=["nbval-ignore-output"]
retards = {
    "sans retard": apprendre(target_rate=1.0),
    "5 %": essais["le cours"],
    "copie": apprendre(target_rate=1.0, target_period=20),
    "0,1 %": apprendre(target_rate=0.001),
}

# %% tags=["nbval-ignore-output"]
retours = {nom: essai[0] for nom, essai in retards.items()}
fins = {nom: interquartile_mean(dernier_tiers(serie)) for nom, serie in retours.items()}
constat = " ; ".join(f"{nom}, {fin:.0f} pas" for nom, fin in fins.items())
figures.learning_curves(PAS, retours, f"Dernier tiers : {constat}")

# %% [markdown]
# Sans retard, l'agent part le premier, puis cale. Avec trop de retard, il ne part pas. « 5 % » et « copie » partent
# tous deux ; cet essai ne cherche pas à les départager. L'explication est-elle la bonne ? Regardons la valeur que
# chaque réseau prête au départ.
#
# Nous avons un repère sûr. Chaque pas rapporte 1 au plus ; même sans jamais tomber, on ne peut donc espérer
# plus que $1 + \gamma + \gamma^2 + \dots = 1/(1 - \gamma)$, soit 33,3 pour $\gamma = 0{,}97$. Toute valeur au-dessus de ce
# plafond est une **erreur**, sans discussion possible.

# %% tags=["nbval-ignore-output"]
plafond = 1 / (1 - REGLAGE.gamma)
suivies = {nom: retards[nom][1] for nom in ("sans retard", "5 %", "0,1 %")}
departs = {nom: np.median(serie, axis=0) for nom, serie in suivies.items()}
trop = np.sum(suivies["sans retard"][:, -1] > plafond)
figures.curves(
    PAS,
    departs | {"plafond": np.full(len(PAS), plafond)},
    f"Sans retard, {trop} graines sur 12 finissent au-dessus du maximum possible",
    ("pas de jeu par agent (médiane de 12 graines)", "valeur du départ"),
    bands={nom: (serie.min(axis=0), serie.max(axis=0)) for nom, serie in suivies.items()},
)

# %% [markdown]
# Le trait est la médiane des douze graines, la bande va de la plus basse à la plus haute ; avec un retard,
# les graines sont si proches que la bande se cache sous le trait.
#
# Sans retard, les valeurs traversent le plafond : c'est l'emballement attendu. Des valeurs trop hautes ne nuiraient
# pas au jeu si elles l'étaient autant pour les deux actions ; rien ne le garantit.
#
# Avec 0,1 %, c'est l'inverse : les valeurs montent si lentement que l'agent reste myope. Entre les deux, la valeur
# monte sans franchir le plafond pendant cet essai. Elle n'est pas juste pour autant : un départ d'où l'on tient cinq
# cents pas vaut presque le plafond. Pour bien jouer, il suffit que l'ordre des deux actions soit le bon.

# %% [markdown]
# ### Trois oublis autour du réseau cible
#
# Le document a bien un réseau cible. Mais, premier oubli, il tire au sort **séparément** les poids de ses deux
# réseaux, et ne les accorde qu'à la première copie.


# %%
observations = torch.from_numpy(vues)


def ecart(un, autre):
    """Le plus grand désaccord entre deux réseaux, sur les observations de la section 1."""
    with torch.no_grad():
        return (un(observations) - autre(observations)).abs().max().item()


# %% [markdown]
# Huit tirages, à côté d'une vraie copie :

# %%
torch.manual_seed(0)
dqnn = [version1.DQNN(version1.NN) for _ in range(8)]
etrangers = [ecart(un.train_net, un.target_net) for un in dqnn]
print("le document, huit tirages : de", " à ".join(number(f(etrangers), 3) for f in (min, max)))
print("une copie :", number(ecart(reseau, deepcopy(reseau)), 3))

# %% [markdown]
# Une vraie copie ne s'écarte pas de l'original ; dans le document, jusqu'à la première copie, on vise les estimations
# d'un inconnu.
#
# Deuxième oubli : la copie se fait attendre. Elle a lieu toutes les soixante mises à jour, ce qui a l'air
# raisonnable ; mais il n'y a là qu'une mise à jour par **épisode**. Suivons les deux réseaux pendant les 180
# premiers épisodes, sur les observations de la section 1.


# %%
def montee(graine, episodes=180):
    """La valeur moyenne des observations selon les deux réseaux, à chaque épisode."""
    suivi = []
    for progres in islice(version1.train(seed=graine, verbose=False), episodes):
        with torch.no_grad():
            paires = [progres.dqnn.train_net(observations), progres.dqnn.target_net(observations)]
        suivi.append([q.max(dim=-1).values.mean().item() for q in paires])
    return suivi


# %% [markdown]
# > **À vous.** Une mise à jour vise ici $1 + \max Q_{\text{cible}}$, car $\gamma = 1$, ou 1 tout court à la chute. Si le réseau cible part de zéro, à quelle valeur peut-il prétendre après trois copies ?

# %% tags=["nbval-ignore-output"]
suivis = [montee(graine) for graine in each(range(8), "Graines")]
en_ligne, en_retard = np.mean(suivis, axis=0).T

# %% [markdown]
# Le réseau principal apprend à chaque épisode ; le réseau cible attend.

# %% tags=["nbval-ignore-output"]
figures.curves(
    np.arange(1, 181),
    {"réseau principal": en_ligne, "réseau cible": en_retard},
    f"Trois copies, et la cible du document ne vaut que {number(en_retard[-1], 1)}",
    ("épisode", "valeur moyenne (8 graines)"),
)

# %% [markdown]
# Un escalier. Entre deux copies, le réseau principal s'approche de $1 + Q_{\text{cible}}$, qui ne bouge
# pas : **chaque copie porte un pas plus loin**, au mieux. La réponse était donc 3 au plus, et l'on en est loin :
# soixante mises à jour ne suffisent pas à rejoindre la cible. Même au mieux, voir cinquante pas devant soi
# demanderait cinquante copies, soit trois mille épisodes.
#
# Troisième oubli : `eval_dqn`, qui sert à juger l'agent, lit le réseau **cible**. On juge donc un élève sur
# la copie qu'il a rendue il y a soixante épisodes au plus.

# %% [markdown]
# ### Ce que voit un réseau qui a appris
#
# Revenons à la recette à 5 %, et à l'agent de la graine 0. Voici sa carte, à comparer à celle du réseau neuf. Son
# score peut être sous le seuil : c'est la graine 0, non la meilleure.

# %% tags=["nbval-ignore-output"]
retours, _, agents = retards["5 %"]
tenus = number(dernier_tiers(retours)[0])
titre = f"L'agent de la graine 0 a appris une frontière inclinée : il tient {tenus} pas"
figures.action_maps(agents[0].q_values, titre)

# %% [markdown]
# Comparez à la règle θ + θ̇ du carnet 01 : elle pousse à droite au-dessus d'une ligne inclinée. L'agent n'a pas
# trouvé la même pente, mais il a trouvé qu'il en faut une, sans rien savoir de la mécanique. Que la frontière passe
# par le centre, en revanche, il n'y est pour rien : c'est la symétrie de `QUICK`.
#
# À gauche, la valeur est haute sur toute une diagonale, où la vitesse ramène l'angle vers zéro, et basse dans les
# deux coins où elle l'en éloigne ; elle peut même y descendre sous zéro, alors qu'un pas rapporte toujours 1 : c'est
# une erreur. La tige y est perdue, quoi que l'on fasse : les deux petites frontières que le panneau de droite montre
# dans ces coins n'ont guère d'effet sur le jeu. La valeur ne culmine pas au centre : son maximum est loin de tout ce
# que l'agent a joué, et au-delà des tirets l'épisode est déjà fini. Là où rien n'a été appris, un réseau extrapole ;
# c'est une opinion, non une connaissance.

# %% [markdown]
# Pour finir, ce que le document écrit dans `DQNN`, et ce que le cours écrit à la place :
#
# | Le document écrit | Le cours écrit | Pourquoi |
# |:---|:---|:---|
# | `NN`, sept couches | `nn.Sequential`, trois couches | plus rapide à évaluer, et plus constant ici |
# | observations brutes | `input_scale` | l'angle pèse autant que les vitesses |
# | `discount=1` | `gamma`, moins de 1 | les valeurs ont un plafond |
# | `dones` | `terminated` | le chronomètre n'est pas une chute |
# | colonnes `(B, 1)` et masques entiers | lignes `(B,)` et booléens, formes vérifiées | une faute de forme devient une erreur |
# | `torch.no_grad()` sur la cible | de même, et `detach` dans `td_loss` | deux verrous valent mieux qu'un |
# | deux réseaux tirés séparément | le second est une copie du premier | aucune cible étrangère |
# | copie tous les soixante épisodes | un peu à chaque mise à jour | l'avenir se propage sans attendre |
# | `eval_dqn` lit le réseau cible | on juge le réseau qu'on garde | aucun retard |

# %% [markdown]
# ## 5. À vous
#
# **Exercice 1, à écrire (15 minutes).** Récrivez la cible, sans la regarder. Elle garde son nom et ses arguments, et
# remplacera celle du paquet dans les cellules de ce carnet que vous relancerez ; `check` la met à l'épreuve,
# propriété par propriété, sur des cas calculés à la main et sur d'autres, tirés au hasard. Remplacez les trois
# points, puis exécutez la cellule. Un lot par agent donne à chaque tableau un axe de plus, **devant** : une règle
# écrite sur le dernier axe ne s'en aperçoit pas.


# %%
def td_target(reward, terminated, next_q, gamma):
    """Rend r + γ max Q(s', a'), ou r si l'épisode s'est terminé.

    (..., B), (..., B) booléen, (..., B, A) → (..., B).
    """
    ...


check(td_target)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `next_q.max(dim=-1).values` est le maximum sur le dernier axe ; `.masked_fill(terminated, 0)` met à zéro les suites
# des épisodes terminés.
#
# </details>
#
# Votre cible sait-elle conduire de vrais agents ? L'entraînement du paquet accepte votre fonction à la place de la
# sienne, juste ou fausse. Essayez aussi `sans_masque`, pour voir ce qu'une faute coûte.


# %%
def sans_masque(reward: Tensor, terminated: Tensor, next_q: Tensor, gamma: float) -> Tensor:
    """La cible de qui oublie que l'épisode finit."""
    return reward + gamma * next_q.max(dim=-1).values


# %% tags=["nbval-ignore-output"]
conduite = td_target  # ou sans_masque
if conduite(recompense, tombee, q_suivants, 0.9) is None:
    print("La cible n'est pas encore écrite : rien à conduire.")
else:
    eleves = Training(replace(REGLAGE, total_steps=6_400), range(8), td_target=conduite)
    for _tour in follow(eleves.run(), 6_400):
        pass
    print("retours :", *evaluate(eleves.agent, episodes=20).mean(axis=1).round().astype(int))

# %% [markdown]
# <details><summary>Que faut-il observer ?</summary>
#
# Avec la bonne cible, la plupart des graines approchent 500, comme « le cours » à la section 1. Sans masque, la chute ne
# coûte plus rien : tous les états tendent vers la même valeur, $1/(1-\gamma)$, plus rien ne départage les actions, et
# l'on tombe aussitôt.
#
# </details>
#
# Voici celle du paquet, repliée. `masked_fill` efface la suite même si elle vaut l'infini ; un produit par zéro, que
# `check` refuse donc, donnerait `nan`.

# %%
show("td_target")

# %% [markdown]
# **Exercice 2, à écrire (15 minutes).** Écrivez la perte, cible détachée.


# %%
def td_loss(q, action, target):
    """Rend la moyenne de (Q(s, a) − cible)² sur le lot, cible détachée : une perte par agent.

    (..., B, A), (..., B), (..., B) → (...).
    """
    ...


check(td_loss)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `q.gather(-1, action.unsqueeze(-1)).squeeze(-1)` prend la valeur de l'action jouée ; `target.detach()` est la
# cible, devenue constante ; `mean(dim=-1)` ne moyenne que sur le lot.
#
# </details>

# %%
show("td_loss")

# %% [markdown]
# **Exercice 3, à calculer (5 minutes).** Une copie entière toutes les vingt mises à jour, ou 5 % à chaque mise à
# jour : au bout de vingt mises à jour, quelle part du réseau cible vient encore de ce qu'il était vingt mises à jour
# plus tôt, dans chaque recette ?
#
# <details><summary>Solution</summary>
#
# Avec la copie entière, aucune juste après elle, la totalité juste avant. Avec 5 %, $0{,}95^{20} \approx 36$ %. Les
# deux recettes ont un retard du même ordre, mais l'une avance par marches, l'autre sans à-coups.
#
# </details>
#
# > **Pour aller plus loin.** `QUICK` inscrit dans l'architecture de son réseau la symétrie entre gauche et droite. Refaites les figures de
# > la section 4 en ajoutant `mirror=False` à chaque `apprendre`, et en remplaçant `essais["le cours"]` par
# > `apprendre(mirror=False)` : les écarts entre recettes sont-ils aussi nets ?

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# Les comparaisons ne portent que sur une recette, un jeu et douze graines ; le bon retard d'un réseau cible dépend
# de tout le reste. Nous avons fait tourner une boucle sans l'ouvrir : qui joue, quand on apprend, avec quel ε.
# C'est le carnet 06. Et même la recette à 5 % laisse des graines en route : savoir n'est pas garder, et la fin de
# la série y viendra.

# %% [markdown]
# ## Testez-vous
#
# Trois programmes vous sont confiés. Aucun ne lève d'erreur ; que dites-vous à leurs auteurs ?
#
# **1.** Le premier a $\gamma = 0{,}97$ ; la valeur qu'il prête au départ passe de 5 à 20, puis à 45, puis à 80. Que
# soupçonnez-vous d'abord ?
#
# - **A.** Rien : il joue de mieux en mieux, ses valeurs montent.
# - **B.** Un réseau cible qui suit de trop près.
# - **C.** Un réseau cible qui suit de trop loin.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est prendre une valeur pour un score.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✔ Aucune valeur ne peut dépasser $1/(1 - 0{,}97) \approx 33$ : à 45, elle est fausse, et elle monte encore. C'est
# la courbe « sans retard » de la section 4.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ La valeur monterait alors trop lentement, et ne dépasserait rien.
#
# </details>
#
# **2.** Le deuxième joue à CartPole avec $\gamma = 0{,}95$ et prête 26 à la position de départ. Qu'en pensez-vous ?
#
# - **A.** Il est prudent : il s'attend à tenir 26 pas, quand on peut en tenir 500.
# - **B.** Il surestime, à coup sûr.
# - **C.** On ne peut rien en dire avant de l'avoir vu jouer.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ C'est lire la valeur comme un nombre de pas, ce qu'elle n'est que si $\gamma = 1$.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Chaque pas rapporte 1 au plus, donc aucune somme actualisée ne dépasse $1/(1 - 0{,}95) = 20$.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ C'est trop modeste : il joue peut-être bien, si ses deux valeurs sont trop hautes de la même façon, mais 26 est
# faux dans tous les cas.
#
# </details>
#
# **3.** Dans le troisième, personne n'arrête le gradient à la cible. Il apprend un monde où le hasard s'en mêle. Une
# fois la descente finie, où se situera sa perte, par rapport à celle qu'auraient les vraies valeurs ?
#
# - **A.** Plus haute : les valeurs sont fausses, la perte s'en ressent.
# - **B.** Égale : la cible est une constante, elle n'a pas de gradient à laisser passer.
# - **C.** Plus basse, ou égale.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ C'est supposer qu'une perte mesure l'erreur ; elle mesure un écart à une cible, que l'on laisse ici
# bouger.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ C'est décrire ce que ferait `detach`, qui manque ici.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✔ Sans arrêt du gradient, la descente cherche les valeurs qui rendent cette perte la plus petite possible : une fois
# arrivée, elle ne peut pas faire pire que les vraies valeurs.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. La cible est $r + \gamma \max Q(s', a')$, et $r$ seul quand l'épisode s'est **terminé** ; on la traite en
#    constante, sans quoi la perte peut baisser en déformant les valeurs.
# 2. Trop vif, un **réseau cible** laisse les valeurs s'emballer ; trop lent, il les empêche de monter. Chaque copie
#    porte, au mieux, un pas plus loin.
# 3. Une valeur au-dessus de $1/(1 - \gamma)$ est fausse, quoi que dise la perte : c'est le premier nombre à regarder.
#
# Ces règles sont-elles justes, et comment le savoir ? [05 · Éprouver ses règles](05_eprouver_ses_regles.ipynb).
