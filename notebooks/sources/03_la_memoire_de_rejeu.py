# %% [markdown]
# # 03 · La mémoire de rejeu
#
# **La question.** Un agent joue, voit passer des pas, et apprend de chacun. Pourquoi ne pas apprendre
# de chaque pas à mesure qu'il vient, puis l'oublier ? Et s'il faut s'en souvenir, comment garder des
# dizaines de milliers de pas, et y puiser quelques centaines au hasard, mille fois par seconde ?
#
# C'est la section *Replay Memory* du document fondateur. Nous faisons tourner son code, nous y
# trouvons un piège que des années d'usage peuvent cacher, puis nous en écrivons une version valable
# pour toute taille.
#
# *Lecture : 35 minutes ; exercices : 38 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from collections import deque
from timeit import repeat

import numpy as np

from cartpole_helpers import (
    ReplayBuffer,
    evaluations_of,
    load_study,
    paired_interval,
    play,
    policies,
    version1,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.numbers import number
from cartpole_helpers.statistics import smallest_effect
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. Des pas qui se ressemblent
#
# Ce que l'agent garde d'un pas s'appelle une **transition** : l'observation, l'action, la récompense, l'observation
# suivante, et un drapeau de fin (nous verrons lequel). Regardons cinq observations dans l'ordre où elles arrivent.

# %%
episode = play(policies.push_by_angle_and_velocity, seed=1)
print(episode.observations[100:105].round(3))

# %% [markdown]
# La position et l'angle ne bougent presque pas. Les deux vitesses sautent à chaque poussée, mais
# alternent entre les mêmes valeurs : ces cinq lignes n'en font guère que deux.
#
# On s'attend à ce qu'un réseau de neurones apprenne mal d'un tel paquet. On corrige ses poids petit à petit, dans
# le sens qui réduit l'erreur sur les exemples montrés : sur ceux-ci, on corrige cinq fois la même chose, et l'on
# défait au passage ce qu'il avait appris d'autres situations. La méthode suppose des exemples **tirés au hasard**,
# et non pris à la suite.
#
# > **À vous.** De combien de pas faut-il s'éloigner, croyez-vous, pour que la position du chariot ne
# > ressemble plus à ce qu'elle était : 5, 20, 100, davantage ?


# %%
def ressemblance(valeurs, ecart):
    """La corrélation entre deux valeurs distantes de `ecart` pas."""
    return np.corrcoef(valeurs[:-ecart], valeurs[ecart:])[0, 1]


# %% [markdown]
# Comparons deux façons de prendre les pas : dans l'ordre où ils sont venus, ou mélangés.

# %%
ecarts = np.arange(1, 101)
position, _, angle, _ = episode.observations.T
suites = {
    "x, dans l'ordre": position,
    "θ, dans l'ordre": angle,
    "x, tirés au hasard": np.random.default_rng(0).permutation(position),
}
courbes = {nom: [ressemblance(suite, n) for n in ecarts] for nom, suite in suites.items()}

# %% [markdown]
# Le titre de la figure donne la corrélation à cent pas d'écart, soit deux secondes de jeu.

# %%
lointains = number(courbes["x, dans l'ordre"][-1], 2)
figures.curves(
    ecarts,
    courbes,
    f"Dans cet épisode, deux positions distantes de cent pas restent corrélées à {lointains}",
    ("écart entre les deux pas", "corrélation"),
)

# %% [markdown]
# Cent pas ne suffisent pas : dans cet épisode, le chariot dérive lentement d'un bout à l'autre, et une position
# ressemble longtemps aux précédentes. L'angle, lui, oublie bien plus vite. Mais il suffit d'une
# composante lente pour que tout un paquet de pas consécutifs ne montre qu'un coin du jeu.
#
# Mélangés, les mêmes pas ne sont plus corrélés. C'est l'idée de la **mémoire de rejeu** : ranger chaque transition,
# et apprendre de lots tirés au hasard dans tout ce qu'on a gardé, beaucoup d'épisodes mêlés. Lin propose en 1992 de
# rejouer les expériences passées ; le DQN (Mnih et coll., 2013 et 2015) y ajoute ces petits lots, tirés uniformément. La
# mémoire a un second avantage : une transition sert plusieurs fois, au lieu d'une.

# %% [markdown]
# A-t-on le droit d'apprendre de pas joués par un agent plus ancien, moins bon ? Oui : la mise à jour du carnet 02
# vise la meilleure suite, quoi que l'agent ait fait ensuite. Elle est **hors politique**, et c'est ce qui rend la
# mémoire possible.
#
# ### Ce que vaut la mémoire
#
# Le réseau nu de la fin du carnet 02 apprenait de chaque pas, puis l'oubliait. L'étude `etudes/rejeu.py` lui donne
# des lots de 64, tirés soit des 64 derniers pas, soit de tous ; rien d'autre ne change, et il n'a toujours pas de
# réseau cible. Vingt graines neuves.
#
# > **À vous.** Que gagne-t-on, en retour moyen sur l'ensemble des évaluations, à tirer de tous les pas plutôt que des 64 derniers ?

# %%
rejeu = load_study("../etudes/rejeu.csv")
un, derniers, tous, *avec_cible = dict.fromkeys(rejeu["reglage"].tolist())
retours = {nom: evaluations_of(rejeu, reglage=nom) for nom in (un, derniers, tous)}


def ecart(nom, autre):
    """Ce que `nom` ajoute à `autre` : retour moyen de la courbe, graine à graine (20,)."""
    un, autre = (evaluations_of(rejeu, reglage=lequel).mean(axis=1) for lequel in (nom, autre))
    return un - autre


# %%
milieu, bas, haut = map(
    number, (ecart(tous, derniers).mean(), *paired_interval(ecart(tous, derniers)))
)
titre = f"Tirer de tous les pas, non des 64 derniers : {milieu} pas de plus [{bas} ; {haut}]"
figures.learning_curves(np.arange(500, 10_001, 500), retours, titre)

# %% [markdown]
# L'intervalle contient zéro : nous ne savons pas si mélanger davantage aide. Voici le plus petit effet que ces vingt
# graines avaient quatre chances sur cinq de montrer, puis deux écarts exploratoires : le même, avec un réseau cible,
# et ce que rapporte un lot au lieu d'un seul pas.

# %%
print("plus petit effet visible :", number(float(smallest_effect(ecart(tous, derniers)))), "pas")
essais = {"avec un réseau cible": avec_cible[::-1], "un lot au lieu d'un pas": (derniers, un)}
for nom, deux in essais.items():
    ce = ecart(*deux)
    print(nom, ":", *(number(x) for x in (ce.mean(), *paired_interval(ce))), "(moyenne, bas, haut)")

# %% [markdown]
# Ce qui se voit à CartPole n'est donc pas la raison que l'on donne d'ordinaire. Apprendre de 64 pas à la fois aide
# nettement : chacun sert plusieurs fois, et le gradient tremble moins ; cette mesure ne sépare pas les deux. Nous
# n'avons pas vu qu'il soit utile de les prendre loin les uns des autres. Il est vrai qu'au début 64 pas font deux ou
# trois épisodes entiers. L'autre raison, ne pas oublier ce qui n'arrive plus, ne se juge que sur la durée : carnet
# 10.

# %% [markdown]
# ## 2. Le code du document
#
# Le document garde ses transitions dans cinq tableaux circulaires, des `carray`. Quand un tableau est plein, la
# transition la plus récente prend la place de la plus ancienne. `listing` affiche le code tel qu'il s'exécute, lu
# dans son fichier ; d'abord l'écriture, puis la lecture, qui reçoit `perm`, des rangs tirés au hasard.

# %%
listing(version1.carray.append, version1.carray.sample_from_perm, comments=False)

# %% [markdown]
# La tête d'écriture, `head`, part de 0, passe à la dernière case, puis **descend**. La case d'après la
# tête contient donc le dernier élément écrit ; c'est pourquoi la lecture ajoute `head + 1`.
#
# > **À vous.** Sur un tableau de quatre cases, écrivez 10, 20, 30. Dans quelles cases sont-ils, et que
# > vaut `head` ?

# %%
petit = version1.carray(4, 1, np.int64)
for valeur in (10, 20, 30):
    petit.append(valeur)
print("cases :", petit.buf[:, 0], " head =", petit.head)
print("relus, à partir du plus récent :", petit.sample_from_perm(np.arange(3))[:, 0])

# %% [markdown]
# Tout va bien : les trois valeurs reviennent, la plus récente d'abord. Le document choisit une mémoire
# de 65 536 cases, et rien n'y manque. Le code a donc l'air juste.

# %% [markdown]
# ## 3. Le piège
#
# Un lecteur voudra un jour une autre taille, disons 10 000. Remplissons une telle mémoire avec des transitions
# numérotées, et tirons-y deux cents lots de 256. `version1.Buffer` réunit les cinq tableaux ; `push` y range une
# transition, `sample` en tire.

# %%
TAILLE = 10_000


def remplie(memoire):
    for numero in range(TAILLE):
        memoire.push((np.full(4, numero), 0, np.full(4, numero), 1, False))
    return memoire


# %% [markdown]
# Deux cents lots, tirés par le code du document :

# %%
document = remplie(version1.Buffer(TAILLE, seed=0))
tires = np.concatenate([document.sample(256)[0][:, 0] for _ in range(200)]).astype(int)

# %% [markdown]
# > **À vous.** Nous avons tiré 51 200 fois parmi 10 000 transitions. Combien de transitions différentes
# > pensez-vous que nous ayons vues ?

# %%
differentes = len(np.unique(tires))
comptes = np.bincount(tires, minlength=TAILLE)
figures.draw_counts(
    comptes, f"Avec {number(TAILLE)} places, le document n'en tire que {differentes}"
)

# %% [markdown]
# Tout le reste de la mémoire est perdu pour toujours. (Que nos lots soient aussi de 256 n'y est pour rien.) Ces 256
# transitions ne sortent d'ailleurs pas aussi souvent les unes que les autres : plusieurs rangs tombent sur la même case. Le
# programme tourne, la perte se calcule, aucune erreur ne s'affiche ; on accusera les réglages. Le coupable est
# l'opération `perm & (self.maxlen - 1)`, un « et » bit à bit qui n'égale le reste d'une division que si `maxlen`
# est une **puissance de deux**.

# %%
for taille in (65_536, TAILLE):
    bits = bin(taille - 1)
    print(f"{taille:6} − 1 = {bits:>18} : {bits.count('1'):2} bits, {2 ** bits.count('1'):6} cases")

# %% [markdown]
# Un « et » garde seulement les bits communs. Pour 65 536, les seize bits de 65 535 valent tous 1, et rien
# n'est perdu. Pour 10 000, il n'y a que huit bits à 1 : quel que soit le tirage, le résultat prend au plus
# $2^8 = 256$ valeurs. Une ligne de calcul suffisait à le voir.
#
# Ce n'est pas tout. Avant d'être pleine, une telle mémoire rend aussi des cases **jamais écrites** : des
# zéros, que l'agent prend pour des souvenirs. Comptons-les dans une mémoire à moitié remplie, où chaque
# vraie transition porte un numéro.

# %%
moitie = version1.Buffer(TAILLE, seed=0)
for numero in range(1, TAILLE // 2 + 1):
    moitie.push((np.full(4, numero), 0, np.full(4, numero), 1, False))
fausses = np.mean([moitie.sample(256)[0][:, 0] == 0 for _ in range(200)])
print(f"transitions tirées qui n'ont jamais eu lieu : {100 * fausses:.0f} %")

# %% [markdown]
# Pourquoi plus de la moitié ? Le « et » ne laisse atteindre que des cases tout en haut du tableau, déjà écrites, ou
# tout en bas, encore vides ; et les rangs tirés mènent plus souvent en bas.
#
# > **Attention.** Un test écrit avec 1 024 cases aurait approuvé ce code. Une optimisation qui suppose
# > une condition doit la vérifier, ou ne pas exister.

# %% [markdown]
# ## 4. Quatre autres défauts
#
# Premier défaut : le tirage est une permutation de **toute** la mémoire, dont on garde 256 éléments. Son coût croît
# avec la taille, alors que celle du lot ne change pas. Chronométrons-le, à côté de la mémoire du cours.


# %%
def duree(memoire, repetitions=30):
    """La durée d'un tirage de 256, en microsecondes : la plus courte de cinq moyennes."""
    return 1e6 * min(repeat(lambda: memoire.sample(256), number=repetitions)) / repetitions


# %% [markdown]
# Pour que la comparaison soit juste, la mémoire du cours doit être pleine, elle aussi.


# %%
def pleine(taille):
    """La mémoire du cours, pleine de transitions nulles."""
    memoire, zeros = ReplayBuffer(taille), np.zeros((taille, 4))
    memoire.add(zeros, np.zeros(taille, int), np.ones(taille), np.zeros(taille, bool), zeros)
    return memoire


# %% [markdown]
# Sept tailles, de 1 024 à 65 536 places, en doublant à chaque fois :

# %%
tailles = 2 ** np.arange(10, 17)
couts = {"le document": [], "la mémoire du cours": []}
for taille in tailles:
    ancienne = version1.Buffer(int(taille), seed=0)
    ancienne.len = ancienne.maxlen  # pleine : le tirage ne regarde pas le contenu
    couts["le document"].append(duree(ancienne))
    couts["la mémoire du cours"].append(duree(pleine(int(taille))))

# %% tags=["nbval-ignore-output"]
rapport = couts["le document"][-1] / couts["la mémoire du cours"][-1]
figures.curves(
    tailles,
    couts,
    f"À 65 536 places, le document tire {rapport:.0f} fois plus lentement",
    ("nombre de places", "durée d'un tirage de 256 (µs)"),
    log=True,
)

# %% [markdown]
# Deuxième défaut : les récompenses sont gardées sur huit bits, ce qui convient à CartPole, mais fausserait tout jeu
# dont les récompenses ne sont pas de petits entiers. Troisième défaut : tant que la mémoire contient moins de 256
# transitions, le lot est plus court que demandé, sans un mot ; les premières mises à jour se font sur une poignée de
# pas consécutifs, semblables à ceux de la section 1.

# %%
memoire = version1.Buffer(1024, seed=0)
for _ in range(20):
    memoire.push((np.zeros(4), 0, np.zeros(4), 0.5, False))

# %% [markdown]
# Vingt transitions sont rangées, chacune de récompense 0,5. Demandons-en 256.

# %%
lot = memoire.sample(256)
print("demandé 256, reçu", len(lot[0]), "; récompense 0,5 devenue", lot[3][0, 0])

# %% [markdown]
# Le dernier défaut n'est pas dans la mémoire, mais dans ce qu'on y range : un seul drapeau `done`, vrai aussi quand
# le temps est écoulé. Vous l'avez vu au [carnet 01](01_le_probleme.ipynb) : terminaison et troncature ne disent pas
# la même chose de l'avenir. Notre mémoire garde `terminated`, et lui seul.

# %% [markdown]
# ## 5. Un anneau de toute taille
#
# Voici la mémoire du cours. Un compteur dit combien de transitions sont passées ; divisé par la capacité, il
# laisse pour reste la place de la prochaine. Cherchez les deux lignes qui portent
# l'idée : `first = … % self.capacity` pour écrire, `generator.integers(len(self), …)` pour tirer. Les
# autres vérifient les formes, et servent à plusieurs agents à la fois.

# %%
listing(ReplayBuffer.add, ReplayBuffer.sample, ReplayBuffer.draw)

# %% [markdown]
# Le tirage prend 256 numéros au hasard, **avec remise** : un même pas peut sortir deux fois, ce qui est sans
# conséquence et dispense de permuter. Un lot trop grand est refusé, au lieu d'être raccourci.
#
# Comment savoir si cette mémoire est juste ? En la comparant à un arbitre écrit tout autrement : la file bornée de
# Python, `deque(maxlen=...)`, lente mais évidente.

# %%
memoire, arbitre = ReplayBuffer(7), deque(maxlen=7)
for numero in range(23):
    memoire.add(np.full(4, numero), 0, 1.0, False, np.full(4, numero))
    arbitre.append(numero)

# %% [markdown]
# Après vingt-trois ajouts, la mémoire et l'arbitre doivent contenir les sept mêmes numéros, les derniers.

# %%
vues = {int(numero) for _ in range(50) for numero in memoire.sample(7).observation[:, 0]}
print(sorted(vues) == sorted(arbitre), "pour une capacité de 7 :", sorted(vues))

# %% [markdown]
# Et la mémoire de 10 000 places ? Refaisons l'expérience de la section 3.

# %%
memoire = ReplayBuffer(TAILLE)
numeros = np.repeat(np.arange(TAILLE)[:, None], 4, axis=1)
memoire.add(numeros, np.zeros(TAILLE, int), np.ones(TAILLE), np.zeros(TAILLE, bool), numeros)
tires = np.concatenate([memoire.sample(256).observation[:, 0] for _ in range(200)]).astype(int)

# %%
differentes = number(len(np.unique(tires)))
figures.draw_counts(
    np.bincount(tires, minlength=TAILLE),
    f"Avec {number(TAILLE)} places, la mémoire du cours en tire {differentes}",
)

# %% [markdown]
# Les transitions qui manquent ne sont pas perdues. En 51 200 tirages, chacune a une chance sur 170 environ de ne
# pas sortir ($e^{-5{,}12}$) : il doit en rester une soixantaine, que d'autres lots verront. Ne les cherchez pas sur
# la figure : dix mille traits s'y recouvrent, et l'on ne voit que les plus hauts. Remarquez plutôt l'échelle : une
# quinzaine de tirages au plus par transition, au lieu de centaines.

# %% [markdown]
# ## 6. À vous
#
# **Exercice 1, à calculer (3 minutes).** Combien de transitions le code du document atteint-il avec une
# mémoire de 50 000 places ? Et de 65 535 ?
#
# <details><summary>Solution</summary>
#
# Comptez les bits à 1 de `maxlen - 1`. Pour 49 999, `bin(49_999).count("1")` donne 9, soit 512 cases.
# Pour 65 534, il y en a 15 : à une place près, on perd la moitié de la mémoire.
#
# </details>
#
# **Exercice 2, à écrire (10 minutes).** Réparez la dernière ligne de la méthode ci-dessous, copie de celle du
# document. Vous devez atteindre exactement 10 000 places.


# %%
class MonTableau(version1.carray):
    def sample_from_perm(self, perm):
        perm = perm + self.head + 1
        return self.buf[perm & (self.maxlen - 1)]


# %%
essai = MonTableau(TAILLE, 1, np.int64)
for numero in range(TAILLE):
    essai.append(numero)
print("places atteintes :", len(np.unique(essai.sample_from_perm(np.arange(TAILLE)))))

# %% [markdown]
# <details><summary>Indice</summary>
#
# L'opérateur du reste est `%`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# `return self.buf[perm % self.maxlen]`. Si vous lisez 9 999, vous avez gardé le « − 1 » : une case n'est
# jamais relue, et le résultat, presque juste, n'en est que plus trompeur.
#
# </details>
#
# **Exercice 3, à écrire (5 minutes).** Dans un anneau de `capacite` places, où vont les prochaines
# transitions ? Remplacez les trois points, puis exécutez la cellule : `check` met votre fonction à
# l'épreuve, propriété par propriété, sur des cas calculés à la main et sur d'autres, tirés au hasard.


# %%
def places_suivantes(capacite, ajoutees, nombre):
    """Rend les places (nombre,) où iront les `nombre` prochaines transitions d'un anneau.

    Il a `capacite` places, de 0 à `capacite - 1`, et a déjà reçu `ajoutees` transitions, la
    première à la place 0. `nombre` est au plus `capacite`.
    """
    ...


check(places_suivantes)

# %% [markdown]
# <details><summary>Indice</summary>
#
# La transition numéro `n`, comptée à partir de 0, va à la place `n % capacite`. `np.arange(nombre)` les compte.
#
# </details>
#
# C'est, à un nom près, la ligne `slots` de la mémoire du cours.

# %%
show("places_suivantes")

# %% [markdown]
# **Exercice 4, à écrire (20 minutes).** Écrivez une mémoire entière, pour un seul agent. Elle range des
# tuples `(observation, action, recompense, terminated, suivante)`, où `observation` et `suivante` sont
# des tableaux de quatre nombres. La lenteur n'est pas une faute ; perdre un champ en est une.


# %%
class Memoire:
    """Un anneau qui garde les `capacite` dernières transitions ajoutées."""

    def __init__(self, capacite): ...

    def __len__(self):
        """Rend le nombre de transitions gardées."""
        ...

    def ajouter(self, transition):
        """Garde une copie de `transition`, au besoin à la place de la plus ancienne.

        L'appelant peut ensuite réutiliser les deux tableaux d'observation.
        """
        ...

    def tirer(self, nombre, hasard):
        """Rend une liste de `nombre` transitions, tirées uniformément, avec remise.

        `hasard` est un générateur de NumPy, seule source des tirages. Le lot rendu ne change plus,
        quoi qu'on ajoute ensuite. ValueError si `nombre` dépasse le nombre de transitions gardées.
        """
        ...


compte_rendu = check(Memoire)
compte_rendu

# %% [markdown]
# <details><summary>Indice</summary>
#
# Une liste de `capacite` places et un compteur d'ajouts suffisent : la place à écrire est un reste, la
# longueur un minimum. `hasard.integers(n, size=nombre)` tire `nombre` entiers de 0 à `n - 1`, avec remise.
#
# </details>
#
# Voici une réponse, à déplier quand vous avez la vôtre ; une file `deque(maxlen=capacite)` convient aussi.

# %%
show("Memoire")

# %% [markdown]
# Quand tout est coché, votre mémoire refait l'expérience de la section 3 : dix mille places, les mêmes
# 51 200 tirages. Y verrez-vous autant de transitions que dans celle du cours ?

# %%
if compte_rendu.passed:
    mienne, hasard = Memoire(TAILLE), np.random.default_rng(0)
    for numero in range(TAILLE):
        etat = np.full(4, numero)
        mienne.ajouter((etat, 0, 1.0, False, etat))
    vues = {int(pas[0][0]) for _ in range(200) for pas in mienne.tirer(256, hasard)}
    print("transitions vues :", number(len(vues)))

# %% [markdown]
# **Question.** Une mémoire plus grande est-elle toujours meilleure ?
#
# <details><summary>Réponse</summary>
#
# Pas forcément. Une grande mémoire garde les erreurs de débutant longtemps après que l'agent les a dépassées ; une
# petite oublie à quoi ressemble une chute, quand l'agent ne tombe plus. Le carnet 10 mesure le prix de la petite ;
# celui de la grande, s'il existe à CartPole, ne se voit pas au carnet 08 : on y ramène la mémoire à cinq mille
# places, et l'on y donne le plus petit effet qui se serait vu.
#
# </details>
#
# ## Ce que ce carnet ne montre pas
#
# Nous avons tiré les transitions au hasard, toutes avec la même probabilité. D'autres mémoires tirent plus souvent
# celles qui surprennent le plus. Et il manque encore de quoi apprendre : un réseau, et une cible à viser.

# %% [markdown]
# ## Testez-vous
#
# Une conclusion, un calcul, un choix.
#
# **1.** Deux mémoires sont comparées sur vingt graines : la seconde gagne 18 pas en moyenne, intervalle à 95 % de −50
# à 85. Qu'en concluez-vous ?
#
# - **A.** La seconde vaut mieux : sa moyenne est plus haute.
# - **B.** Elles se valent : l'intervalle contient zéro.
# - **C.** On ne sait pas ; un gain de 85 pas reste possible, une perte de 50 aussi.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est oublier le hasard des graines.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ C'est prendre une absence de preuve pour une preuve d'absence.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✔ Un intervalle qui contient zéro ne dit pas « rien » : il dit ce que ces graines laissent possible.
#
# </details>
#
# **2.** Une mémoire pleine contient 10 000 transitions. On en tire 10 000, au hasard et **avec remise**. Combien
# ne sont jamais sorties ?
#
# - **A.** Aucune, ou presque : il y a autant de tirages que de transitions.
# - **B.** Environ 3 700.
# - **C.** Environ 6 300.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ Ce serait vrai d'un tirage **sans** remise.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Une transition donnée échappe à un tirage avec une probabilité de $1 - 1/10\,000$, et aux 10 000 avec
# $(1 - 1/10\,000)^{10\,000} \approx e^{-1} \approx 0{,}37$.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ Ce nombre compte celles qui sont sorties au moins une fois.
#
# </details>
#
# **3.** Votre mémoire a réussi un test : 64 places, cent ajouts, et l'on n'y retrouve que les 64 derniers, tous.
# Vous n'avez le temps d'en écrire qu'un de plus. Lequel ?
#
# - **A.** Cent places, 250 ajouts, et la comparaison avec une file bornée de Python.
# - **B.** Le même, refait avec mille graines.
# - **C.** Le même avec 1 024 places, plus près de l'usage réel.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✔ Ce test fait varier ce que le premier laissait fixe : la capacité n'y est plus une puissance de deux ; et son
# arbitre est écrit tout autrement.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ C'est répéter mille fois la même question.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ Il semble plus sévère, parce que le nombre est plus grand ; mais 1 024 est encore une puissance de deux, et le
# code du document réussirait ce test, lui aussi.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. On **range** les pas, on les **tire au hasard**, par **lots** : à CartPole, c'est l'effet du lot qui se voit.
#    Des pas voisins se ressemblent, mais nous n'avons pas vu qu'il soit utile de tirer plus loin (plus petit effet visible :
#    section 1).
# 2. `x & (n - 1)` n'est un reste que si `n` est une **puissance de deux** ; à 10 000 places, on n'en atteint que
#    256, sans un mot.
# 3. On éprouve une structure de données en la comparant à un **arbitre** simple, à des tailles quelconques, et
#    l'on refuse un lot trop grand au lieu de le raccourcir.
#
# Le prochain carnet donne à l'agent un réseau et une cible : [04 · Le DQN](04_le_dqn.ipynb).
