# %% [markdown]
# # 10 · Pourquoi ça s'effondre
#
# **La question.** Un agent savait jouer, et ne sait plus. Un autre joue bien, et se croit promis à des
# fortunes qu'aucune partie ne peut rapporter. Que se passe-t-il dans leurs valeurs ? Et d'où vient le mal ?
#
# D'ordinaire, on en est réduit aux soupçons : pour dire qu'un réseau se trompe, il faudrait connaître la bonne réponse.
# À CartPole, on peut la **prouver**, presque partout. Ce carnet compare donc des agents à la vérité ; puis il
# provoque leur effondrement, et cherche ce qui l'empêche.
#
# *Lecture : 70 minutes ; exercices : 40 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from dataclasses import replace

import numpy as np

from cartpole_helpers import (
    VERSION_2,
    ReplayBuffer,
    Training,
    bootstrap_interval,
    evaluate,
    interquartile_mean,
    load,
    load_study,
    paired_interval,
    play,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.live import follow
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.player import player
from cartpole_helpers.statistics import holm, paired_p_value, percentage, sign_test, smallest_effect
from cartpole_helpers.teaching.exercises import check, show
from cartpole_helpers.teaching.laboratory import Amnesic, ClockEnds, WithReserve, collapsed
from cartpole_helpers.teaching.truth import certify, discounted, survival, viability_map

# %% [markdown]
# ## 1. La vérité
#
# Chaque pas rapporte 1. La valeur d'un état ne dépend donc que d'une chose : le nombre $T$ de pas que le meilleur
# joueur possible tiendrait encore, celui de la chute compris. Alors $V^* = 1 + \gamma + \dots + \gamma^{T-1}$, soit
# $(1-\gamma^T)/(1-\gamma)$. Ici, le jeu n'a pas de chronomètre : un état d'où l'on ne tombe jamais vaut $1/(1-\gamma)$,
# soit 100 quand $\gamma = 0{,}99$.
#
# Calculons un état à la main. La tige est à 0,18 rad et tombe à 1,4 rad/s ; la limite est à 0,2094. Au prochain
# instant, elle sera à $0{,}18 + 0{,}02 \times 1{,}4 = 0{,}208$, **quelle que soit l'action** : la force ne change
# d'abord que la vitesse. La tige tient encore.
#
# Sa vitesse, elle, ne peut guère changer : une poussée la modifie d'environ 0,3 rad/s. Au pas suivant, l'angle
# aura crû de 0,02 rad au moins, et passé la limite. Deux pas, quoi qu'on fasse :
# $V^* = 1 + 0{,}99 = 1{,}99$.
#
# > **À vous.** Et si, depuis le même angle, la tige tombait à 1,5 rad/s ?

# %%
etats = np.array([[0, 0, 0.18, 1.4], [0, 0, 0.18, 1.5], [0, 0, 0, 0]])
bas, haut = certify(etats, gamma=0.99)

# %%
for etat, une, autre in zip(etats, bas, haut, strict=True):
    angle, vitesse = number(etat[2], 2), number(etat[3], 1)
    print(f"θ = {angle} rad, θ̇ = {vitesse} rad/s :", une.round(4), "≤ Q* ≤", autre.round(4))

# %% [markdown]
# Deux nombres par ligne, un par action. `certify` retrouve notre calcul, et la chute immédiate de la deuxième
# ligne : $0{,}18 + 0{,}03 = 0{,}21$. La borne du bas est une **preuve par l'exemple**, celle du haut une **preuve
# d'impossibilité** ; quand elles se touchent, la vérité est exacte.

# %% [markdown]
# Regardez la troisième ligne. La tige est droite, immobile, et **les deux actions valent 100**. Près de
# l'équilibre, la vérité n'a pas de préférence : le meilleur joueur rattrape n'importe quelle première poussée.
# Ce qu'un agent y préfère ne vient donc pas de $Q^*$.

# %% [markdown]
# ### La méthode
#
# `certify` n'estime rien : il encadre, après chaque action, le nombre $T$ de pas que l'on peut encore tenir ; γ
# n'entre qu'à la fin. Il a quatre preuves, de la moins chère à la plus chère, et n'emploie la suivante que pour les
# états encore indécis.
#
# 1. **Toujours à gauche, toujours à droite.** Voilà déjà deux exemples. Et aucune suite d'actions ne garde la tige plus
#    à gauche que « toujours à droite » : quand celle-ci la laisse tomber à droite, toutes les autres ont échoué aussi.
#    L'autre côté est le miroir.
# 2. **Une règle qui tient à jamais.** On joue deux règles linéaires. Pour l'une, un calcul délimite des états d'où elle
#    ne laisse jamais tomber la tige : il majore, pour tous les pas à venir, ce qu'ajoutent à $x$, à θ et à θ̇ la force, qui est
#    bornée, et l'écart du jeu à sa linéarisation. Un état d'où l'une des deux mène à ceux-là est sauvable : $T$ est
#    infini.
# 3. **Le chariot sort, quoi qu'on fasse.** Un point de la tige, son centre d'oscillation, n'est presque pas accéléré
#    par les poussées, mais par l'inclinaison. Une table sur (θ, θ̇), remplie à rebours, en tire un minorant du $x$
#    moyen des derniers pas, valable pour toute suite d'actions qui garde la tige levée. S'il dépasse 2,4 m, aucune ne
#    sauve.
# 4. **La recherche.** On déroule les suites d'actions, sans celles que la table condamne ; s'il en reste trop, on garde
#    les mieux placées. Une suite qui survit est un exemple ; si rien n'a été écarté sans preuve et que rien n'arrive au
#    bout, il n'en existe pas. Une recherche complète tranche les survies les plus courtes ; `effort` compte les recherches suivantes, de plus en plus larges.
#
# Les exemples sont joués au bit près, et les preuves d'impossibilité tiennent compte des arrondis.

# %% [markdown]
# ### La carte
#
# Faisons varier l'angle et sa vitesse, en deux endroits du rail.
#
# > **À vous.** Une tige parfaitement droite et immobile, à 2 m du centre, sur un chariot lancé vers le bord à
# > 1 m/s. Il reste 40 cm. Sauvable, ou perdue ?

# %%
angles, vitesses = np.radians(np.linspace(-13, 13, 79)), np.radians(np.linspace(-150, 150, 79))
cartes = {
    "au centre, chariot immobile": viability_map(0, 0, angles, vitesses),
    "à 2 m, lancé vers le bord à 1 m/s": viability_map(2, 1, angles, vitesses),
}

# %%
sues = [np.mean(np.isinf(basse) | np.isfinite(haute)) for basse, haute in cartes.values()]
au_centre, au_bord = (number(100 * part, 1) for part in sues)
titre = f"Le sort est prouvé pour {au_centre} % du plan au centre, {au_bord} % près du bord"
figures.viability(cartes, angles, vitesses, titre)

# %% [markdown]
# Un état est **perdu** si tout y mène à la chute, **sauvable** si l'on peut tenir à jamais ; entre les deux, la bande
# des **indécis**, où la preuve manque, est mince. Un effort de plus la rétrécit : demandons le sort de la tige droite
# et immobile, à 40 cm du bord.

# %%
au_mieux = survival([[2.0, 1.0, 0.0, 0.0]], effort=6)
for cote, moins, plus in zip(("gauche", "droite"), *au_mieux.low, *au_mieux.high, strict=True):
    print(f"survie, à {cote} : de {moins:.0f} à {plus:.0f} pas")

# %% [markdown]
# **Perdue**, et l'on sait exactement quand : les deux bornes se touchent. Pour freiner le chariot, il faut que la
# tige penche vers le centre ; or, pour la faire pencher ainsi, il faut d'abord pousser vers le bord. Les 40 cm n'y
# suffisent pas. Un agent qui découvre le bord en y arrivant le découvre trop tard.

# %% [markdown]
# Deux dimensions ne font pas l'espace entier. Tirons des états dans une large boîte, positions et vitesses
# comprises : l'archive compte ceux dont on connaît la valeur.

# %%
verite = load_study("../etudes/verite.csv")
effort_3 = (verite["effort"] == 3) & (verite["gamma"] == 0.99)
for sort in ("sauvable", "perdu", "indecis", "exact"):
    nom = sort.replace("indecis", "indécis")
    print(f"{nom:9} {number(100 * verite[sort][effort_3].mean(), 1)} %")

# %% [markdown]
# La dernière ligne nous servira : la part des états dont $V^*$ est connue **exactement**. Plus de la moitié de la boîte
# est perdue d'avance. Un réseau peut y dire ce qu'il veut ; nous saurons s'il ment.

# %% [markdown]
# ## 2. La surestimation
#
# La cible du DQN contient un maximum : $r + \gamma \max_a Q(s', a)$. Or le maximum de deux estimations
# bruitées est en moyenne **plus grand** que le vrai maximum : on retient l'erreur la plus flatteuse. Deux
# actions valent 0 ; chacune est estimée +1 ou −1, à pile ou face. Le maximum vaut +1 trois fois sur quatre.

# %%
bruit = np.random.default_rng(0).choice([-1, 1], size=(100_000, 2))
print("moyenne des estimations :", number(bruit.mean(), 2))
print("moyenne du maximum      :", number(bruit.max(axis=1).mean(), 2))

# %% [markdown]
# Puis l'amorçage recopie l'erreur flatteuse dans la cible de l'état d'avant, et ainsi de suite. Deux remèdes sont
# connus depuis les carnets [04](04_le_dqn.ipynb) et [05](05_eprouver_ses_regles.ipynb) : le **réseau cible**, qui
# bouge lentement, et **Double DQN**, où un réseau choisit l'action et l'autre l'évalue.
#
# L'étude archivée part de la Version 2, appauvrie exprès : quatre chariots, une cible à un pas, un taux d'apprentissage
# constant, ε tombé à 0,1, aucune moyenne des poids. Vingt graines par règle, et $\gamma = 0{,}99$ : aucune valeur ne devrait
# dépasser 100. Une même graine a partout les mêmes poids de départ et les mêmes suites de tirages.
#
# Et si le maximum n'était pas le coupable ? Deux règles s'en passent : leur cible lit $Q(s', a')$ pour l'action $a'$
# d'une politique fixe, la règle LQR du [carnet 01](01_le_probleme.ipynb). La vérité est alors la valeur de cette politique,
# qu'il suffit de jouer ; en $s_0$, la tige droite et immobile, elle tient à jamais : 100, là encore.
#
# > **À vous.** Sans réseau cible, un amorçage se nourrit de lui-même. Que vaudra $Q(s_0)$ au pire moment ? Et si l'on
# > ôte aussi le maximum ?

# %%
mesures = load_study("../etudes/surestimation.csv")
REGLES = [*dict.fromkeys(mesures["regle"])]
INSTANTS = np.unique(mesures["pas"])
SEULE, CIBLE, DOUBLE, SEULE_FIXE, CIBLE_FIXE, SEULE_BORNEE, CIBLE_BORNEE = REGLES


# %%
def suivi(regle, grandeur):
    """Une grandeur au fil de l'entraînement, graine par graine : (graines, mesures)."""
    return mesures[grandeur][mesures["regle"] == regle].reshape(-1, len(INSTANTS))


# %%
SUIVIES = (SEULE, SEULE_FIXE, CIBLE, DOUBLE, CIBLE_FIXE)
erreurs = {regle: np.abs(suivi(regle, "q0") - 100) for regle in SUIVIES}
milieux = {regle: interquartile_mean(valeurs) for regle, valeurs in erreurs.items()}
bandes = {regle: bootstrap_interval(valeurs) for regle, valeurs in erreurs.items()}
avec_max, sans_max, cible, _, fixe = (number(milieux[regle][-1]) for regle in SUIVIES)

# %%
figures.curves(
    INSTANTS,
    milieux,
    f"Erreur finale sur Q(s₀) : {avec_max} sans réseau cible, {cible} avec ; "
    f"sans maximum, {sans_max} et {fixe}",
    ("pas de jeu par agent", "erreur sur Q(s₀) (log)"),
    log="y",
    bands=bandes,
)

# %% [markdown]
# L'axe est logarithmique : chaque graduation principale vaut dix fois la précédente. Sans réseau cible, ce n'est plus
# un biais, c'est un **emballement** : une erreur entre dans la cible, qui tire le réseau, qui gonfle la cible. Sans
# maximum, il est moindre pour la plupart des graines, mais il demeure. Et de quel côté va-t-il ? Comptons, sur la
# seconde moitié de l'entraînement.

# %%
for regle in (SEULE, SEULE_FIXE):
    tardif = suivi(regle, "q0")[:, INSTANTS > 15_000].mean(axis=1)
    print(
        f"{regle:28} plus de 200 : {(tardif > 200).sum():2} ; moins de 0 : {(tardif < 0).sum():2}"
    )

# %% [markdown]
# Avec le maximum, toutes les graines partent vers le haut ; sans lui, la plupart oscillent d'un signe à l'autre,
# quelques-unes plongent, parfois très bas. **Sans réseau cible, l'amorçage peut suffire à faire diverger les
# valeurs ; le maximum, lui, pousse vers le haut.** L'étude avait prévu de comparer des logarithmes : des valeurs
# négatives l'interdisent, et ce compte est exploratoire.

# %% [markdown]
# Et Double DQN **sans** réseau cible ? L'action est alors choisie et évaluée par le même réseau : c'est le maximum,
# tout simplement. Les deux règles n'en font qu'une. Vérifions-le sur deux entraînements.

# %%
sans_cible = replace(VERSION_2, target_rate=1.0, total_steps=3_200)
pertes = []
for double in (False, True):
    tours = Training(replace(sans_cible, double=double), 0).run()
    pertes.append([tour.loss.item() for tour in tours])
print("mêmes pertes :", np.array_equal(*pertes, equal_nan=True), f"({len(pertes[0])} tours)")

# %% [markdown]
# ### Où se trompe-t-on, et de combien ?
#
# Un état sauvable ne peut pas valoir plus de 100 ; un état perdu vaut bien moins. Voici de combien chaque règle à
# réseau cible les surestime, en moyenne sur la seconde moitié de l'entraînement : en $s_0$, là où l'agent vient de
# passer, et dans la large boîte.


# %%
def tard(regle, grandeur):
    """Une grandeur en moyenne sur les mesures qui suivent le pas 15 000 : (graines,)."""
    return np.nanmean(suivi(regle, grandeur)[:, INSTANTS > 15_000], axis=1)


LIEUX = {"Q(s₀)": "q0", "sauvables visités": "v_sauves", "perdus de la boîte": "b_perdus"}
VERITES = {"q0": 100, "v_sauves": 0, "b_perdus": 0}  # ces deux-là sont déjà des écarts
exces = {
    lieu: {regle: tard(regle, nom) - VERITES[nom] for regle in (CIBLE, DOUBLE, CIBLE_FIXE)}
    for lieu, nom in LIEUX.items()
}


# %%
def moyenne(valeurs):
    """La moyenne des graines, et son intervalle de Student."""
    return (valeurs.mean(), *paired_interval(valeurs))


simple, double, fixe = (number(un.mean()) for un in exces["Q(s₀)"].values())
titre = f"Excès de Q(s₀) : {simple} avec le maximum, {double} en Double, {fixe} sans maximum"
figures.intervals(
    {lieu: {regle: moyenne(un) for regle, un in rang.items()} for lieu, rang in exces.items()},
    titre,
)

# %% [markdown]
# Chaque graine a suivi toutes les règles : comparons-les **graine par graine**. Ces comparaisons étaient fixées avant
# l'étude, mais les trois premières règles avaient déjà été vues : les comparaisons qui n'emploient qu'elles ne
# confirment rien. Holm corrige les valeurs p (la probabilité, si rien n'avait d'effet, d'un écart au moins aussi
# net), et la dernière colonne dit le plus petit écart que l'étude avait quatre chances sur cinq de montrer.


# %%
def ecrite(p):
    """Une valeur p, telle qu'on l'écrit."""
    return "p < 0,001" if p < 0.001 else f"p = {number(p, 3)}"


def compare(ecarts, chiffres=0, abandons=0):
    """Imprime chaque écart apparié : moyenne, intervalle, valeur p corrigée, effet visible."""
    p_valeurs = [paired_p_value(ecart) for ecart in ecarts.values()]
    corrigees = holm([*p_valeurs, *[1.0] * abandons])
    for (nom, ecart), p in zip(ecarts.items(), corrigees, strict=False):
        ecrits = (*moyenne(ecart), smallest_effect(ecart))
        milieu, bas, haut, visible = (number(un, chiffres) for un in ecrits)
        print(f"{nom:35} {milieu:>6} [{bas} ; {haut}], {ecrite(p)} ; visible : {visible}")


# %%
compare(
    {
        "Double DQN ou non": tard(DOUBLE, "q0") - tard(CIBLE, "q0"),
        "sans maximum, réseau cible": tard(CIBLE_FIXE, "q0") - tard(CIBLE, "q0"),
    },
    chiffres=1,
    abandons=1,  # les logarithmes, annoncés, que des valeurs négatives interdisent
)

# %% [markdown]
# Avec un réseau cible, ôter le maximum ôte presque tout l'excès, en $s_0$ comme là où l'agent passe : **le maximum est
# bien le moteur du biais**, à ceci près que la valeur d'une politique fixe est une autre fonction à apprendre. Double
# DQN, dont le second réseau est une copie retardée du premier, en ôte une part bien plus petite.

# %% [markdown]
# ### Jouent-ils plus mal ?
#
# Un agent qui se croit promis à de telles fortunes devrait mal jouer. Pour le savoir, deux règles **bornent** leurs
# cibles à 100, et ne changent rien d'autre. Voici les écarts de retour, appariés, sur la seconde moitié de
# l'entraînement.

# %%
jeu = {
    "sans réseau cible ou avec": tard(SEULE, "retour") - tard(CIBLE, "retour"),
    "Double DQN ou non": tard(DOUBLE, "retour") - tard(CIBLE, "retour"),
    "bornées ou non, sans réseau cible": tard(SEULE_BORNEE, "retour") - tard(SEULE, "retour"),
    "bornées ou non, avec": tard(CIBLE_BORNEE, "retour") - tard(CIBLE, "retour"),
}
compare(jeu)

# %%
borne = number(jeu["bornées ou non, sans réseau cible"].mean())
titre = f"Borner les cibles, sans réseau cible, change le retour de {borne} pas"
figures.intervals({"écart de retour (pas)": {nom: moyenne(un) for nom, un in jeu.items()}}, titre)

# %% [markdown]
# Sans réseau cible, ramener les valeurs au plafond **nuit**. Peut-être la borne, atteinte presque partout,
# efface-t-elle l'écart des deux actions, seule chose que lise la politique. Pour les trois autres lignes, on ne sait
# pas : leurs intervalles contiennent zéro, et un écart plus petit que celui de la dernière colonne a pu nous échapper.
#
# N'en faisons pas une loi : aux carnets [04](04_le_dqn.ipynb) et [11](11_la_clinique_du_dqn.ipynb), avec d'autres
# recettes, se passer d'une cible en retard coûte cher. Des valeurs démesurées ne font pas toujours mal jouer ; des
# valeurs bornées ne font pas toujours bien jouer. Valeurs et jeu sont deux mesures.

# %% [markdown]
# ## 3. Le laboratoire de la troncature
#
# Le [carnet 06](06_la_boucle_d_entrainement.ipynb) a fait un calcul : si le chronomètre passe pour une chute, et si
# une transition sur cinq cents porte cette fausse fin, un état sûr ne vaut plus 100, mais environ 83,5. Le voici en
# une ligne. Soit $p$ la part des fausses fins ; la valeur $V$ d'un état sûr vérifie $V = 1 + \gamma(1-p)V$, donc $V =
# 1/(1-\gamma(1-p))$.

# %%
for p in (0, 1 / 500):
    print(f"p = {number(p, 3)} : V = {number(1 / (1 - 0.99 * (1 - p)), 1)}")

# %% [markdown]
# C'est un calcul théorique : il suppose que le réseau ne voit pas l'âge de l'épisode, que les fausses fins tombent au
# hasard parmi les états sûrs, que rien d'autre ne se trompe. Qu'en est-il d'agents réels ? Pour le savoir, un jeu qui
# se trompe suffit. Le voici, entier.

# %%
listing(ClockEnds)

# %% [markdown]
# Vingt graines s'entraînent à ce jeu, qui remplit leur mémoire de fausses fins : nous la dirons **fautive**. Les
# mêmes s'entraînent aussi au vrai jeu. Il faut des agents qui vont souvent au bout des cinq cents pas : sans cela, le
# chronomètre n'arrête personne. Ceux-ci ont donc la symétrie, peu d'exploration, et une mémoire de cinq mille
# transitions.
#
# > **À vous.** Avec la mémoire juste, la vérité est 100. Avec la fautive, le calcul dit 83,5. Où sera l'agent réel, au
# > bout de trente mille pas ? Et jouera-t-il moins bien ?

# %%
chrono = load_study("../etudes/troncature.csv")
JUSTE, FAUTIVE = dict.fromkeys(chrono["memoire"])
DATES = np.unique(chrono["pas"])


def mesure(memoire, grandeur):
    """Une grandeur, graine par graine : (graines, mesures)."""
    return chrono[grandeur][chrono["memoire"] == memoire].reshape(len(DATES), -1).T


# %% [markdown]
# L'archive a compté, dans chaque mémoire, la part $p$ des transitions où le chronomètre a coupé l'épisode. On peut donc
# prédire, graine par graine et date par date, la valeur que le calcul attend de la mémoire fautive.

# %%
part = mesure(FAUTIVE, "fins")
series = {
    "mémoire juste": mesure(JUSTE, "q0"),
    "mémoire fautive": mesure(FAUTIVE, "q0"),
    "calcul, mémoire fautive": 1 / (1 - 0.99 * (1 - part)),
}

# %%
milieux = {nom: interquartile_mean(valeurs) for nom, valeurs in series.items()}
bandes = {nom: bootstrap_interval(valeurs) for nom, valeurs in series.items()}
juste, fautive, calcul = (number(courbe[-1], 1) for courbe in milieux.values())
titre = f"Q(s₀) à la fin : {juste} avec la mémoire juste, {fautive} avec l'autre ; calcul, {calcul}"
figures.curves(DATES, milieux, titre, ("pas de jeu par agent", "Q(s₀)"), bands=bandes)

# %% [markdown]
# La mémoire fautive rabaisse les valeurs, mais moins que le calcul ne le dit. Même avec la juste, l'agent n'est pas à
# 100 : il surestime un peu, et l'autre sans doute aussi. Et la valeur **suit** sa cible avec retard : elle descend
# encore, tandis que le chronomètre coupe de plus en plus d'épisodes, à mesure que l'agent joue mieux.

# %% [markdown]
# Prenons donc un **rapport**. Les deux agents d'une même graine ont les mêmes poids de départ et les mêmes tirages ; ce
# qui les trompe tous deux s'y simplifie. Pour compter avec le retard, la part $p$ est moyennée sur les dernières
# mesures ; cinq d'entre elles, soit dix mille pas, pour la figure. Le calcul prédit $(1-\gamma)/(1-\gamma(1-p))$.

# %%
rapport = mesure(FAUTIVE, "q0")[:, -1] / mesure(JUSTE, "q0")[:, -1]


def calcul(mesures):
    """Le rapport prédit, graine par graine, si p est moyennée sur les dernières `mesures`."""
    return 0.01 / (1 - 0.99 * (1 - part[:, -mesures:].mean(axis=1)))


# %%
obtenu, attendu = (number(valeurs.mean(), 2) for valeurs in (rapport, calcul(5)))
titre = f"Rapport des deux Q(s₀) : {obtenu} mesuré, {attendu} prédit par le calcul"
axes = ("rapport prédit, d'après la part de fausses fins", "rapport mesuré")
figures.points({"une graine": (calcul(5), rapport)}, titre, axes, identity=True)

# %%
for mesures_gardees in (1, 5, 10, 15):
    ecart = rapport - calcul(mesures_gardees)
    milieu, bas, haut = (number(un, 3) for un in (ecart.mean(), *paired_interval(ecart)))
    accord = number(np.corrcoef(rapport, calcul(mesures_gardees))[0, 1], 2)
    print(f"p sur {2 * mesures_gardees:2} 000 pas : mesuré moins prédit, {milieu} [{bas} ; {haut}]")
    print(f"    corrélation : {accord}")

# %% [markdown]
# Les graines suivent à peu près le calcul, surtout si l'on moyenne $p$ sur dix mille pas au moins : c'est exploratoire.
# Mais ses nombres sont **démentis** : l'intervalle exclut zéro, sauf à moyenner $p$ depuis le tout début, quand le
# chronomètre ne coupait rien encore. Une de ses hypothèses, au moins, est fausse : l'archive le montre.

# %%
for nom, x in (("où il coupe", "x_fins"), ("partout", "x_tous")):
    print(f"écart type de x, {nom} : {number(mesure(FAUTIVE, x)[:, -1].mean(), 2)} m")

# %% [markdown]
# Le chronomètre ne coupe pas n'importe où : en cinq cents pas, le chariot a dérivé, et c'est loin du centre, non en
# $s_0$, que la mémoire voit ses fausses fins. Le jeu en souffre-t-il ? Comparons les retours, graine par graine, sur la
# seconde moitié de l'entraînement.

# %%
moities = [mesure(nom, "retour")[:, DATES > 15_000].mean(axis=1) for nom in (FAUTIVE, JUSTE)]
compare({"retour, fautive moins juste": moities[0] - moities[1]})

# %% [markdown]
# **Avec cette recette, nous ne voyons pas que cette faute nuise au jeu** ; un recul de la taille que dit la dernière
# colonne se serait vu quatre fois sur cinq. Elle n'en est pas moins une faute : qui lirait ces valeurs pour comparer
# deux états, ou deux agents, lirait le chronomètre.

# %% [markdown]
# ## 4. L'oubli, provoqué
#
# Passons aux agents qui **désapprennent**. Une explication circule partout : à force de bien jouer, l'agent ne
# voit plus de chutes, sa mémoire n'en contient plus, et il oublie pourquoi il fallait les éviter. Elle est
# séduisante ; est-elle vraie ? Une corrélation ne le dira pas. Il faut **intervenir**.
#
# Prenons la Version 2, avec une cible à un pas et une mémoire de cinq mille transitions, et jugeons son réseau
# principal, sans la moyenne des poids : ce **témoin** n'est pas infaillible, nous compterons aussi ses effondrements.
# Chez l'**amnésique**, à partir de dix mille pas, les chutes n'entrent plus en mémoire. Les états dangereux continuent
# d'y entrer ; seul le dernier pas, celui qui tue, manque.

# %%
listing(Amnesic.add)

# %% [markdown]
# Où cela mène, un **théorème** le dit. Sans aucune fin, la constante $Q = 1/(1-\gamma)$ atteint exactement toutes ses
# cibles : $1 + \gamma/(1-\gamma) = 1/(1-\gamma)$. C'est même la seule solution si, de chaque état atteint, la mémoire
# connaît les deux actions. Reste ce qu'il ne dit pas : à quelle vitesse, avec quel effet sur le jeu, et combien de
# chutes suffisent à l'empêcher.
#
# L'étude garde donc aussi une chute sur 64, sur 16, sur 4, tirées au sort (`kept`). Et comme l'amnésique fait **deux**
# choses, ôter la chute et répéter le pas précédent, une **doublure** ne fait que la seconde. Quarante graines par
# réglage.
#
# > **À vous.** Combien d'amnésiques sur quarante s'effondreront ? Une chute sur 64 les sauvera-t-elle ? Et que fera la
# > **perte** : monter, descendre, ou rien ?

# %%
oubli = load_study("../etudes/effondrement.csv")
PAS = np.array([int(colonne) for colonne in oubli if colonne.isdigit()])


def releve(reglage, mesure="retour"):
    """Une grandeur de l'archive : (graines, évaluations)."""
    lignes = np.flatnonzero((oubli["reglage"] == reglage) & (oubli["mesure"] == mesure))
    return np.stack([oubli[str(pas)][lignes] for pas in PAS], axis=1)


# %% [markdown]
# Une graine **s'effondre** si elle passe sous 200 après avoir réussi, à 475 au moins, **et** après l'intervention : d'un
# effondrement au pas 4 000, un changement fait au pas 10 000 ne peut être la cause.

# %%
listing(collapsed)

# %%
deux = {nom: releve(nom) for nom in ("témoin", "amnésique")}
effondres = {nom: collapsed(PAS, retours) for nom, retours in deux.items()}
comptes = {nom: qui.sum() for nom, qui in effondres.items()}
titre = "Effondrements : amnésique, {amnésique} graines sur 40 ; témoin, {témoin}".format(**comptes)
figures.learning_curves(PAS, deux, titre)

# %%
for nom, qui in effondres.items():
    _, bas, haut = map(number, percentage(qui))
    print(f"{nom:10} {qui.sum()} sur 40, soit de {bas} à {haut} %")

# %% [markdown]
# C'est une expérience, et non plus une corrélation : mêmes graines, mêmes tirages jusqu'à dix mille pas. L'effet
# n'est pas immédiat : il faut d'abord que les anciennes chutes sortent de l'anneau, puis que leur leçon s'efface. Et
# le témoin s'effondre parfois, lui aussi : sa moyenne interquartile ne le montre pas, le compte le dit.

# %% [markdown]
# ### Ce qui se passe à l'intérieur
#
# Regardons quatre grandeurs. Les chutes en mémoire. La **justesse** : dans les états où une action sauve à
# jamais et l'autre perd à coup sûr (`certify` le prouve), combien de fois l'agent choisit-il la bonne ? La valeur
# qu'il donne aux états perdus, moins la vraie. La perte, enfin, celle que tout le monde surveille.

# %%
GRANDEURS = {
    "chutes en mémoire (%)": "chutes",
    "bons choix décisifs (%)": "juste",
    "max Q − V*, états perdus": "perdus",
    "perte": "perte",
}


def dedans(*reglages):
    """Les quatre grandeurs de chaque réglage, prêtes à tracer."""
    return {
        label: {nom: releve(nom, mesure) for nom in reglages} for label, mesure in GRANDEURS.items()
    }


# %%
pertes = [interquartile_mean(releve(nom, "perte"))[-1] for nom in ("témoin", "amnésique")]
titre = f"L'agent qui s'effondre finit avec une perte {pertes[0] / pertes[1]:.0f} fois plus basse"
quatre = dedans("témoin", "amnésique")
figures.traces(PAS, quatre, titre, "pas de jeu par agent", log=["perte"], mark=10_000)

# %% [markdown]
# Lisez les panneaux dans l'ordre. Les chutes disparaissent en cinq mille pas, ce que dure la mémoire. La valeur des
# états perdus monte alors plus vite que chez le témoin : plus rien n'apprend à l'agent qu'ils finissent mal, et
# l'amorçage leur promet un avenir comme aux autres. Puis le retour tombe. Quand il passe sous 200, où en sont les
# choix décisifs ?

# %%
sous = ((releve("amnésique") < 200) & (PAS > 10_000)).argmax(axis=1)  # (40,)
for nom in ("bons choix décisifs (%)", "max Q − V*, états perdus"):
    valeurs = quatre[nom]["amnésique"]
    trois = (valeurs[:, PAS == 10_000], valeurs[range(40), sous], valeurs[:, -1])
    dix_mille, alors, fin = (number(un.mean(), 1) for un in trois)
    print(f"{nom} : {dix_mille} à 10 000 pas, {alors} en passant sous 200, {fin} à la fin")

# %% [markdown]
# À cet instant, la valeur des états perdus a déjà beaucoup monté ; la justesse, mesurée dans la large boîte,
# s'effondre surtout **ensuite**. L'archive ne dit donc pas par où passe l'effet.

# %% [markdown]
# Le dernier panneau, à échelle logarithmique, est le plus instructif. **La perte de l'agent sain monte ; celle de
# l'agent qui sombre s'effondre.** Elle ne mesure que l'accord du réseau avec ses propres cibles. Un réseau pour lequel
# presque tout se vaut s'accorde presque avec lui-même : il ne distingue plus grand-chose.
#
# > **Attention.** Une perte qui descend ne prouve pas qu'un agent apprend, ni une perte qui monte, qu'il échoue. En
# > apprentissage supervisé, la cible est donnée ; ici, elle est faite des croyances de l'élève.

# %% [markdown]
# Même l'agent sain surestime les états perdus de la boîte, et de plus en plus. Pourquoi, l'archive ne le dit
# pas. Ses choix décisifs restent bons : il suffit que l'**ordre** des deux actions soit juste, là où
# l'ordre compte.

# %% [markdown]
# ### L'écart
#
# Que devient la préférence de l'agent là où tout se décide ? L'écart $Q(a) - Q(a')$ entre la bonne action et la
# mauvaise, sur les états décisifs, devrait être immense : la première vaut $1/(1-\gamma)$, soit près de 67 avec le γ
# de ces agents, 0,985 ; la seconde, les quelques pas qui restent.

# %%
ecarts = {"écart, états décisifs": {nom: releve(nom, "ecart") for nom in ("témoin", "amnésique")}}
creux = interquartile_mean(releve("amnésique", "ecart"))
chute = f"de {number(creux.max(), 1)} à {number(creux[-1], 1)}"
titre = f"Entre l'action qui sauve et celle qui perd, l'écart de l'amnésique passe {chute}"
figures.traces(PAS, ecarts, titre, "pas de jeu par agent", mark=10_000)

# %% [markdown]
# Même chez le témoin, l'écart est bien plus petit que le vrai : un réseau lisse ne saute pas d'un coup d'une valeur à
# l'autre. Celui de l'amnésique grandit d'abord de même, puis **se referme**.

# %% [markdown]
# ### Combien de chutes faut-il ?
#
# Si la cause est bien l'absence de chutes, les rendre doit suffire, même sans toucher à la mémoire amnésique. Une
# **réserve** garde à part, dès le début, les 512 dernières chutes, et en glisse 8 dans chaque lot de 128. Son
# **placebo** fait de même avec des pas ordinaires, du même âge.

# %%
listing(WithReserve.sample)

# %% [markdown]
# Le seuil de 200 est un choix. Comptons à tous les seuils, et toujours après l'intervention.

# %%
SEUILS = np.arange(100, 401, 25)


def par_seuil(*reglages):
    """Combien de graines de chaque réglage passent sous chaque seuil, après 10 000 pas."""
    return {
        nom: np.array([collapsed(PAS, releve(nom), seuil).sum() for seuil in SEUILS])
        for nom in reglages
    }


# %%
LABO = ("amnésique", "1/64 des chutes", "1/16 des chutes", "1/4 des chutes", "témoin")
SOINS = ("amnésique, placebo", "amnésique, réserve", "doublure")
axes = ("seuil (pas)", "graines sous le seuil, sur 40")
doses = par_seuil(*LABO, "amnésique, réserve")
sous_200 = [int(compte[SEUILS == 200].item()) for compte in doses.values()]
titre = (
    "Effondrés, selon que l'on garde 0, 1/64, 1/16, 1/4 ou toutes les chutes : {}, {}, {}, {}, {}"
)
figures.curves(SEUILS, doses, titre.format(*sous_200), axes)

# %% [markdown]
# Les treize comparaisons étaient fixées d'avance, mais vingt des quarante graines avaient déjà été vues dans sept
# réglages. Chaque comparaison compte les graines qui s'effondrent dans l'un des deux réglages seulement : c'est le
# test exact de McNemar, corrigé par Holm. Il lui faut, pour conclure, au moins six graines qui changent toutes dans
# le même sens, et, corrigé, sept à dix, selon les autres comparaisons.

# %%
REMEDES = ("réserve de chutes", "réserve de pas ordinaires", "mémoire de 50 000", "ε = 0,5")
FAMILLE = [
    *[(nom, "témoin") for nom in ("amnésique", "doublure", *LABO[1:4])],
    *[(nom, "amnésique") for nom in SOINS[:2]],
    *[(nom, "livré à lui-même") for nom in REMEDES],
    *[(nom, "réserve de chutes") for nom in REMEDES[1:3]],
]


def duel(une, autre):
    """Les graines que seul un réglage fait s'effondrer : (chez `une`, chez `autre`)."""
    chez_une, chez_autre = (collapsed(PAS, releve(nom)) for nom in (une, autre))
    return int((chez_une & ~chez_autre).sum()), int((chez_autre & ~chez_une).sum())


corrigees = dict(zip(FAMILLE, holm([sign_test(*duel(*paire)) for paire in FAMILLE]), strict=True))


def tableau(paires):
    """Imprime, pour chaque paire, les graines qui s'effondrent et la valeur p corrigée."""
    for paire in paires:
        une, autre = (collapsed(PAS, releve(nom)).sum() for nom in paire)
        print(f"{paire[0]:26} {une:2} ; {paire[1]:18} {autre:2} ; {ecrite(corrigees[paire])}")


# %%
tableau(FAMILLE[:7])

# %% [markdown]
# Ôter les chutes suffit donc, et **la dose compte** : d'une sur seize à une sur quatre, les effondrements se raréfient,
# ce qui est exploratoire. La doublure ne se distingue pas du témoin : répéter un pas n'a pas d'effet visible. Et le
# placebo ne soigne personne : ce qui manquait, ce n'étaient pas des pas anciens, mais des chutes.
#
# Avec la réserve, aucune des quarante graines ne s'effondre : à 95 %, c'est au plus une sur onze. Rend-elle l'agent
# d'avant ? Rien, sur la figure, ne dit le contraire : soignés ou témoins, il en passe presque autant sous 300 ou sous
# 400, et l'écart n'atteint pas ce que le test peut voir.

# %% [markdown]
# ## 5. L'oubli, tel qu'il vient
#
# Plus personne n'efface rien. La même recette est **livrée à elle-même** : ε descend jusqu'à zéro en dix
# mille pas, et la mémoire ne garde que deux mille transitions. Un agent qui joue bien n'y voit donc plus guère
# de chutes : les conditions de l'histoire sont réunies, sans qu'on y touche.
#
# > **À vous.** S'effondrera-t-elle comme l'amnésique, d'un coup et jusqu'en bas ?

# %%
seul = releve("livré à lui-même")
rares = number(interquartile_mean(releve("livré à lui-même", "chutes"))[-1], 2)
tombees = collapsed(PAS, seul)
titre = f"{rares} % de chutes en mémoire à la fin ; {tombees.sum()} graines sur 40 s'effondrent"
figures.learning_curves(PAS, seul, titre)

# %% [markdown]
# Ce n'est pas le même mal. Les chutes sont devenues rares, et des agents qui jouaient bien jouent mal ; mais la
# plupart ne touchent pas le sol. Ils **flottent** à mi-hauteur, reviennent souvent, repartent.
# Alignons les effondrements sur leur instant, et comparons ces graines, aux mêmes instants, à celles qui ne s'effondrent pas.

# %%
AUTOUR = np.arange(-6, 3)
basses = np.maximum.accumulate(seul >= 475, axis=1) & (seul < 200) & (PAS > 10_000)
instants = {graine: basses[graine].argmax() for graine in np.flatnonzero(tombees)}
instants = {graine: quand for graine, quand in instants.items() if quand < len(PAS) - 2}


def aligne(mesure):
    """La grandeur autour de chaque effondrement, et chez chaque autre graine, en moyenne."""
    valeurs = releve("livré à lui-même", mesure)
    malades = np.array([valeurs[graine, quand + AUTOUR] for graine, quand in instants.items()])
    autres = [valeurs[~tombees][:, quand + AUTOUR] for quand in instants.values()]
    return {"s'effondrent à l'instant 0": malades, "les autres": np.mean(autres, axis=0)}


# %%
suspects = {label: aligne(mesure) for label, mesure in GRANDEURS.items()}
ici, ailleurs = (number(interquartile_mean(groupe)[6], 2) for groupe in aligne("chutes").values())
titre = f"Chutes en mémoire : {ici} % dans les {len(instants)} effondrements, {ailleurs} % ailleurs"
figures.traces(AUTOUR, suspects, titre, "milliers de pas, depuis l'effondrement", mark=0)

# %% [markdown]
# Rien n'y désigne les victimes : avant l'instant 0, les bandes se recouvrent sur les quatre panneaux, et elles sont
# larges. La perte et les chutes montent **après** coup, quand l'agent retombe et revoit ce qu'il avait cessé de voir.
# Une figure si bruitée n'accuse ni n'innocente personne.

# %% [markdown]
# ### Trois remèdes et un placebo
#
# Puisque la corrélation hésite, intervenons encore : **garder les chutes**, dans la même réserve, ou, pour contrôle,
# des pas **ordinaires** ; **agrandir la mémoire**, à cinquante mille, pour que rien ne s'efface ; **explorer**, ε ne
# descendant qu'à 0,5.

# %%
nature = par_seuil("livré à lui-même", *REMEDES)
livre, chutes, ordinaires = (int(compte[SEUILS == 200].item()) for compte in [*nature.values()][:3])
titre = (
    f"Effondrés : {livre} sans remède, {chutes} avec les chutes gardées, "
    f"{ordinaires} avec des pas ordinaires"
)
figures.curves(SEUILS, nature, titre, axes)

# %%
tableau(FAMILLE[7:])

# %% [markdown]
# Entre la réserve et son placebo, une seule chose change, ce qu'on y garde, et l'écart est net : **les chutes sont en
# cause ici aussi**. Au seuil de 200, tout garder fait mieux que ne rien changer, et garder les chutes aussi, mais de
# justesse ; des pas ordinaires semblent faire pire, et explorer, mieux, sans que le test tranche. Lors d'une première
# mesure, depuis d'autres départs et avec d'autres tirages des réserves, il tranchait sur ces deux points. Et regardez
# un seuil plus haut : à 300, la réserve n'aide plus guère, alors que la grande mémoire aide encore. Garder les chutes
# empêche de toucher le sol ; que cela empêche de flotter, on ne le voit pas, et cela reste exploratoire.

# %% [markdown]
# Que contenait la mémoire ? L'archive y a compté les chutes, réserve non comprise, et les états **écartés**, à plus de
# la moitié d'une limite. Voici leurs parts, en moyenne après le pas 15 000, et, pour les états écartés, d'abord sur les
# cinq mille précédents.

# %%
debut, suite = (PAS > 10_000) & (PAS <= 15_000), PAS > 15_000
for nom in dict.fromkeys(oubli["reglage"]):
    lus = (("chutes", suite), ("ecartes", debut), ("ecartes", suite))
    parts = (releve(nom, mesure)[:, durant].mean() for mesure, durant in lus)
    chutes, tot, ensuite = (number(part, 2) for part in parts)
    print(f"{nom:26} chutes {chutes} %, écartés {tot} %, puis {ensuite} %")

# %% [markdown]
# Le manque de variété était un autre suspect : des états écartés que l'agent, jouant trop bien, ne visiterait plus.
# Ces moyennes, sans intervalle, ne l'accusent ni ne l'innocentent. Les chutes, elles, sont rares dans tous les
# réglages qui s'effondrent souvent.

# %% [markdown]
# L'histoire du début résiste donc mieux qu'il n'y paraissait : ôter les chutes fait oublier, les rendre l'empêche, des
# pas ordinaires ne l'empêchent pas. Mais « s'effondrer » dépend d'un seuil que nous avons choisi, et entre 200 et 475
# elle n'explique pas tout.

# %% [markdown]
# ## 6. Ce qu'y change la moyenne des poids
#
# La moyenne des poids ne touche pas à l'apprentissage, le carnet 08 l'a vu au bit près : elle ne fait que
# choisir avec quel réseau l'on joue. L'étude a donc jugé les **deux** réseaux des mêmes entraînements, sur les
# mêmes départs.

# %%
comptes = {
    mesure: np.array(
        [collapsed(PAS, releve(nom, mesure)).sum() for nom in dict.fromkeys(oubli["reglage"])]
    )
    for mesure in ("retour", "retour_moyen")
}
en_ligne, en_moyenne = comptes.values()
titre = f"Effondrements : réseau principal, {en_ligne.sum()} ; moyenne, {en_moyenne.sum()}"
labels = ("graines effondrées sur 40, réseau principal", "moyenne des poids")
figures.points({"un réglage": (en_ligne, en_moyenne)}, titre, labels, identity=True)

# %% [markdown]
# Aucun point n'est au-dessus de la droite : dans aucun réglage la moyenne ne s'effondre plus souvent que le réseau
# principal. Mais soigne-t-elle, ou retarde-t-elle seulement ? Suivons ses croyances chez l'amnésique, où la cause ne
# s'arrête jamais.

# %%
RESEAUX = {"réseau principal": "", "moyenne des poids": "_moyen"}
croyances = {
    label: {nom: releve("amnésique", mesure + suffixe) for nom, suffixe in RESEAUX.items()}
    for label, mesure in (("bons choix décisifs (%)", "juste"), ("max Q − V*, perdus", "perdus"))
}


# %%
def passage(courbe, seuil):
    """Le pas où une courbe dépasse `seuil` pour la première fois."""
    return PAS[np.argmax(courbe > seuil)]


vive, lente = map(interquartile_mean, croyances["max Q − V*, perdus"].values())
retards = [passage(lente, seuil) - passage(vive, seuil) for seuil in range(10, 51, 10)]
bornes = "{} à {}".format(*map(number, (min(retards), max(retards))))
titre = f"La moyenne des poids oublie aussi, {bornes} pas plus tard selon le seuil"
figures.traces(PAS, croyances, titre, "pas de jeu par agent", mark=10_000)

# %% [markdown]
# Elle **retarde** ; de combien, cela reste exploratoire. Une moyenne sur le dernier quart des mises à jour se
# souvient de poids qui savaient ; quand ceux-ci en sortent, elle oublie à son tour. Si le réseau tremble autour d'une
# bonne solution, elle aide ; s'il s'en éloigne, elle fait gagner du temps. Arrêtez-vous pendant qu'elle se souvient,
# et vous gardez un bon agent.

# %% [markdown]
# ## 7. Voir un agent qui a oublié
#
# Voici deux agents pris à l'amnésique de la graine 0 : à dix mille pas, puis à vingt mille.
# Jugeons-les sur cent départs neufs, puis demandons-leur ce que vaut le premier état de la section 1.

# %%
avant = load("../checkpoints/amnesique_10000_pas.safetensors")
apres = load("../checkpoints/amnesique_20000_pas.safetensors")

# %% tags=["nbval-ignore-output"]
for nom, agent in (("avant", avant), ("après", apres)):
    retours = evaluate(agent, seed=8)
    q = number(agent.q_values(etats[:1]).max(), 1)
    print(f"{nom} : {number(retours.mean())} pas en moyenne ;", end=" ")
    print(f"un état qui vaut 1,985 (T = 2) lui semble valoir {q}")

# %% [markdown]
# De cet état, on tombe en deux pas, quoi qu'on fasse, et il vaut $1 + \gamma$ avec le $\gamma$ de ces agents, 0,985.
# Rejouez maintenant un épisode de l'agent qui a oublié.
#
# > **À vous.** Suivez les deux valeurs jusqu'à la chute. L'agent la voit-il venir ?

# %% tags=["nbval-ignore-output"]
episode = play(apres, seed=1)
player(episode, apres)

# %% [markdown]
# Demandons à la vérité quand l'épisode était perdu ; et aux deux agents ce qu'ils pensaient de ces mêmes états, au
# début et à la fin.

# %% tags=["nbval-ignore-output"]
vus = episode.observations[:-1].astype(float)
sort = [borne.max(axis=1) for borne in survival(vus, effort=6)]
perdus, sauvables = np.isfinite(sort[1]).sum(), np.isinf(sort[0]).sum()
print(f"{len(vus)} pas : {sauvables} d'un état sauvable, {perdus} d'un état perdu d'avance")
for nom, agent in (("avant", avant), ("après", apres)):
    debut, fin = agent.q_values(vus).max(axis=1)[[0, -1]]
    print(f"{nom} l'oubli : max Q passe de {number(debut, 1)} à {number(fin, 1)}")

# %% [markdown]
# L'épisode reste sauvable presque jusqu'au bout : une action de travers suffit alors à le perdre. L'agent d'avant
# s'en inquiète, et ses valeurs baissent ; celui d'après tombe **de plus en plus confiant**. Voici ce que voit chacun d'eux,
# chariot au centre ; le titre dit de combien, en moyenne, il surestime les états perdus de la première carte.


# %%
def exces_des_perdus(agent):
    """De combien max Q dépasse V*, en moyenne sur les états perdus de la première carte."""
    haute = cartes["au centre, chariot immobile"].high
    perdus = np.isfinite(haute) & (haute > 0)  # sans ceux qui sont déjà tombés
    theta, theta_dot = (axe[perdus] for axe in np.meshgrid(angles, vitesses, indexing="ij"))
    plan = np.stack([0 * theta, 0 * theta, theta, theta_dot], axis=-1)
    return (agent.q_values(plan).max(axis=1) - discounted(haute[perdus], 0.985)).mean()


# %% tags=["nbval-ignore-output"]
trop = number(exces_des_perdus(avant), 1)
titre = f"Avant l'oubli, les états perdus sont surestimés de {trop}"
figures.action_maps(avant.q_values, titre, limits=(-35, 70))

# %% tags=["nbval-ignore-output"]
trop = number(exces_des_perdus(apres), 1)
titre = f"Après l'oubli, les états perdus sont surestimés de {trop}"
figures.action_maps(apres.q_values, titre, limits=(-35, 70))

# %% [markdown]
# La carte d'avant l'oubli a le relief de la vérité : une crête le long des états sûrs, des pentes vers les états
# perdus, un trait de partage au milieu. Sur la seconde, presque tout ce qui est entre les deux limites a la même
# couleur, et le trait de partage se tord. Ce n'est pas de la panique : c'est de l'**indifférence**.

# %% [markdown]
# ## 8. À vous
#
# **Exercice 1, à calculer (10 minutes).** La tige est à 0,2 rad, immobile ; le chariot, au centre. Une poussée à
# gauche, du mauvais côté, donne à la tige une vitesse de 0,3485 rad/s ; la poussée suivante, à droite, lui en ôte
# 0,2235. La limite est à 12°, soit 0,20944 rad. Si la première poussée va à gauche, combien de pas la tige
# tient-elle, au mieux, celui de cette poussée compris ?
#
# <details><summary>Indice</summary>
#
# À chaque pas, l'angle avance de 0,02 fois l'**ancienne** vitesse. Comptez le pas de la chute.
#
# </details>
#
# <details><summary>Solution</summary>
#
# Au premier pas, l'angle reste à 0,2. Au deuxième, il vaut $0{,}2 + 0{,}02 \times 0{,}3485 = 0{,}20697$. Au
# troisième, à la vitesse $0{,}3485 - 0{,}2235 = 0{,}125$, il vaut $0{,}20697 + 0{,}0025 = 0{,}20947$ : la limite
# est passée, de trois cent-millièmes de radian. Trois pas. Vérifions, et voyons l'autre action.
#
# </details>

# %%
bas, haut = certify(np.array([[0, 0, 0.2, 0]]), gamma=0.99)
survies = survival(np.array([[0, 0, 0.2, 0]]))
print("à gauche puis à droite, survie en pas :", survies.low[0], "à", survies.high[0])
print("Q*, à gauche puis à droite :", bas[0].round(4), "à", haut[0].round(4))

# %% [markdown]
# Voilà un état **décisif** : d'un côté la vie, de l'autre trois pas. Dans un état sûr, aucune poussée ne change la
# valeur ; ici, une seule la divise par plus de trente.

# %% [markdown]
# **Exercice 2, à écrire (5 minutes).** Écrivez le calcul de la section 3, pour toute part de fausses fins et tout γ.


# %%
def valeur_rabaissee(part, gamma):
    """Rend la valeur d'un état sûr quand une part `part` des transitions passe pour une fin."""
    ...


check(valeur_rabaissee)

# %% [markdown]
# <details><summary>Indice</summary>
#
# $V = 1 + \gamma(1 - p)V$ est une équation du premier degré : mettez $V$ en facteur.
#
# </details>

# %%
show("valeur_rabaissee")

# %% [markdown]
# **Exercice 3, à écrire (10 minutes).** Mesurez la part des états où l'agent prétend à plus que la borne **prouvée** de
# $V^*$. L'agent est jugé sur ce qu'il croit pouvoir obtenir, max Q ; la borne de $V^*$ est celle de la meilleure
# action.


# %%
def part_surestimee(q, haut):
    """Rend la part des états où max Q dépasse la borne de V* ; `q` et `haut` sont (N, 2)."""
    ...


check(part_surestimee)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Deux maximums par ligne (`axis=1`), une comparaison stricte, une moyenne de booléens.
#
# </details>
#
# Essayez votre fonction sur les deux agents de la section 7, dans la boîte de la section 1.

# %% tags=["nbval-ignore-output"]
boite = np.array([2.4, 3.0, 0.2094, 3.5]) * np.random.default_rng(8).uniform(-1, 1, (1_000, 4))
plafond = certify(boite, gamma=0.985, effort=1).upper
for nom, agent in (("avant", avant), ("après", apres)) if check(part_surestimee).passed else ():
    part = part_surestimee(agent.q_values(boite), plafond)
    print(f"{nom} l'oubli : {number(100 * part, 1)} % des états surestimés")

# %%
show("part_surestimee")

# %% [markdown]
# **Exercice 4, à explorer (15 minutes).** Combien de chutes faut-il pour ne pas oublier ? `share` est le nombre
# de transitions de chaque lot qui viennent de la réserve. Prédisez l'effet de 0, 1, 8 et 64, puis essayez. Quatre graines ne
# tranchent rien ; elles orientent. L'agent joue ici avec le réseau principal, sans moyenne.


# %% tags=["nbval-ignore-output"]
recette = replace(VERSION_2, n_steps=1, capacity=5_000, total_steps=24_000)
recette = replace(recette, average_rate=1.0, average_tail=0.0)
memoire = Amnesic(ReplayBuffer(5_000, seeds=range(4)), range(4))
memoire = WithReserve(memoire, range(4), share=8)  # à changer
patients = Training(recette, range(4), memory=memoire)
for _tour in follow(patients.run(), patients.config.total_steps):
    pass
print("retours moyens :", evaluate(patients.agent, episodes=20).mean(axis=1).round())

# %% [markdown]
# <details><summary>Que faut-il observer ?</summary>
#
# Avec 0, l'amnésie. Avec 8, la dose de l'étude, quelques graines jouent mal sans s'effondrer. Nous n'avons mesuré ni
# 1 ni 64 : pour dire laquelle des trois doses est la meilleure, il faudrait quarante graines.
#
# </details>

# %% [markdown]
# ## Testez-vous
#
# Les nombres qui suivent sont inventés.
#
# **1.** La perte d'un DQN est divisée par vingt en une heure. Que peut-on en conclure ?
#
# - **A.** Il apprend : il prédit mieux l'avenir.
# - **B.** Rien, sans regarder autre chose : il s'accorde mieux avec ses propres cibles.
# - **C.** Il oublie : c'est la marque d'un effondrement.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est vrai d'un modèle supervisé, dont la cible ne bouge pas.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✔ La perte compare le réseau à ses propres croyances.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ C'est prendre l'exemple de ce carnet pour une règle ; un agent qui a fini d'apprendre peut aussi avoir une perte
# qui baisse.
#
# </details>
#
# **2.** À CartPole, $\gamma = 0{,}9$. Un agent annonce 14 dans un état dont vous ignorez s'il est
# sauvable ou perdu. Qu'en dire ?
#
# - **A.** On ne peut rien dire sans connaître $V^*$.
# - **B.** Il surestime : aucun état ne vaut plus de 10.
# - **C.** Il a raison s'il a déjà tenu quatorze pas depuis cet état.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ Nul besoin de connaître l'état : le plafond vaut partout.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Chaque pas rapporte 1 : rien ne dépasse $1/(1-0{,}9) = 10$.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ C'est compter les récompenses sans les actualiser.
#
# </details>
#
# **3.** Avant chaque effondrement, dans cent entraînements, la part des chutes en mémoire avait baissé. Que
# manque-t-il pour dire que c'en est la cause ?
#
# - **A.** Davantage d'entraînements.
# - **B.** Un intervalle de confiance.
# - **C.** Faire baisser cette part exprès, sans rien changer d'autre, et comparer.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ La corrélation en serait plus sûre, sans devenir causale.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ Il dirait si la corrélation est sûre, non d'où elle vient.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✔ Une part qui baisse à mesure que l'agent joue mieux accompagne **aussi** les entraînements qui ne s'effondrent
# pas.
#
# </details>
#
# **4.** Avec $\gamma = 0{,}9$, un quart des transitions d'une mémoire passent à tort pour des fins. Que vaut un
# état sûr, en théorie ?
#
# - **A.** 7,5 : les trois quarts de 10.
# - **B.** Environ 3,1.
# - **C.** 4 : la durée moyenne d'un épisode.
#
# <details name="q4"><summary>Répondre A</summary>
#
# ✘ C'est n'ôter le quart qu'une fois, alors que chaque amorçage le subit.
#
# </details>
# <details name="q4"><summary>Répondre B</summary>
#
# ✔ Chaque amorçage garde les trois quarts de la suite : $1/(1 - 0{,}9 \times 0{,}75) \approx 3{,}1$.
#
# </details>
# <details name="q4"><summary>Répondre C</summary>
#
# ✘ C'est oublier γ.
#
# </details>

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# La vérité est celle du jeu **sans chronomètre** ; un agent qui verrait l'âge de l'épisode aurait d'autres valeurs.
# Tout est mesuré sur un seul jeu, dont la récompense est la même à chaque pas. Et les recettes de laboratoire ont été
# choisies pour ce qu'elles montrent.
#
# Nous avons **provoqué** une forme d'oubli, par l'absence de chutes. Les rechutes de la Version 2, à la fin du
# [carnet 09](09_resoudre_et_tenir.ipynb), peuvent avoir une autre cause : la dérive du chariot, loin de tout souvenir.
# Ce carnet ne l'a pas mise à l'épreuve.

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. La vérité se **borne** : au-dessus de $1/(1-\gamma)$, toute valeur est fausse. Sans réseau cible, les valeurs
#    s'emballent ; avec lui, un biais demeure, dont le maximum semble le moteur. Valeurs et jeu sont deux mesures.
# 2. **Une perte basse n'est pas une bonne nouvelle** : celle de l'agent qui oublie fond, parce que presque tout se vaut
#    à ses yeux. Surveillez les retours, les chutes en mémoire, les valeurs des états que l'on sait perdus.
# 3. Une corrélation éveille un soupçon ; une cause se **provoque**, et se contrôle : ôter les chutes fait oublier, les
#    rendre l'empêche, et un placebo, non. Comptez ce qui suit l'intervention, à plusieurs seuils.
#
# Ici, nous savions ce que nous avions cassé. Le [carnet 11](11_la_clinique_du_dqn.ipynb) part de l'autre bout : un
# entraînement qui va mal, dont on ne sait rien, et qu'il faut diagnostiquer.
