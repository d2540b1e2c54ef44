# %% [markdown]
# # 02 · De la table au réseau
#
# **La question.** La tige tombe. Quelle poussée l'a perdue ? La dernière n'y pouvait plus rien ; la
# faute est peut-être vieille de trente pas. Comment dire ce que vaut un coup dont le fruit ne vient que
# bien plus tard, et comment l'apprendre sans connaître les équations ?
#
# Nous partons d'un couloir de cinq cases, dont les valeurs se calculent à la main, puis s'apprennent par
# l'expérience ; nous portons la méthode sur CartPole, nous la voyons peiner, et nous comprenons pourquoi il lui faut
# un réseau. À la fin, vous lirez les trois lignes où le document fondateur enferme tout cela.
#
# *Lecture : 65 minutes ; exercices : 30 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
import inspect

import gymnasium
import numpy as np
import torch
from torch import nn

from cartpole_helpers import (
    CartPoleVector,
    Config,
    Training,
    bootstrap_interval,
    evaluate,
    interquartile_mean,
    policies,
    version1,
)
from cartpole_helpers.cartpole import START_LIMIT, THETA_LIMIT, X_LIMIT, dynamics, has_fallen
from cartpole_helpers.display import figures
from cartpole_helpers.display.live import each, follow
from cartpole_helpers.display.numbers import number
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. Ce que vaut une case
#
# Voici un monde que l'on embrasse d'un regard. Un couloir compte cinq cases. À chaque pas, on va à
# gauche (action 0) ou à droite (action 1). Sortir à droite rapporte 1 (c'est le trésor) ; sortir à gauche
# ne rapporte rien ; dans les deux cas, l'épisode finit. Aucun autre pas ne rapporte quoi que ce soit.
#
# | sortie, 0 ← | case 0 | case 1 | case 2 | case 3 | case 4 | → sortie, 1 |
# |:---:|:---:|:---:|:---:|:---:|:---:|:---:|

# %%
CASES, GAUCHE, DROITE = 5, 0, 1

# %% [markdown]
# Une fonction résume les règles : on lui donne une case et une action, et elle dit ce qui arrive.


# %%
def avancer(case, action):
    """Rend la récompense, la case suivante, et si l'épisode est fini."""
    suivante = case + 1 if action == DROITE else case - 1
    return float(suivante == CASES), suivante, suivante in (-1, CASES)


# %% [markdown]
# De la case 0, le trésor est à cinq pas. Vaut-il autant que vu de la case 4, d'où l'on sort en un pas ? On convient
# que non : une récompense perd de son prix à mesure qu'elle s'éloigne. Cette convention garde finies les valeurs
# de l'agent (section 7) ; le score de CartPole, lui, reste la somme simple.
#
# Reçue au premier pas, la récompense compte en entier ; un pas plus tard, elle est multipliée par $\gamma$,
# le **facteur d'actualisation** ; encore un pas, par $\gamma^2$. La somme s'appelle le **retour actualisé** :
#
# $$ G = r_1 + \gamma\, r_2 + \gamma^2 r_3 + \gamma^3 r_4 + \cdots $$
#
# Avec $\gamma = 0{,}9$, le trésor vu de la case 0 vaut donc :

# %%
GAMMA = 0.9
recompenses = [0, 0, 0, 0, 1]  # cinq pas vers la droite
sum(GAMMA**t * recompense for t, recompense in enumerate(recompenses))

# %% [markdown]
# Ce nombre dépend de la façon de jouer : qui va à gauche n'aura rien. On retient la meilleure. La
# **valeur** d'un état, $V(s)$, est le plus grand retour que l'on puisse en espérer. La **valeur d'une
# action**, $Q(s, a)$, est celui que l'on obtient en prenant d'abord $a$, puis en jouant au mieux :
# $V(s)$ est donc la plus grande des $Q(s, a)$.
#
# Qui connaît $Q$ sait jouer, sans plan ni calcul : il prend, à chaque pas, l'action dont la valeur est la plus
# grande. Tout ce cours est dans cette remarque ; le reste consiste à trouver $Q$.
#
# Suivre le jeu jusqu'au bout, pour chaque action de chaque état, serait sans fin. Richard Bellman
# remarque dans les années 1950 qu'il suffit de regarder **un pas** plus loin :
#
# $$ Q(s, a) = r + \gamma\, \max_{a'} Q(s', a') $$
#
# En français : un coup vaut ce qu'il rapporte tout de suite, plus $\gamma$ fois ce que vaut le meilleur
# coup d'après. Si l'épisode est fini, il n'y a plus de coup d'après, et il reste $r$. (Ici, une action
# n'a qu'un effet possible ; si le hasard s'en mêlait, il faudrait prendre la moyenne du membre de
# droite.)


# %%
def cible(table, recompense, suivante, fini):
    """Le membre de droite de l'équation de Bellman, lu dans la table."""
    return recompense if fini else recompense + GAMMA * table[suivante].max()


# %% [markdown]
# L'équation définit $Q$ par $Q$ : elle semble tourner en rond. Prenons-la comme un mode d'emploi. On part d'une
# table de zéros, on calcule le membre de droite pour chaque action de chaque case, et l'on obtient une nouvelle
# table. C'est un **balayage**. Puis on recommence.


# %%
def balayer(table):
    """Rend une nouvelle table : la cible de chaque action de chaque case."""
    cibles = [[cible(table, *avancer(s, a)) for a in (GAUCHE, DROITE)] for s in range(CASES)]
    return np.array(cibles)


# %% [markdown]
# > **À vous.** Après un balayage, une seule case sait qu'il y a un trésor. Laquelle ? Au bout de combien
# > de balayages la case 0 l'apprend-elle ? Et quel est le premier balayage qui ne change aucune valeur $V$ ?

# %%
verite = np.zeros((CASES, 2))
print("case                0      1      2      3      4")
for balayage in range(1, 7):
    verite = balayer(verite)
    print(f"balayage {balayage}, V :", *(f"{valeur:.4f}" for valeur in verite.max(axis=1)))

# %% [markdown]
# La nouvelle du trésor recule d'une case par balayage : la case 4 apprend de la sortie, la case 3 apprend de la
# case 4, et ainsi de suite. Au cinquième, la case 0 sait ; au sixième, aucune valeur de case ne bouge.
#
# La table vérifie alors l'équation de Bellman partout. Or, si $\gamma < 1$, cette équation n'a qu'une solution :
# un balayage multiplie par $\gamma$ au plus l'écart entre deux tables, et deux solutions, qu'il laisserait en
# place, ne peuvent donc que coïncider. Ce n'est plus une estimation, c'est la réponse.
#
# Remarquez **d'où** vient le savoir de la case 3. Aucune récompense ne l'a touchée : elle a cru sa voisine. Estimer
# une valeur à partir d'une autre estimation s'appelle l'**amorçage** (*bootstrapping*). C'est toute la force de la
# méthode et, plus loin, tout son danger.

# %%
print("       gauche  droite")
for case, (gauche, droite) in enumerate(verite):
    print(f"case {case}  {gauche:.4f}  {droite:.4f}")

# %% [markdown]
# Voici $Q$ tout entière. À droite, les puissances de 0,9. À gauche, elles aussi : aller à gauche depuis
# la case 3, c'est se retrouver en case 2, et repartir ; on perd deux pas, soit un facteur $0{,}9^2$.
# Seule l'action qui sort du mauvais côté ne vaut rien. Sur chaque ligne, la droite l'emporte : la
# meilleure politique va toujours à droite, et il a suffi de la lire.

# %% [markdown]
# ## 2. Apprendre sans connaître les règles
#
# Pour balayer, nous avons appelé `avancer` sur chaque action de chaque case : nous connaissions les règles. Un
# agent ne les connaît pas. Il est quelque part, il agit, il voit ce qui arrive : une récompense, une case suivante,
# un drapeau de fin. Il n'a que des **transitions**, une à la fois.
#
# Le **Q-learning** (Watkins, 1989) s'en contente. À chaque transition, on calcule la même cible, pour la
# seule case que l'on quitte et la seule action que l'on a prise, et l'on fait un pas vers elle :
#
# $$ Q(s, a) \leftarrow Q(s, a) + \alpha\,\bigl[\, r + \gamma \max_{a'} Q(s', a') - Q(s, a) \,\bigr] $$
#
# Entre crochets, la **surprise**, ou erreur de différence temporelle : ce que l'on vient de voir, moins ce que l'on
# croyait. On ne corrige qu'une part $\alpha$ de l'écart, car, si le hasard s'en mêle, une seule transition peut
# tromper, et l'on veut une moyenne.
#
# Reste à choisir où aller. L'agent **ε-glouton** prend l'action que sa table préfère ; avec la probabilité ε,
# il tire au hasard.

# %%
ALPHA, DEPART = 0.5, 2

# %% [markdown]
# Voici l'algorithme entier. Deux lignes le portent, celles de la `surprise`.


# %%
def q_learning(table, graine, pas, epsilon):
    """Joue et corrige `table` en place ; rend son erreur maximale après chaque pas."""
    hasard, case, erreurs = np.random.default_rng(graine), DEPART, []
    for _ in range(pas):
        explore = hasard.random() < epsilon
        action = hasard.integers(2) if explore else table[case].argmax()
        recompense, suivante, fini = avancer(case, action)
        surprise = cible(table, recompense, suivante, fini) - table[case, action]
        table[case, action] += ALPHA * surprise
        case = DEPART if fini else suivante
        erreurs.append(np.abs(table - verite).max())
    return erreurs


# %% [markdown]
# L'agent commence chaque épisode en case 2, avec une table de zéros. Comme nous connaissons la
# vérité, nous pouvons suivre sa plus grande erreur pas à pas.
#
# > **À vous.** Trois agents : le premier tire toutes ses actions au hasard (ε = 1), le deuxième une sur
# > deux, le troisième une sur dix. Lequel trouvera le premier les valeurs de la **meilleure** façon de
# > jouer ?

# %%
PAS, essais = 400, {}
for epsilon in (1.0, 0.5, 0.1):
    tables = [np.zeros((CASES, 2)) for _ in range(20)]
    erreurs = [q_learning(table, graine, PAS, epsilon) for graine, table in enumerate(tables)]
    essais[f"ε = {number(epsilon, 1)}"] = np.array(erreurs)  # (graines, pas)

# %% [markdown]
# Combien d'agents, sur vingt, connaissent toute la table à 0,1 près au bout de 400 pas ? Le titre le dit.

# %%
savants = {nom: np.sum(erreurs[:, -1] < 0.1) for nom, erreurs in essais.items()}
figures.curves(
    np.arange(1, PAS + 1),
    {nom: np.median(erreurs, axis=0) for nom, erreurs in essais.items()},
    f"Toute la table à 0,1 près : {savants['ε = 1,0']} agents sur 20 si ε = 1, "
    f"{savants['ε = 0,1']} si ε = 0,1",
    ("pas de jeu (médiane de 20 graines ; bande : les extrêmes)", "plus grande erreur sur Q"),
    log="y",
    bands={nom: (erreurs.min(axis=0), erreurs.max(axis=0)) for nom, erreurs in essais.items()},
)

# %% [markdown]
# Celui qui ne joue qu'au hasard apprend le mieux. Il erre dans le couloir, et pourtant sa table
# s'approche des valeurs de la marche droite : la cible contient un $\max$, qui suppose un avenir bien
# joué, quoi que l'agent fasse en réalité.
#
# On dit que le Q-learning est **hors politique** (*off-policy*) : il apprend une façon de jouer et en suit une
# autre. Le carnet 03 en tirera parti : l'agent y apprendra encore de coups joués du temps où il jouait mal.
#
# Le troisième n'a rien appris du tout. Sa table de zéros ne préfère rien, et `argmax`, devant
# l'égalité, rend la première action : la gauche. Il sort donc du mauvais côté, sans fin. Même par le
# plus court chemin, le trésor lui demande trois coups au hasard de suite, tous à droite :
# $(0{,}1 \times \tfrac12)^3$, une chance sur huit mille à chaque départ. Le deuxième souffre du même mal, à moitié.
#
# > **Attention.** Ce qu'on n'essaie jamais, on ne l'apprend jamais. Le théorème qui garantit le
# > Q-learning (Watkins et Dayan, 1992) demande que chaque action soit essayée dans chaque état sans
# > relâche, et que $\alpha$ décroisse, ni trop vite ni trop lentement. Cela suffit, sans être nécessaire : dans ce
# > couloir sans hasard, un $\alpha$ constant converge aussi.
#
# Il y a une autre façon d'explorer, sans aucun hasard : l'**optimisme**. Au départ, remplissons la
# table de 1 : rien ici ne peut valoir davantage. Tout ce que l'agent n'a pas essayé lui semble alors
# excellent.
#
# > **À vous.** Avec ε = 0 et une table de 1, trouvera-t-il le trésor ? Et toutes les valeurs ?

# %%
optimiste = np.ones((CASES, 2))
erreur = q_learning(optimiste, graine=0, pas=PAS, epsilon=0.0)[-1]
print("plus grande erreur :", number(erreur, 3))

# %% [markdown]
# La table n'est donc pas juste partout. Comparons-la, nombre par nombre, à la vérité.

# %%
print("     gauche, appris (vrai)    droite, appris (vrai)")
for case, (appris, vrai) in enumerate(zip(optimiste, verite, strict=True)):
    paires = [f"{a:12.3f} ({v:.3f})" for a, v in zip(appris, vrai, strict=True)]
    print(f"{case}  ", "     ".join(paires))

# %% [markdown]
# La bonne sortie est trouvée. À chaque déception, une valeur baisse, et l'agent va voir ailleurs,
# jusqu'à ce que le bon chemin soit le meilleur **en comparaison**. De la case 2 à la sortie, la colonne
# de droite est juste. Les autres nombres ne le sont pas : il lui a suffi, sur son chemin, de savoir que
# la gauche valait moins que la droite.

# %% [markdown]
# ## 3. CartPole en table
#
# L'état de CartPole, ce sont quatre nombres réels : les états sont bien plus nombreux que les lignes d'une table. On
# découpe donc chaque composante en tranches : quatre tranches, une par composante, forment une **case**, et l'on y
# range ensemble tous les états qui y tombent. L'idée est aussi vieille que le problème : Michie et Chambers découpent
# ainsi l'état dès 1968, en 225 cases, et l'article de 1983 d'où viennent nos équations (Barto, Sutton et Anderson),
# en 162.
#
# Les deux vitesses n'ont pas de limite. Nous les bornons à ±2 (m/s pour le chariot, rad/s pour la tige), ce qui
# suffit tant que la chute n'est pas proche : ce qui dépasse est rangé dans la tranche du bord.

# %%
LIMITES = np.array([X_LIMIT, 2.0, THETA_LIMIT, 2.0])

# %% [markdown]
# Pour trouver la case d'un état, on cherche le rang de sa tranche dans chaque composante, puis on fait de
# ces quatre rangs un seul numéro, comme on lit un nombre à quatre chiffres.


# %%
def case_de(etats, tranches):
    """Le numéro de la case de chaque état, `tranches` par composante : (..., 4) → (...)."""
    tranches = np.broadcast_to(tranches, 4)
    rangs = ((etats / LIMITES + 1) / 2 * tranches).astype(int).clip(0, tranches - 1)
    return rangs @ np.cumprod([1, *tranches[:-1]])


# %% [markdown]
# Avec huit tranches par composante, chaque tranche d'angle couvre 3°. Voici les cases de trois tiges
# immobiles, penchées de −0,25°, de 0,25° et de 2,75°.

# %%
tiges = np.zeros((3, 4))
tiges[:, 2] = np.radians([-0.25, 0.25, 2.75])
case_de(tiges, 8)

# %% [markdown]
# Les deux premières, que rien ne distingue à l'œil, sont dans deux cases différentes : ce que l'agent
# apprend de l'une, l'autre l'ignore. Les deux dernières, qui ne se ressemblent pas, partagent la leur :
# elles recevront la même action.
#
# Combien de tranches faut-il ? Essayons 2, 4, 8 et 16 par composante.

# %%
FINESSES = (2, 4, 8, 16)
print(*(f"{n:2} tranches : {number(n**4):>6} cases" for n in FINESSES), sep="\n")

# %% [markdown]
# Pour un chariot et une table, la boucle est celle du couloir, avec `case_de` en plus. La table commence optimiste : à
# $\gamma = 0{,}99$, une tige qui ne tomberait jamais vaudrait $1 + 0{,}99 + 0{,}99^2 + \cdots = 100$. L'optimisme suffit à
# explorer, et ε reste à zéro.

# %%
GRAINES, CHARIOTS, GAMMA_LONG, PAS_ALPHA = 12, 16, 0.99, 0.2


def un_seul(tranches, pas):
    """La table qu'apprend un chariot, un pas après l'autre."""
    jeu, table = gymnasium.make("CartPole-v1"), np.full((tranches**4, 2), 100.0)
    case = case_de(jeu.reset(seed=0)[0], tranches)
    for _ in range(pas):
        action = table[case].argmax()
        observation, recompense, tombe, coupe, _ = jeu.step(action)
        suivante = case_de(observation, tranches)
        avenir = 0.0 if tombe else table[suivante].max()
        table[case, action] += PAS_ALPHA * (recompense + GAMMA_LONG * avenir - table[case, action])
        case = case_de(jeu.reset()[0], tranches) if tombe or coupe else suivante
    return table


# %%
apprises = (un_seul(4, 20_000) != 100).any(axis=-1)
print(f"en 20 000 pas, {apprises.sum()} cases sur {len(apprises)} ont appris quelque chose")

# %% [markdown]
# > **Attention.** `tombe` est le drapeau `terminated`, et lui seul. Un épisode coupé au cinq centième pas a un avenir :
# > l'oublier, ce serait apprendre que tenir longtemps est grave.
#
# C'est tout le Q-learning. Un seul agent ne dit rien : douze apprendront à la fois, chacun avec sa table et seize
# chariots. C'est la même boucle sur 192 chariots, donc sur des tableaux ; vous pouvez survoler les quatre fonctions qui
# suivent. `AGENT` donne le numéro de la table de chaque chariot ; `departs`, les vingt départs, les mêmes pour tous, d'où
# l'on jugera les agents. Si deux chariots d'un agent corrigent le même nombre au même instant, une seule
# correction compte.

# %%
AGENT = np.repeat(np.arange(GRAINES), CHARIOTS)
departs = np.random.default_rng(2024).uniform(-START_LIMIT, START_LIMIT, (20, 4))
departs = np.broadcast_to(departs, (GRAINES, 20, 4))


# %%
def corriger(tables, cases, actions, recompenses, tombes, suivantes):
    """Le Q-learning, sur tous les chariots à la fois ; seule la chute arrête l'amorçage."""
    avenir = np.where(tombes, 0.0, tables[AGENT, suivantes].max(axis=-1))
    surprises = recompenses + GAMMA_LONG * avenir - tables[AGENT, cases, actions]
    tables[AGENT, cases, actions] += PAS_ALPHA * surprises


# %% [markdown]
# Pour juger une table, on la fait jouer sans explorer, depuis des départs qu'elle n'a pas vus, jusqu'à
# la chute ou 500 pas. `tenir` compte les pas, pour n'importe quelle politique.


# %%
def tenir(politique, etats, limite=500):
    """Le nombre de pas que tient `politique` depuis chacun des `etats` (..., 4)."""
    pas, debout = np.zeros(etats.shape[:-1]), np.ones(etats.shape[:-1], bool)
    for _ in range(limite):
        pas += debout
        etats = np.where(debout[..., None], dynamics(etats, politique(etats)), etats)
        debout &= ~has_fallen(etats)
        if not debout.any():
            break
    return pas


# %% [markdown]
# La politique jugée prend, dans chaque case, l'action que la table préfère.


# %%
def noter(tables, tranches):
    """Le retour moyen de la politique gloutonne de chaque table : (graines,)."""
    agents = np.arange(GRAINES)[:, None]
    return tenir(lambda s: tables[agents, case_de(s, tranches)].argmax(-1), departs).mean(axis=1)


# %% [markdown]
# Et la boucle : agir, avancer, corriger, et noter aux `moments` voulus.
#
# > **Attention.** `CartPoleVector` relance de lui-même un chariot tombé : son `observations` est déjà le nouveau
# > départ. L'état où le pas a mené est dans `info["final_obs"]`, et c'est sa valeur que demande la cible.


# %%
def apprendre(tranches, moments):
    """Douze tables apprises ensemble, et leurs retours (graines, moments)."""
    chariots, retours = CartPoleVector(GRAINES * CHARIOTS), []
    cases = case_de(chariots.reset(seed=0)[0], tranches)
    tables = np.full((GRAINES, np.prod(np.broadcast_to(tranches, 4)), 2), 100.0)
    for tour in range(1, moments[-1] // CHARIOTS + 1):
        actions = tables[AGENT, cases].argmax(axis=-1)
        observations, recompenses, tombes, _, info = chariots.step(actions)
        suivantes = case_de(info["final_obs"], tranches)
        corriger(tables, cases, actions, recompenses, tombes, suivantes)
        cases = case_de(observations, tranches)
        if tour * CHARIOTS in moments:
            retours.append(noter(tables, tranches))
    return tables, np.array(retours).T


# %% [markdown]
# Les réglages sont les mêmes pour les quatre grilles. `each`, et plus bas `follow`, montrent par une barre où en est un
# long calcul.
#
# > **À vous.** 16, 256, 4 096 ou 65 536 cases : quelle grille jouera le mieux après quatre cent mille pas de jeu ?
# > Laquelle le plus mal ? (Les réseaux du carnet 00 n'ont joué que dix mille pas.)

# %% tags=["nbval-ignore-output"]
MOMENTS = 6_400 * 2 ** np.arange(7)  # de 6 400 à 409 600 pas, en doublant
grilles = {tranches: apprendre(tranches, MOMENTS) for tranches in each(FINESSES, "Grilles")}

# %% [markdown]
# À chaque point de la figure, l'agent a joué deux fois plus longtemps qu'au précédent. Le titre donne les scores au
# dernier point : la moyenne de la moitié centrale des douze agents.

# %% tags=["nbval-ignore-output"]
courbes = {f"{number(n**4)} cases": retours for n, (_, retours) in grilles.items()}
fins = [round(interquartile_mean(retours[:, -1])) for retours in courbes.values()]
figures.curves(
    MOMENTS,
    {nom: interquartile_mean(retours) for nom, retours in courbes.items()},
    "De la grille la plus grossière à la plus fine : {}, {}, {}, {} pas".format(*fins),
    ("pas de jeu (bande : intervalle à 95 %, 12 graines)", "retour moyen d'évaluation (pas)"),
    log="x",
    bands={nom: bootstrap_interval(retours) for nom, retours in courbes.items()},
)

# %% [markdown]
# Une table peut donc jouer à CartPole. Lisez les quatre courbes dans l'ordre. La grille de 16 cases
# semble **plafonner** : au dernier doublement, l'expérience n'y ajoute plus rien. Celle de 256 suffit. Celle de
# 4 096 fait aussi bien, plus tard. Avec 65 536, on y serait encore. Plus les tranches sont fines, plus la table
# pourrait en savoir, et plus il lui faut de temps pour l'apprendre.
#
# Mesurons ce qui pénalise chaque extrême. D'un côté, des cases **trop larges** : deux états qui demandent des actions
# contraires partagent la même case. Nous connaissons une bonne règle, le régulateur LQR du carnet 01. Tirons des
# états au hasard dans une case : s'il pousse à droite dans 70 % d'entre eux, une table, qui doit choisir, le
# contredira au moins dans les 30 % restants.
#
# Appelons cela l'**erreur forcée**. C'est un indice, non un verdict : d'autres règles que LQR tiennent
# la tige, et le jeu ne visite pas tous ces états.


# %%
def erreur_forcee(tranches, cases=2_000, points=100):
    """La part des états où une action par case contredit forcément LQR."""
    hasard = np.random.default_rng(0)
    coins = hasard.integers(tranches, size=(cases, 1, 4))
    etats = ((coins + hasard.random((cases, points, 4))) / tranches * 2 - 1) * LIMITES
    droite = policies.lqr(etats.reshape(-1, 4)).reshape(cases, points).mean(axis=1)
    return np.minimum(droite, 1 - droite).mean()


# %% [markdown]
# De l'autre côté, des cases **trop fines** : beaucoup n'ont rien appris du tout. On les reconnaît sans peine, car elles
# promettent encore 100. Personne n'y est passé, ou l'on n'en est sorti que vers d'autres cases à 100 : la cible
# y vaut alors $1 + 0{,}99 \times 100 = 100$, et la surprise est nulle.
#
# > **À vous.** Quand on passe de 16 à 65 536 cases, par combien divise-t-on l'erreur forcée ? Et quelle part
# > des 65 536 aura appris quelque chose, en quatre cent mille pas ?

# %%
forcees = [100 * erreur_forcee(tranches) for tranches in FINESSES]
vides = [100 * np.mean((tables == 100).all(axis=-1)) for tables, _ in grilles.values()]

# %% tags=["nbval-ignore-output"]
figures.curves(
    np.array(FINESSES) ** 4,
    {"états où la case se trompe forcément": forcees, "cases qui n'ont rien appris": vides},
    f"Des cases plus fines : {forcees[0]:.0f} puis {number(forcees[-1], 1)} % d'erreurs, "
    f"mais {vides[-1]:.0f} % de cases ignorantes",
    ("nombre de cases (échelle logarithmique)", "part (%)"),
    log="x",
)

# %% [markdown]
# Une courbe descend, l'autre monte : de quoi expliquer que le mieux soit au milieu, sans le démontrer. (L'endroit
# où elles se croisent ne veut rien dire : l'une compte des états, l'autre des cases.) Diviser par deux la largeur
# des tranches divise par deux, à peu près, l'erreur forcée : seules se trompent les cases que traverse la frontière
# entre les deux actions. Mais cela multiplie le nombre de cases par **seize**.
#
# Une part des cases ignorantes est hors d'atteinte, et ne manque à personne. Les autres attendent leur
# tour : comme tout y paraît parfait, l'agent optimiste ira les voir une à une.
#
# Seize, c'est $2^4$ : quatre composantes. Avec $d$ composantes et $n$ tranches, il faut $n^d$ cases. On
# appelle cela, d'un mot de Bellman lui-même, la **malédiction de la dimension**.

# %%
for composantes in (2, 4, 8, 16):
    print(f"{composantes:2} composantes, 8 tranches : {number(8**composantes):>19} cases")
chiffres = int(84 * 84 * 4 * np.log10(256)) + 1
print(f"quatre images d'un jeu Atari : un nombre de cases à {number(chiffres)} chiffres")

# %% [markdown]
# Quatre petites images de 84 points sur 84, en 256 niveaux de gris : c'est ce que voit le DQN de 2015.
# Aucune mémoire n'en logera jamais la table.
#
# Regardons pour finir ce qu'une table a dans la tête. Voici la première des douze qui ont huit
# tranches, quand le chariot est près du centre et presque immobile : à gauche, la valeur pour chaque
# angle et chaque vitesse angulaire ; à droite, ce que pousser à droite vaut de plus que pousser à gauche.

# %% tags=["nbval-ignore-output"]
premiere = grilles[8][0][0]
titre = f"Une table voit le monde en carreaux ; {vides[2]:.0f} % de ses cases n'ont rien appris"
figures.action_maps(lambda etats: premiere[case_de(etats, 8)], titre, x=0.1, x_dot=0.1)

# %% [markdown]
# Un pavage, dont la figure n'est qu'une coupe : 64 cases sur 4 096. À gauche, le jaune, proche de 100, désigne soit un
# état d'où l'on tient toujours, soit un état que l'on n'a jamais vu : la table les confond. Elle joue bien pourtant :
# il lui suffit d'avoir raison là où elle passe. À droite, la frontière noire entre les deux
# actions tourne à angle droit, et le blanc ne dit pas s'il est indifférence ou ignorance. Chaque
# carreau n'a que sa propre histoire ; seul l'amorçage, quand on passe de l'un à l'autre, les relie.

# %% [markdown]
# ## 4. Une case ne sait pas à qui elle ressemble
#
# C'est là le vrai défaut : la table ne **généralise** pas. L'amorçage fait bien passer une valeur d'une
# case à la suivante, mais seulement si l'on y passe ; deux cases voisines ne tirent rien de leur
# ressemblance.
#
# Pour le voir, oublions un moment les actions et l'amorçage. À partir d'exemples dont on connaît la réponse, il
# s'agit de deviner combien de pas tiendra, depuis un état donné, la règle « pousser du côté où la tige penche ».


# %%
def exemples(nombre, graine):
    """Des états au hasard, et le nombre de pas que la règle tient depuis chacun."""
    etats = np.random.default_rng(graine).uniform(-LIMITES, LIMITES, (nombre, 4))
    return etats, tenir(policies.push_by_angle, etats)


# %% [markdown]
# Le premier élève est une table : à chaque case, la moyenne des exemples qui y tombent. Devant une case
# vide, il répond la moyenne de tous.


# %%
def avec_table(tranches, etats, durees, neufs):
    """Ce que prédit une table de moyennes pour les états `neufs`."""
    cases, nombre = case_de(etats, tranches), tranches**4
    sommes = np.bincount(cases, durees, minlength=nombre)
    effectifs = np.bincount(cases, minlength=nombre)
    moyennes = np.where(effectifs > 0, sommes / np.maximum(effectifs, 1), durees.mean())
    return moyennes[case_de(neufs, tranches)]


# %% [markdown]
# Le second est un petit réseau de neurones, deux couches de 64, entraîné par 300 pas de gradient sur le
# carré de l'erreur. Il reçoit les quatre nombres, ramenés entre −1 et 1, et ne sait rien des tranches.
# Il compte en dizaines de pas, pour n'avoir à rendre que des nombres proches de 1.


# %%
def reseau_neuf(graine):
    torch.manual_seed(graine)
    return nn.Sequential(
        nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
    )


# %% [markdown]
# PyTorch veut ses nombres en simple précision :


# %%
def en_tenseur(tableau):
    return torch.as_tensor(tableau, dtype=torch.float32)


# %% [markdown]
# Le réseau s'entraîne comme tout autre : quelques exemples tirés au hasard (un **lot**), l'erreur, le
# gradient, un petit pas.


# %%
def entraine(etats, durees, graine):
    """Un réseau entraîné sur ces exemples."""
    reseau, hasard = reseau_neuf(graine), np.random.default_rng(graine)
    entrees, sorties = en_tenseur(etats / LIMITES), en_tenseur(durees / 10)
    descente = torch.optim.Adam(reseau.parameters(), lr=0.01)
    for _ in range(300):
        lot = hasard.integers(len(etats), size=128)
        perte = (reseau(entrees[lot])[:, 0] - sorties[lot]).square().mean()
        descente.zero_grad()
        perte.backward()
        descente.step()
    return reseau


# %% [markdown]
# Une fois entraîné, il répond à tout état, vu ou non.


# %%
def avec_reseau(etats, durees, neufs, graine):
    """Ce que prédit un réseau, entraîné sur ces exemples, pour les états `neufs`."""
    reponses = entraine(etats, durees, graine)(en_tenseur(neufs / LIMITES))
    return 10 * reponses.detach().numpy()[:, 0]


# %% [markdown]
# On interroge les deux élèves sur deux mille états qu'ils n'ont pas vus. Combien d'exemples leur faut-il ?
#
# > **À vous.** De cent à trente mille exemples : une table rattrapera-t-elle le réseau, et
# > quand ?

# %%
NOMBRES = (100, 300, 1_000, 3_000, 10_000, 30_000)
neufs, verites = exemples(2_000, graine=1_000)

# %% [markdown]
# Chaque élève reçoit les mêmes exemples, et sa note est son erreur moyenne, en pas : la valeur absolue, et non
# le carré sur lequel le réseau s'entraîne.


# %%
def erreurs(etats, durees, graine):
    """L'erreur moyenne de chaque élève sur les états neufs, en pas."""
    reponses = [avec_table(tranches, etats, durees, neufs) for tranches in (4, 8)]
    reponses.append(avec_reseau(etats, durees, neufs, graine))
    return [np.abs(reponse - verites).mean() for reponse in reponses]


# %% [markdown]
# Huit graines, donc huit tirages d'exemples et huit réseaux.

# %% tags=["nbval-ignore-output"]
notes = []
for graine in each(range(8), "Graines"):
    etats, durees = exemples(NOMBRES[-1], graine)
    notes.append([erreurs(etats[:nombre], durees[:nombre], graine) for nombre in NOMBRES])
notes = np.array(notes)  # (graines, nombres d'exemples, élèves)

# %% [markdown]
# Voici toute la course.

# %% tags=["nbval-ignore-output"]
ELEVES = ("table, 256 cases", "table, 4 096 cases", "réseau")
moyennes = dict(zip(ELEVES, notes.mean(axis=0).T, strict=True))
bandes = {nom: (notes[..., k].min(0), notes[..., k].max(0)) for k, nom in enumerate(ELEVES)}
a_battre = notes[:, -1, :2].mean(axis=0).min()  # la meilleure des deux, au bout du compte
assez = NOMBRES[np.argmax(moyennes["réseau"] < a_battre)]  # le premier nombre qui y suffit
figures.curves(
    NOMBRES,
    moyennes,
    f"Avec {number(assez)} exemples, le réseau fait mieux que les tables avec 30 000",
    ("nombre d'exemples (moyenne de 8 graines ; bande : les extrêmes)", "erreur moyenne (pas)"),
    log="x",
    bands=bandes,
)

# %% [markdown]
# Aucune des deux tables ne rattrape ici le réseau. La table fine n'approche qu'avec trente mille exemples la
# précision que le réseau atteint dès les premiers milliers ; la courbe de l'autre s'aplatit bien au-dessus, car ses
# cases mêlent trop d'états différents.
#
# Le réseau n'est pas parfait : sa courbe s'aplatit aussi. Mais chaque exemple lui apprend quelque chose sur bien
# d'**autres** états.
#
# Voyons-le sur une seule correction. Prenons une table, un réseau neuf et un réseau entraîné. Augmentons
# un peu leur réponse pour une tige penchée de 4,5°, chariot au centre et tout immobile, et
# regardons ce qui a changé pour les autres inclinaisons.
#
# > **À vous.** Dessinez les trois courbes à main levée : le changement de la réponse selon l'angle, de
# > −12° à 12°.

# %%
degres = np.linspace(-12, 12, 481)
ligne = np.zeros((len(degres), 4))
ligne[:, 2] = np.radians(degres)
ici, la_bas = np.argmin(np.abs(degres - 4.5)), np.argmin(np.abs(degres + 4.5))

# %% [markdown]
# Pour un réseau, corriger, c'est faire un pas de gradient sur le carré de l'écart à une cible, ici sa propre
# réponse, plus 1. Pour comparer les changements, nous les divisons par celui de l'état corrigé.


# %%
def changement(reseau):
    """Ce qu'un pas de gradient à 4,5° change partout, relativement à 4,5°."""
    entrees = en_tenseur(ligne / LIMITES)
    avant = reseau(entrees).detach()[:, 0]
    reseau.zero_grad()
    (avant[ici] + 1 - reseau(entrees[ici])).square().sum().backward()
    with torch.no_grad():
        for poids in reseau.parameters():
            poids -= 0.001 * poids.grad
    ecarts = (reseau(entrees).detach()[:, 0] - avant).numpy()
    return ecarts / ecarts[ici]


# %% [markdown]
# Dans la table, tout l'effet est dans la case de l'état corrigé.

# %%
changements = {
    "table": (case_de(ligne, 8) == case_de(ligne[ici], 8)).astype(float),
    "réseau neuf": changement(reseau_neuf(graine=0)),
    "réseau entraîné": changement(entraine(*exemples(3_000, graine=0), graine=0)),
}

# %% [markdown]
# Lisez d'abord les trois courbes à −4,5°, de l'autre côté de la verticale.

# %% tags=["nbval-ignore-output"]
table, neuf, instruit = (f"{100 * valeurs[la_bas]:.0f} %" for valeurs in changements.values())
figures.curves(
    degres,
    changements,
    f"Effet à −4,5° : table {table}, réseau neuf {neuf}, réseau entraîné {instruit}",
    ("angle θ (°)", "effet, relatif à 4,5°"),
)

# %% [markdown]
# La table relève une marche large de 3°, et rien d'autre. Le réseau neuf soulève presque toute la ligne d'un
# bloc. Le réseau entraîné s'est fait lui-même, sans tranches, une idée du **voisinage** : l'effet est fort auprès
# de l'état corrigé, plus faible au loin.
#
# Plus faible, mais pas nul. C'est sans doute pourquoi un réseau apprend vite, et pourquoi il peut **oublier** :
# corriger ici, c'est déranger là-bas. (Un seul réseau de chaque sorte a été dessiné : c'est une
# illustration, non une mesure ; le carnet 10 provoquera l'oubli.)

# %% [markdown]
# ## 5. La table était déjà un réseau
#
# Comment fait-on du Q-learning avec un réseau ? Récrivons la mise à jour de la table : elle ajoute à
# $Q(s, a)$ une part de l'écart à la cible. Un pas de gradient sur $(\text{cible} - Q(s, a))^2$ ajoute aussi,
# à chaque poids, une part de cet écart. Est-ce la même chose ? Exactement, pour un certain réseau.
#
# Donnons à chaque case du couloir un vecteur de cinq nombres, tous nuls, sauf un 1 à sa place. Une seule
# couche, sans biais, multiplie ce vecteur par une matrice de poids : elle en lit une colonne. Ses
# poids **sont** une table.

# %%
lineaire = nn.Linear(CASES, 2, bias=False, dtype=torch.float64)
nn.init.zeros_(lineaire.weight)
vecteurs = torch.eye(CASES, dtype=torch.float64)
descente = torch.optim.SGD(lineaire.parameters(), lr=ALPHA / 2)

# %% [markdown]
# La dérivée du carré apporte un facteur 2 : on prend donc un taux d'apprentissage de $\alpha / 2$. Écrivons la mise
# à jour. `detach` dit que la cible est un nombre à viser, et non une chose à corriger.


# %%
def pas_de_gradient(case, action, recompense, suivante, fini):
    """Le Q-learning, où la case d'une table est devenue la sortie d'un réseau."""
    but = recompense if fini else recompense + GAMMA * lineaire(vecteurs[suivante]).max().detach()
    perte = (but - lineaire(vecteurs[case])[action]).square()
    descente.zero_grad()
    perte.backward()
    descente.step()


# %% [markdown]
# > **À vous.** Faisons vivre la même aventure, quatre cents pas au hasard, à la table et au réseau.
# > Seront-ils d'accord à peu près, ou jusqu'au dernier chiffre ?

# %%
hasard, table, case = np.random.default_rng(0), np.zeros((CASES, 2)), DEPART
for _ in range(400):
    action = hasard.integers(2)
    recompense, suivante, fini = avancer(case, action)
    pas_de_gradient(case, action, recompense, suivante, fini)
    surprise = cible(table, recompense, suivante, fini) - table[case, action]
    table[case, action] += ALPHA * surprise
    case = DEPART if fini else suivante
np.allclose(lineaire.weight.detach().numpy().T, table, rtol=0, atol=1e-12)

# %% [markdown]
# `True` : ils sont d'accord aux arrondis près ($10^{-12}$). Passer de la table au réseau ne change pas la règle ;
# cela change ce que les états ont **en commun**. Avec un vecteur par case, rien : deux cases ne partagent aucun
# poids. Avec les quatre nombres de CartPole et deux couches de 64, presque tout.

# %% [markdown]
# ## 6. Le réseau, sans précaution
#
# Essayons donc ce réseau, tel quel, sur CartPole. À chaque pas : agir, voir, faire un pas de gradient sur cette seule
# transition, l'oublier. `Training`, la machine du carnet 00, sait le faire, avec une mémoire d'une place
# (`capacity`), des lots d'une transition (`batch_size`), et, pour calculer la cible, le réseau tel qu'il est à cet
# instant (`target_rate`). Nous lui ôtons tout ce que les deux prochains carnets lui rendront. Chaque agent conduit
# un seul chariot et apprend dès le premier pas (`warmup`) ; ε descend de 1 à 0,1 en deux mille pas. Quant à γ,
# c'est un réglage comme α : 0,9 dans le couloir, 0,99 pour la table, 0,98 ici.

# %%
NU = Config(
    total_steps=10_000,
    input_scale=(2.0, 1.0, 10.0, 1.0),
    hidden=(64, 64),
    learning_rate=2e-3,
    gamma=0.98,
    epsilon_end=0.1,
    epsilon_steps=2_000,
    capacity=1,
    batch_size=1,
    warmup=1,
    target_rate=1.0,
)

# %% [markdown]
# > **À vous.** Sur douze agents, combien toucheront 475 à l'une des vingt évaluations ? Et combien
# > seront encore au-dessus à la dernière ?

# %% tags=["nbval-ignore-output"]
groupe, retours = Training(NU, seeds=range(12)), []
for tour in follow(groupe.run(), NU.total_steps):
    if tour.env_steps % 500 == 0:
        retours.append(evaluate(groupe.agent, episodes=20).mean(axis=1))
retours = np.array(retours).T  # (graines, évaluations)

# %% tags=["nbval-ignore-output"]
touchent, restent = np.sum(retours.max(axis=1) >= 475), np.sum(retours[:, -1] >= 475)
figures.learning_curves(
    500 * np.arange(1, 21),
    retours,
    f"Réseau nu : {touchent} agents sur 12 touchent 475, {restent} y finissent",
)

# %% [markdown]
# Regardez les traits fins, et non la moyenne. En dix mille pas, des réseaux ont touché le seuil à l'une de leurs
# vingt évaluations ; la plupart de ceux-là finissent au-dessous. (Toucher le seuil une fois est plus facile que d'y
# finir, ce que l'on demandait aux tables.) Un réseau apprend vite, et garde mal. La figure ne dit pas pourquoi. Nous
# soupçonnons deux causes, que les prochains carnets mettront à l'épreuve.
#
# **Des exemples qui se suivent.** Chaque pas ressemble au précédent. Que l'agent reste longtemps près du
# milieu, et le réseau, corrigé là cent fois de suite, bouge aussi sur les bords ; la table, elle, n'y
# aurait pas touché. Le remède est une mémoire où l'on tire au hasard : le carnet 03.
#
# **Une cible qui bouge.** La cible contient le réseau lui-même. Le corriger en $s$ le change aussi en $s'$, qui
# ressemble à $s$ : on vise un point accroché à sa propre flèche. Le remède est une copie retardée du réseau, pour
# viser : le carnet 04.
#
# > **Pour aller plus loin.** Généraliser, amorcer, apprendre hors politique : réunies, ces trois idées peuvent
# > faire diverger l'apprentissage (Baird, 1995), et Sutton et Barto les appellent la **triade mortelle**. Avec deux
# > seulement, la divergence *peut* être évitée, mais pas toujours : un réseau non linéaire peut diverger même sur
# > sa propre politique (Tsitsiklis et Van Roy, 1997). Le DQN les réunit toutes les trois.

# %% [markdown]
# ## 7. Trois lignes du document
#
# Voici, de la fonction `train_dqn` du document fondateur, les lignes qui fabriquent la cible et la perte. Vous
# pouvez maintenant les lire.

# %%
for ligne in inspect.getsource(version1.DQNN.train_dqn).splitlines():
    if "maxq_newstates =" in ligne or "loss = " in ligne:
        print(ligne.strip())

# %% [markdown]
# La première est le $\max_{a'} Q(s', a')$. La deuxième l'annule quand l'épisode est fini. La troisième est le
# carré de la surprise, $r + \gamma \max Q - Q$, moyenné sur un lot. (Le `detach` de la section 5 y est un
# `torch.no_grad()`, juste avant la première ligne.) C'est le Q-learning de 1989, avec un
# réseau pour table ; `discount` y est $\gamma$, que le document laisse à 1.
#
# <details><summary><b>Question.</b> Avec γ = 1, combien vaudrait une tige qui ne tombe jamais ?</summary>
#
# L'infini : $1 + 1 + 1 + \cdots$ L'équation de Bellman devient $V = 1 + V$, qui n'a pas de solution.
# Les valeurs que vise le document restent pourtant finies, parce qu'il range la troncature avec la
# chute : chez lui, tout finit à 500 pas.
#
# </details>

# %% [markdown]
# ## 8. À vous
#
# **Exercice 1, à calculer (5 minutes).** À CartPole, chaque pas rapporte 1, celui de la chute compris. Prenons
# $\gamma = 0{,}99$. Que vaut un état d'où la tige tombe au pas suivant, quoi qu'on fasse ? Un état d'où elle tombe
# dans $k$ pas exactement ? Un état d'où l'on peut la tenir à jamais ? Écrivez vos trois formules, puis vérifiez :
# la cellule applique l'équation de Bellman de proche en proche.

# %%
valeur = 0.0  # après la chute, plus rien
for k in range(1, 2_001):
    valeur = 1 + GAMMA_LONG * valeur
    if k in (1, 2, 20, 200, 2_000):
        print(f"chute dans {number(k):>5} pas : {number(valeur, 2)}")

# %% [markdown]
# <details><summary>Solution</summary>
#
# Un pas avant la chute : 1. À $k$ pas : $1 + \gamma + \cdots + \gamma^{k-1} = (1 - \gamma^k)/(1 - \gamma)$. Jamais :
# $1/(1 - \gamma) = 100$. Aucune valeur ne peut donc dépasser 100 : un agent qui
# annonce davantage se trompe, et l'on saura le prendre sur le fait.
#
# </details>

# %% [markdown]
# **Exercice 2, à écrire (10 minutes).** Écrivez la mise à jour du Q-learning, en deux lignes : la cible, puis le
# pas vers elle. Remplacez les trois points, puis exécutez.


# %%
def nouvelle_valeur(q, recompense, terminated, q_suivants, gamma, alpha):
    """Rend Q(s, a) corrigé ; `q` : l'ancienne valeur ; `q_suivants` : (2,), celles qui suivent."""
    ...


check(nouvelle_valeur)

# %% [markdown]
# <details><summary>Indice</summary>
#
# La cible est `recompense`, plus, si l'épisode continue, `gamma` fois la plus grande de `q_suivants`. La
# surprise est la cible moins `q` ; on en ajoute une part.
#
# </details>
#
# Quand tout est coché, faites vivre à votre fonction six cents pas au hasard dans le couloir. L'erreur doit
# descendre sous un millième.

# %%
if check(nouvelle_valeur).passed:
    hasard, mienne, case = np.random.default_rng(1), np.zeros((CASES, 2)), DEPART
    for _ in range(600):
        action = hasard.integers(2)
        recompense, suivante, fini = avancer(case, action)
        suivants = np.zeros(2) if fini else mienne[suivante]  # après la fin, aucune case à lire
        mienne[case, action] = nouvelle_valeur(
            mienne[case, action], recompense, fini, suivants, GAMMA, ALPHA
        )
        case = DEPART if fini else suivante
    print("erreur :", number(np.abs(mienne - verite).max(), 4))

# %% [markdown]
# Voici une réponse, à déplier quand vous avez la vôtre.

# %%
show("nouvelle_valeur")

# %% [markdown]
# **Exercice 3, à explorer (15 minutes).** Les quatre composantes méritent-elles autant de tranches ?
# `apprendre` accepte un quadruplet : tranches de $x$, de $\dot x$, de $\theta$ et de $\dot\theta$. Trouvez
# la plus petite table dont presque tous les agents atteignent 475 en cent mille pas. Peut-on ignorer le
# chariot ?

# %%
MES_TRANCHES = (2, 2, 2, 2)
_, miens = apprendre(MES_TRANCHES, moments=[102_400])

# %% tags=["nbval-ignore-output"]
reussis = np.sum(miens[:, -1] >= 475)
print(f"{np.prod(MES_TRANCHES)} cases ; agents à 475 ou plus, à la fin : {reussis} sur {GRAINES}")

# %% [markdown]
# <details><summary>Ce que nous avons trouvé</summary>
#
# Comparez `(2, 2, 6, 4)`, 96 cases, où il ne reste du chariot que deux signes, à `(2, 2, 4, 4)`, 64 cases, et à `(1,
# 1, 4, 4)`, qui l'ignore. La première est la plus petite que nous ayons vue réussir presque toujours ; mais nous
# l'avons choisie parmi d'autres, sur ces mêmes graines : rejouez-la sur de nouvelles. Quant à ignorer le chariot,
# douze graines ne suffisent pas à dire ce que cela coûte.
#
# Une petite table bien dessinée peut battre une grande table uniforme ; mais c'est vous qui l'avez
# dessinée, en sachant ce qu'est un angle.
#
# </details>
#
# ## Ce que ce carnet ne montre pas
#
# D'autres réglages donneraient d'autres courbes. Entre la table et le réseau, nous sautons un intermédiaire, les
# pavages superposés (*tile coding*). Nous sautons aussi les traces d'éligibilité, qui créditent d'un coup les états
# traversés récemment ; l'article de 1983 s'en sert déjà sur ses 162 cases. Enfin, 500 pas ne sont pas l'éternité :
# une table qui les tient peut échouer ensuite.

# %% [markdown]
# ## Testez-vous
#
# La première question se calcule de tête, les deux autres demandent de raisonner.
#
# **1.** Même couloir de cinq cases, mais le trésor vaut 8 et $\gamma = \tfrac12$. Dans la case 4, celle qui touche le
# trésor, que vaut l'action « gauche » ?
#
# - **A.** 0 : elle ne rapporte rien et éloigne du trésor.
# - **B.** 4.
# - **C.** 2.
# - **D.** 8 : la valeur de la case, puisqu'on y reviendra.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ $Q(s, a)$ suppose que l'on joue **au mieux ensuite** : ce mauvais coup ne coûte que deux pas.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ C'est oublier le pas qui mène en case 3.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✔ À gauche, on ne reçoit rien et l'on arrive en case 3, d'où le mieux est un pas sans récompense, puis le trésor :
# $V(3) = \tfrac12 \times 8 = 4$. L'action vaut donc $0 + \tfrac12 \times 4 = 2$.
#
# </details>
# <details name="q1"><summary>Répondre D</summary>
#
# ✘ Y revenir prend deux pas : chacun divise la valeur par deux.
#
# </details>
#
# **2.** Un agent parcourt le couloir avec une table de zéros et sans jamais explorer (ε = 0) : sa table reste
# nulle. Lequel de ces changements n'y fera rien ?
#
# - **A.** Doubler α, de 0,5 à 1.
# - **B.** Porter ε à 1.
# - **C.** Remplir la table de 1 au départ.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✔ L'agent va à gauche, sort sans rien recevoir, et la cible vaut 0, comme ce qu'il croyait : la surprise est nulle,
# et une part plus grande de zéro reste zéro.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✘ Au hasard, l'agent finit par essayer la droite, et **voir** le trésor.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ La gauche déçoit : l'agent finit par essayer la droite, et **voir** le trésor.
#
# </details>
#
# **3.** Un agent savait jouer près du bord du rail. Il reste ensuite des milliers de pas près du milieu, sans mémoire
# de rejeu : chaque pas le corrige, puis est oublié. Qu'a-t-il perdu de ce qu'il savait du bord ?
#
# - **A.** Rien : le Q-learning ne corrige que l'état que l'on quitte.
# - **B.** Rien, s'il a la table de 256 cases ; peut-être beaucoup, s'il a un réseau.
# - **C.** Autant dans les deux cas, puisque la règle de mise à jour est la même.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ C'est vrai d'une table ; un réseau corrigé mille fois au milieu bouge aussi ailleurs, car ses poids servent
# partout.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✔ Personne n'est passé par les cases du bord ; un réseau, lui, n'a pas de cases.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ À la section 5, oui ; mais ce réseau-là avait un poids par case et par action.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. L'**équation de Bellman** dit ce que vaut un coup à partir du suivant ; le Q-learning apprend cette valeur
#    une transition à la fois, en **amorçant**, quelle que soit la façon de jouer, pourvu qu'elle essaie tout.
# 2. Une **table** peut résoudre CartPole, à condition de choisir sa grille : trop grossière, elle confond ; trop
#    fine, elle n'en finit pas, car le nombre de cases croît comme $n^d$.
# 3. Un **réseau** applique la même règle et généralise : chaque correction change tout le voisinage. C'est ce qui
#    rend le réseau rapide, et peut le rendre **instable**.
#
# Le premier remède est de lui montrer des exemples moins semblables :
# [03 · La mémoire de rejeu](03_la_memoire_de_rejeu.ipynb).
