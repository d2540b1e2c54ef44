# %% [markdown]
# # 01 · Le problème : tenir une tige debout
#
# **La question.** Une tige est posée, debout, sur un chariot. Rien ne la retient : lâchée, elle
# tombe. On ne peut que pousser le chariot, à gauche ou à droite, cinquante fois par seconde. Quelle
# règle faut-il suivre pour qu'elle ne tombe jamais ?
#
# Ce carnet ne demande aucune notion d'apprentissage par renforcement. On y regarde le problème de
# près, un pas à la fois, puis on essaie cinq règles écrites à la main. Elles serviront de points de
# repère à toute la série : un agent qui apprend, sans connaître les équations, devra battre les
# premières et approcher la dernière.
#
# *Lecture : 35 minutes ; exercices : 35 minutes ; exécution : moins d'une minute.*

# %%
import gymnasium as gym
import numpy as np

from cartpole_helpers import ReplayBuffer, cartpole, evaluate, load, play, policies
from cartpole_helpers.display import figures, video
from cartpole_helpers.display.game import game
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.live import each
from cartpole_helpers.display.numbers import number
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. Le chariot et la tige
#
# Un chariot d'un kilogramme roule sans frottement sur un rail. Une tige de cent grammes, longue d'un
# mètre, y est fixée par une articulation **libre** : aucun moteur ne la redresse. À chaque pas de
# temps, on pousse le chariot d'une force de 10 N, vers la gauche (action 0) ou vers la droite
# (action 1). Il n'y a pas d'action « ne rien faire ».

# %%
figures.cart_diagram(
    (0.7, 0.0, 0.12, 0.0), 1, "Deux mesures, x et θ, une poussée de 10 N, quatre limites"
)

# %% [markdown]
# L'état du système, ce sont quatre nombres : la position $x$ du chariot, sa vitesse $\dot x$, l'angle $\theta$ de
# la tige avec la verticale et sa vitesse angulaire $\dot\theta$. L'angle est positif quand la tige penche vers la
# droite. L'épisode commence avec une tige presque droite, et s'arrête quand elle s'écarte de plus de 12°, ou le
# chariot de plus de 2,4 m (les tirets de la figure).
#
# Le document fondateur de ce cours décrit le même jeu, mais dans une traduction automatique qui en
# fausse le sens. Voici ses phrases, et ce qu'il faut lire.
#
# | Le document dit | Il faut lire |
# |:---|:---|
# | « Un pôle est fixé à une année une-titres » | Une **tige** est fixée par une articulation **sans moteur** (*un-actuated joint*). |
# | « une résistance de +1 ou -1 » | Une **force** de +10 ou −10 N, choisie par l'action 1 ou 0. |
# | « Le pendule commence de droit » | Il commence **debout** : chaque composante est tirée au hasard entre −0,05 et 0,05. |
# | « +1 est fournie pour chaque horaire » | Une récompense de 1 par **pas de temps**, celui de la chute compris. |
# | « supérieur à 15 degrés » | La limite est de **12°** dans `CartPole-v1`. |
# | « de l'or Le panier déplace plus de 2,4 unités » | **ou** quand **le chariot** passe 2,4 m. |
#
# S'y ajoutent deux règles qui compteront beaucoup : un chronomètre **coupe** l'épisode à 500 pas, et la tâche est
# dite résolue quand le retour moyen atteint 475.

# %% [markdown]
# ## 2. Pas à pas
#
# Gymnasium fournit ce jeu sous le nom `CartPole-v1`. Un environnement se réduit à deux gestes :
# `reset` commence un épisode et rend une première observation ; `step` joue une action et rend ce
# qui s'ensuit. La graine (`seed`) fixe le hasard du départ, pour que vous lisiez les mêmes nombres
# que nous.

# %%
env = gym.make("CartPole-v1")
depart, _ = env.reset(seed=0)
print("x, ẋ, θ, θ̇ =", depart)

# %% [markdown]
# Les quatre nombres sont petits : le chariot est au milieu du rail, presque immobile, la tige presque
# droite. Les angles sont en **radians**.
#
# > **À vous.** Nous allons pousser une fois à droite, puis, du même départ, une fois à gauche. Lesquels des
# > quatre nombres différeront entre les deux, et dans quel sens ? Notez votre réponse avant d'exécuter la cellule.

# %%
apres_droite, *_ = env.step(1)
env.reset(seed=0)
apres_gauche, *_ = env.step(0)
print("poussé à droite :", apres_droite)
print("poussé à gauche :", apres_gauche)

# %% [markdown]
# Seules les **vitesses** diffèrent : $x$ et $\theta$ sont identiques dans les deux cas. Gymnasium
# avance d'abord les positions avec les anciennes vitesses, puis les vitesses avec la force. Une
# action met donc deux pas à se voir sur l'angle, et l'on ne peut pas sauver, au dernier moment, une
# tige qui passe la limite au pas suivant.
#
# Regardez aussi le signe de $\dot\theta$ : pousser le chariot à **droite** fait basculer la tige vers
# la **gauche**. C'est ce qui rend le jeu possible : pour redresser une tige qui penche à droite, il
# faut passer dessous, donc pousser à droite.

# %% [markdown]
# ## 3. Les quatre équations
#
# Notons $F = \pm 10$ N la force, $M = 1{,}1$ kg la masse totale, $m = 0{,}1$ kg celle de la tige,
# $\ell = 0{,}5$ m sa demi-longueur et $g = 9{,}8$ m/s². Les lois de Newton donnent les deux
# accélérations (le $\tfrac43$ vient de l'inertie d'une tige homogène) :
#
# $$
# \ddot\theta = \frac{g\sin\theta - p\cos\theta}{\ell\left(\tfrac43 - \tfrac{m\cos^2\theta}{M}\right)},
# \qquad
# \ddot x = p - \frac{m\,\ell\,\ddot\theta\cos\theta}{M},
# \qquad
# p = \frac{F + m\,\ell\,\dot\theta^2\sin\theta}{M}.
# $$
#
# Le nombre $p$ est l'accélération qu'aurait le chariot si $\ddot\theta$ était nulle ; le code le nomme
# `push`. La méthode d'Euler fait ensuite avancer les quatre grandeurs par pas de $\tau = 0{,}02$ s, chacune
# de sa dérivée multipliée par la durée du pas :
#
# $$
# x \leftarrow x + \tau\dot x, \quad \dot x \leftarrow \dot x + \tau\ddot x, \quad
# \theta \leftarrow \theta + \tau\dot\theta, \quad
# \dot\theta \leftarrow \dot\theta + \tau\ddot\theta.
# $$
#
# Voici la fonction du cours, telle qu'elle s'exécute.

# %%
listing(cartpole.dynamics)

# %% [markdown]
# Ces quelques lignes *sont* le jeu. Vérifions-le : partons du même état que Gymnasium, appliquons la
# même action, et comparons. Nous n'attendons pas « à peu près la même chose », mais les mêmes bits.

# %%
env.reset(seed=0)
etat = env.unwrapped.state
attendu, *_ = env.step(1)
env.close()
np.array_equal(cartpole.dynamics(etat, 1).astype(np.float32), attendu)

# %% [markdown]
# Un seul pas ne prouve pas grand-chose ; les tests du cours comparent ainsi des milliers de pas,
# départs et fins d'épisodes compris. Comme la fonction accepte des tableaux entiers d'états, nous
# pourrons conduire cent chariots d'un seul geste : les figures de ce carnet en profitent déjà.

# %% [markdown]
# ## 4. La chute n'est pas la troncature
#
# `step` rend cinq choses : l'observation, la récompense, deux drapeaux et des informations annexes.
# Les deux drapeaux disent pourquoi l'épisode finit, et la différence est capitale.
#
# - `terminated` (**terminaison**) : la tige est tombée ou le chariot est sorti. L'avenir ne vaut plus
#   rien, quoi qu'on fasse.
# - `truncated` (**troncature**) : le temps est écoulé, que la tige tienne ou non ; on a seulement
#   cessé de regarder.
#
# Comparons deux épisodes : dans l'un, on pousse toujours à droite ; dans l'autre, on suit une bonne règle, la
# dernière de celles que nous allons découvrir.


# %%
def toujours_a_droite(observations):
    return np.ones(len(observations), dtype=int)


chute = play(toujours_a_droite, seed=0)
reussite = play(policies.lqr, seed=0)
for nom, episode in [("toujours à droite", chute), ("bonne règle", reussite)]:
    print(f"{nom:18}{len(episode.actions):4} pas", end="  ")
    print(f"terminated={episode.terminated}  truncated={episode.truncated}")

# %% [markdown]
# Chaque pas rapporte 1, y compris celui de la chute : le **retour** d'un épisode, somme de ses
# récompenses, est donc sa durée en pas. Il ne peut pas dépasser 500.
#
# > **Attention.** Ranger les deux drapeaux dans un seul `done`, c'est apprendre à l'agent qu'être encore debout au
# > cinq centième pas est aussi grave que tomber : un agent juge un pas sur sa suite, et ce drapeau efface cette suite
# > (carnet 02). Le carnet 06 calcule l'erreur qui en résulte ; le carnet 10 en mesure le prix.
#
# <details><summary><b>Question.</b> Un épisode peut-il avoir les deux drapeaux vrais à la fois ?</summary>
#
# Oui : si la tige tombe exactement au cinq centième pas. C'est alors la terminaison qui compte pour
# apprendre, puisque l'avenir ne vaut réellement plus rien.
#
# </details>

# %% [markdown]
# ## 5. Cinq règles pour commencer
#
# Une **politique** est une règle qui, devant une observation, choisit une action. Dans tout le cours,
# c'est une simple fonction : elle reçoit un tableau de $N$ observations, de forme `(N, 4)`, et rend
# $N$ actions. Un réseau de neurones entraîné ne sera pas autre chose.

# %%
listing(policies.push_by_angle_and_velocity)

# %% [markdown]
# `_checked` vérifie la forme du tableau ; `push_right_when` rend 1 là où son argument est positif, 0 ailleurs.
# Les cinq règles que voici vont de la plus naïve à la plus savante.
#
# | Politique | Elle pousse à droite quand… |
# |:---|:---|
# | au hasard | la pièce tombe sur face |
# | signe de θ | la tige **penche** à droite |
# | signe de θ̇ | la tige **tourne** vers la droite |
# | signe de θ + θ̇ | l'angle et sa vitesse ont une somme positive |
# | LQR | une somme pondérée des **quatre** nombres est positive |
#
# LQR abrège *linear quadratic regulator*, régulateur linéaire quadratique ; nous verrons d'où viennent
# ses poids.
#
# > **À vous.** Regarder l'angle, ou regarder la vitesse ? Pariez sur le retour moyen de chaque règle, entre 10 et
# > 500, avant d'aller plus loin.

# %%
regles = {
    "au hasard": policies.random_policy(seed=0),
    "signe de θ": policies.push_by_angle,
    "signe de θ̇": policies.push_by_velocity,
    "signe de θ + θ̇": policies.push_by_angle_and_velocity,
    "LQR": policies.lqr,
}
retours = {nom: evaluate(regle, episodes=100) for nom, regle in regles.items()}

# %%
angle, vitesse = retours["signe de θ"].mean(), retours["signe de θ̇"].mean()
rapport = number(vitesse / angle, 1)
figures.baselines(
    retours, f"Regarder la vitesse fait tenir {rapport} fois plus longtemps que regarder l'angle"
)

# %% [markdown]
# Chaque point est un épisode, parti d'un état différent ; le losange est la moyenne des cent, la barre grise son
# intervalle à 95 %. Réagir à l'angle, l'idée qui vient la première, fait presque deux fois mieux que le hasard,
# mais la tige tombe en moins d'une seconde. Réagir à la vitesse fait bien mieux, additionner les deux suffit tout juste,
# et la cinquième règle ne tombe jamais dans le temps imparti.
#
# Les nuages comptent autant que les moyennes. La quatrième règle ne dépasse que de peu le seuil de 475, car, depuis
# quelques départs, la tige tombe bien plus tôt : une moyenne peut cacher des échecs.

# %% [markdown]
# ## 6. Voir plutôt que croire
#
# Un nombre ne dit pas *comment* une politique échoue. Filmons un épisode de chacune, depuis le même
# départ. Les films sont rangés dans le dossier `videos/` ; ils passent en temps réel, et nous les
# coupons à 250 pas, soit cinq secondes.

# %% tags=["nbval-ignore-output"]
films = [
    video.film(regle, f"../videos/regle_{rang}.mp4", seed=1, limit=250)
    for rang, regle in enumerate(each(regles.values(), "Films"), start=1)
]
video.side_by_side(films, list(regles))

# %% [markdown]
# <details><summary>La vidéo ne s'affiche pas ? Voici les images animées ; chacune mène à son film.</summary>
#
# | au hasard | signe de θ | signe de θ̇ |
# |:---:|:---:|:---:|
# | [![La tige tombe presque aussitôt.](../videos/regle_1.webp)](../videos/regle_1.mp4) | [![La tige oscille de plus en plus fort et tombe.](../videos/regle_2.webp)](../videos/regle_2.mp4) | [![La tige reste un peu penchée et le chariot sort du rail.](../videos/regle_3.webp)](../videos/regle_3.mp4) |
#
# | signe de θ + θ̇ | LQR |
# |:---:|:---:|
# | [![La tige tient, le chariot se promène.](../videos/regle_4.webp)](../videos/regle_4.mp4) | [![La tige tient, le chariot revient au milieu.](../videos/regle_5.webp)](../videos/regle_5.mp4) |
#
# </details>

# %% [markdown]
# ## 7. Pourquoi l'angle ne suffit pas
#
# Suivons la deuxième règle pas à pas. Elle pousse toujours du côté où la tige penche ; pourquoi celle-ci
# tombe-t-elle ? Le fond de la figure est bleu quand la règle pousse à gauche, orangé à droite. Cherchez à quel
# moment de l'oscillation la poussée change de sens.

# %%
episode = play(policies.push_by_angle, seed=1)
duree = len(episode.actions)
figures.components(
    episode.observations,
    f"Réagir à l'angle amplifie l'oscillation : chute au pas {duree}",
    actions=episode.actions,
)

# %% [markdown]
# La poussée s'inverse quand $\theta$ change de signe, c'est-à-dire quand la tige passe par la verticale
# à **pleine vitesse** : elle continue sur sa lancée. Rien n'amortit l'oscillation.
#
# Pire, quand la couleur change, il est déjà trop tard. La dernière poussée d'avant la verticale accélère encore la
# tige dans le sens où elle tourne, et son effet sur l'angle vient deux pas plus tard, de l'autre côté : elle y ajoute
# de l'élan, au lieu d'en ôter. Même un seul pas de poussée compte : à la section 2, il change $\dot\theta$ d'environ
# 0,3 rad/s. Suivez les pics de $\dot\theta$ : chacun dépasse le précédent. Pour amortir, il faut s'opposer au
# *mouvement*, donc regarder $\dot\theta$.
#
# On le voit d'un coup d'œil dans le plan $(\theta, \dot\theta)$ : c'est le **portrait de phase**. La couleur du
# fond montre l'action choisie ; les flèches, le mouvement qui s'ensuit ; les traits noirs, trois épisodes partis de
# −2,5°, 0 et 2,5°, tige immobile, et suivis pendant 80 pas au plus ; les croix, leurs chutes.

# %%
figures.phase_portraits(
    {nom: regles[nom] for nom in ("signe de θ", "signe de θ̇", "signe de θ + θ̇")},
    episodes=3,
    title="Seule la règle « signe de θ » écarte l'état en spirale",
)

# %% [markdown]
# À gauche, chaque tour agrandit la boucle. Au milieu, la vitesse reste près de zéro, mais rien ne ramène l'angle : la
# tige reste un peu penchée, et le chariot doit courir dessous, de plus en plus vite, jusqu'à sortir du rail. À
# droite, la frontière entre les deux couleurs est **inclinée** : l'angle et la vitesse sont ramenés ensemble, et les
# trajectoires restent serrées autour du centre.
#
# Il reste deux nombres que la règle θ + θ̇ ignore : la position et la vitesse du chariot. La règle LQR en tient
# compte. On fixe ce que coûte le carré de chaque grandeur : 1, mais 10 pour l'angle et 0,01 pour la force. Un calcul,
# que ce cours ne détaille pas, donne alors la force qui rend la somme de ces coûts la plus petite, pour des équations
# simplifiées où l'on remplace $\sin\theta$ par $\theta$ et $\cos\theta$ par 1. Nous n'en gardons que le **signe**,
# puisque la nôtre vaut toujours ±10 N.

# %%
policies.lqr_gain(state_cost=(1, 1, 10, 1), force_cost=0.01).round(3)

# %% [markdown]
# L'angle pèse 1 par convention, sa vitesse un quart environ, la position et la vitesse du chariot moins
# encore. **Pousser à droite quand le chariot est trop à droite**, voilà qui surprend : c'est pourtant le bon côté.
# Il faut d'abord faire pencher la tige vers le milieu, pour pouvoir ensuite la suivre.

# %% [markdown]
# ## 8. Ce que 500 pas ne montrent pas
#
# Deux des règles dépassent 475 : la tâche est « résolue » par l'une comme par l'autre. Se valent-elles ? Le
# chronomètre de 500 pas ne représente que dix secondes. Retirons-le, ou presque, et regardons dans quelle part de
# cent épisodes la tige reste debout, jusqu'à 20 000 pas.
#
# > **À vous.** À votre avis, quelle part des épisodes de la règle θ + θ̇ tiendra jusque-là ?

# %% tags=["nbval-ignore-output"]
LONGTEMPS = 20_000
durees = {
    nom: evaluate(regles[nom], episodes=100, limit=LONGTEMPS + 1)
    for nom in each(("signe de θ̇", "signe de θ + θ̇", "LQR"), "Règles")
}

# %% [markdown]
# Nous jouons un pas de plus que 20 000, sans quoi une chute au tout dernier pas passerait inaperçue.

# %%
reste, lqr = (100 * np.mean(durees[nom] > LONGTEMPS) for nom in ("signe de θ + θ̇", "LQR"))
figures.survival(
    durees,
    LONGTEMPS,
    f"À 20 000 pas, θ + θ̇ tient encore {reste:.0f} fois sur 100, LQR {lqr:.0f}",
    marks=[500],
)

# %% [markdown]
# À la ligne des 500 pas, quelques chutes seulement séparent les deux meilleures courbes ; plus loin, elles
# n'ont plus rien de commun. La règle θ + θ̇ laisse dériver le chariot, qui finit presque toujours par sortir
# du rail. Un score de 500 veut dire « n'est pas tombé en dix secondes », et rien de plus.
#
# Gardez cette figure en tête quand un agent affichera 500 : la bonne question n'est pas « a-t-il
# réussi ? » mais « combien de temps, et depuis combien de départs ? ».

# %% [markdown]
# ## 9. Prenez les commandes
#
# Vous avez vu jouer cinq règles. À vous : cliquez dans le jeu, puis poussez le chariot avec les flèches ← et → du
# clavier, ou avec les deux boutons. Une poussée dure jusqu'à ce que vous choisissiez l'autre, puisque « ne rien
# faire » n'existe pas. Le jeu attend votre première poussée, et part au ralenti.
#
# Trois des règles sont dans la liste « Politique », à côté d'un nouveau joueur : un agent lu dans un fichier, et
# entraîné comme la suite du cours vous l'apprendra.
#
# > **À vous.** Combien de pas tiendrez-vous, à la vitesse × 0,3 ? Et à la vitesse réelle ? Pariez d'abord.

# %% tags=["nbval-ignore-output"]
agent = load("../checkpoints/agent_5600_pas.safetensors")
jeu = game({"agent entraîné": agent})
jeu

# %% [markdown]
# Cinquante décisions par seconde, c'est plus que ne peut la main. Quand vous en aurez assez, mettez en pause
# (Espace), choisissez une règle et laissez-la jouer depuis l'état où vous étiez. Puis **bousculez** le
# chariot : les mêmes flèches lui donnent alors un coup sec. Quelle règle s'en remet le mieux ? Et l'agent
# entraîné, qui n'a jamais été bousculé ? (Nous ne l'avons pas mesuré : à vous d'en juger.)
#
# Chaque partie que vous menez jusqu'à sa fin revient dans Python, pas à pas : un état, une action, une récompense,
# l'état suivant et un drapeau de fin. C'est exactement ce dont un agent apprend. Le
# [carnet 03](03_la_memoire_de_rejeu.ipynb) expliquera la mémoire où l'on range tout cela ; vos parties y entrent déjà.

# %% tags=["nbval-ignore-output"]
memoire = ReplayBuffer(10_000)
gardes = jeu.fill(memoire)
print(f"{len(jeu.episodes)} parties menées à leur fin, {gardes} pas rangés dans la mémoire")

# %% [markdown]
# Si vous lisez deux zéros, c'est que vous n'avez pas encore joué : faites-le, puis exécutez de nouveau
# cette cellule, mais pas celle du jeu, qui oublierait vos parties.

# %% [markdown]
# ## 10. À vous
#
# **Exercice 1, à calculer (5 minutes).** La tige est immobile, penchée de 0,1 rad, et l'on pousse à
# droite. Que valent $\dot\theta$ et $\theta$ un pas plus tard ? Puis deux pas plus tard ?
#
# <details><summary>Indice</summary>
#
# Un pas plus tard, $\theta$ n'a pas bougé, puisque $\dot\theta$ était nulle. Tout est dans
# $\ddot\theta$, avec $\cos 0{,}1 \approx 0{,}995$ et $\sin 0{,}1 \approx 0{,}0998$.
#
# </details>
#
# Vérifiez avec la cellule suivante, puis essayez d'autres départs.

# %%
penchee = np.array([0.0, 0.0, 0.1, 0.0])
un_pas = cartpole.dynamics(penchee, 1)
deux_pas = cartpole.dynamics(un_pas, 1)
print("θ :", penchee[2], "→", un_pas[2].round(4), "→", deux_pas[2].round(4))
print("θ̇ :", penchee[3], "→", un_pas[3].round(4), "→", deux_pas[3].round(4))

# %% [markdown]
# **Exercice 2, à écrire (5 minutes).** Écrivez le pas d'Euler de la section 3, les deux accélérations étant
# connues. Tout est dans une question : avec quelles vitesses avancent les positions ? Rendez un nouvel état, sans
# toucher à celui que l'on vous donne.


# %%
def pas_d_euler(etat, x_acceleration, theta_acceleration):
    """Rend l'état (4,) qui suit `etat`, 0,02 s plus tard : x, ẋ, θ, θ̇."""
    ...


check(pas_d_euler)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `x, x_vitesse, theta, theta_vitesse = etat` nomme les quatre nombres. Calculez les quatre suivants à partir de ces
# noms-là, et d'eux seuls ; puis rangez-les dans un tableau, dans le même ordre.
#
# </details>

# %%
show("pas_d_euler")

# %% [markdown]
# **Exercice 3, à écrire (10 minutes).** Écrivez les deux drapeaux de la section 4. Après le pas numéro `pas`,
# l'épisode est-il terminé ? Est-il tronqué ? Ce sont deux questions, et les deux réponses peuvent être « oui ». À
# la limite exacte, 2,4 m, le jeu continue.


# %%
def fin(etat, pas):
    """Rend (terminated, truncated), deux booléens, après le pas numéro `pas`, de 1 à 500."""
    ...


check(fin)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `abs` traite les deux côtés d'un coup. La limite de la tige est de 12°, mais l'état est en radians :
# `np.radians` convertit. Les vitesses ne comptent pas.
#
# </details>

# %%
show("fin")

# %% [markdown]
# Un pas et une fin : avec les accélérations, c'est tout le jeu. Quand tout est coché, faites-le tourner sans Gymnasium,
# et comparez : même départ, même règle, et le même nombre de pas avant la fin ?


# %%
def accelerations(etat, action):
    """Les équations de la section 3 : les accélérations du chariot et de la tige."""
    _, _, theta, theta_vitesse = etat
    sin, cos, force = np.sin(theta), np.cos(theta), 10 if action == 1 else -10
    p = (force + 0.1 * 0.5 * theta_vitesse**2 * sin) / 1.1
    de_la_tige = (9.8 * sin - p * cos) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    return p - 0.1 * 0.5 * de_la_tige * cos / 1.1, de_la_tige


def mon_jeu(regle, etat):
    """Le nombre de pas que tient une règle, dans le jeu que vous avez écrit."""
    for pas in range(1, 501):
        action = regle(etat[None])[0]
        etat = np.array(pas_d_euler(etat, *accelerations(etat, action)))
        if any(fin(etat, pas)):
            return pas


# %%
if check(pas_d_euler).passed and check(fin).passed:
    for nom in ("signe de θ", "signe de θ̇", "signe de θ + θ̇", "LQR"):
        episode = play(regles[nom], seed=7)
        mien = mon_jeu(regles[nom], episode.observations[0].astype(float))
        print(f"{nom:14} : {mien} pas dans votre jeu, {len(episode.actions)} dans Gymnasium")

# %% [markdown]
# **Exercice 4, à explorer (15 minutes).** Écrivez votre propre règle. Partez de la quatrième, avec un
# autre poids pour la vitesse, puis donnez un poids à la position du chariot et à sa vitesse.
# Trouvez-vous quatre poids qui tiennent 20 000 pas à chaque fois ? Combien de chiffres après la
# virgule faut-il vraiment ?

# %%
POIDS = np.array([0.0, 0.0, 1.0, 0.5])  # de x, ẋ, θ, θ̇


def ma_regle(observations):
    return (observations @ POIDS > 0).astype(int)


mes_durees = evaluate(ma_regle, episodes=100, limit=LONGTEMPS + 1)
print(f"moyenne {number(mes_durees.mean())} pas, le plus court {number(mes_durees.min())}")

# %% [markdown]
# <details><summary>Indice</summary>
#
# Les poids de LQR donnent l'ordre de grandeur : environ un dixième pour $x$ comme pour $\dot x$.
#
# </details>
#
# <details><summary>Ce que nous avons trouvé</summary>
#
# Un chiffre suffit : essayez 0,1 ; 0,1 ; 1 ; 0,3. Mais l'ordre de grandeur compte, et aucun des quatre n'est de
# trop : annulez le poids de $\dot x$, ou donnez le même à tous, et la tige tombe parfois.
#
# </details>
#
# > **Pour aller plus loin.** Essayez `_ = play(ma_regle, render_mode="human")` sur une machine qui a un
# > écran : une fenêtre s'ouvre et montre l'épisode.

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# Les cinq règles ont été écrites par quelqu'un qui connaît la mécanique. Un agent qui apprend n'a pas
# les équations : il n'a que ses essais. Il ne sait même pas que le troisième nombre est un angle. Le
# reste de la série part de là.

# %% [markdown]
# ## Testez-vous
#
# Un crayon suffit : les équations ne servent pas, leur sens, si.
#
# **1.** La tige est à 11,9° vers la droite et tourne encore vers la droite, à 10° par seconde. Quelle poussée évite
# la chute au pas suivant ?
#
# - **A.** À droite : il faut passer dessous.
# - **B.** À gauche : il faut la retenir.
# - **C.** Ni l'une ni l'autre.
# - **D.** On ne peut pas le dire sans connaître la position et la vitesse du chariot.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est le bon réflexe, un pas trop tard : il faut agir sur la vitesse, sans attendre l'angle.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ Cela ne la retiendrait pas : pousser à gauche fait basculer la tige vers la droite, où elle va déjà.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✔ L'angle suivant ne dépend que de l'angle et de la vitesse d'avant : $11{,}9 + 0{,}02 \times 10 = 12{,}1$ degrés,
# au-delà de la limite. La poussée ne change encore que les vitesses.
#
# </details>
# <details name="q1"><summary>Répondre D</summary>
#
# ✘ Le chariot n'entre pas dans ce calcul.
#
# </details>
#
# **2.** La tige penche à droite, de 0,05 rad, mais elle revient vite vers la verticale : $\dot\theta = -0{,}4$ rad/s.
# Que font la règle « signe de θ » et la règle « signe de θ + θ̇ » ?
#
# - **A.** La première pousse à droite et accélère le retour ; la seconde pousse à gauche et le freine.
# - **B.** La première pousse à droite et freine le retour ; la seconde pousse à gauche et l'accélère.
# - **C.** Elles poussent toutes deux à droite, puisque la tige y penche.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✔ L'angle est positif, donc la première pousse à droite. La somme vaut $0{,}05 - 0{,}4 = -0{,}35$, donc la seconde
# pousse à gauche. Or pousser à droite fait basculer la tige vers la gauche, où elle va déjà : elle passera la
# verticale à pleine vitesse, et c'est ainsi que l'oscillation grandit.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✘ C'est oublier que la tige bascule à l'opposé de la poussée.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ La seconde ne regarde pas l'angle seul : elle lui ajoute la vitesse, et la somme est ici négative.
#
# </details>
#
# **3.** Une règle tient 500 pas depuis chacun de cent départs. Qu'est-ce qui est établi ?
#
# - **A.** Elle tiendrait aussi bien dix minutes, puisque les équations ne changent pas d'un pas à l'autre.
# - **B.** Depuis ces cent départs, elle ne tombe pas dans les dix premières secondes.
# - **C.** Le chariot est resté près du centre, sans quoi l'épisode aurait pris fin.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ La tige a l'air stable, mais le chariot peut dériver un peu à chaque instant, comme avec θ + θ̇ à la section 8.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✔ Cinq cents pas de 0,02 s font dix secondes, et c'est tout ce qui a été regardé.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ Un chariot arrivé à 2,3 m du centre n'a encore rien interrompu.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. L'état se réduit à **quatre nombres**, l'action à un bit ; une action se voit sur les vitesses au pas suivant,
#    sur les positions un pas plus tard.
# 2. **Terminaison et troncature** ne disent pas la même chose : tomber, ou cesser de regarder.
# 3. Un score se compare à des **repères** et se lit avec sa **dispersion** ; 500 est la limite du
#    chronomètre, non celle de l'agent.
#
# Le prochain carnet vous apprend à prévoir : [02 · De la table au réseau](02_de_la_table_au_reseau.ipynb).
