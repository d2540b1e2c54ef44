# %% [markdown]
# # 11 · La clinique du DQN
#
# **La question.** Votre agent apprend mal. Le programme tourne, la perte a l'air d'une perte, rien ne s'affiche en
# rouge. Qu'est-ce qui ne va pas ?
#
# Un DQN fautif lève rarement une erreur : il apprend autre chose, ou moins bien. Ce carnet montre comment le
# **diagnostiquer** sans relire son code ni, hormis ε, ses réglages, d'après ce qu'il laisse voir : ses valeurs, ses poids, sa
# mémoire. Dix-huit patients vous attendent. Vous nommerez leur mal avant l'outil du cours ; puis nous jugerons
# l'outil lui-même, et vous lui apporterez vos propres entraînements.
#
# *Lecture : 55 minutes ; exercices : 55 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from collections import deque
from copy import deepcopy
from dataclasses import replace

import gymnasium
import numpy as np
import torch

from cartpole_helpers import (
    QUICK,
    Training,
    Transition,
    evaluate,
    interquartile_mean,
    load_study,
    td_target,
)
from cartpole_helpers.display import figures
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.live import each, follow, waiting
from cartpole_helpers.display.numbers import number
from cartpole_helpers.one_page import QNetwork, greedy
from cartpole_helpers.statistics import percentage
from cartpole_helpers.teaching.clinic import (
    HEALTHY,
    ILLNESSES,
    PATIENTS,
    Logbook,
    Ward,
    diagnose,
    edges,
    illness,
    late,
    load_chart,
    monitor,
    refitted,
    sb3_callback,
    sensitivity,
    sheet,
    unseen_because,
)
from cartpole_helpers.teaching.exercises import check, show
from cartpole_helpers.teaching.laboratory import ClockEnds
from cartpole_helpers.teaching.panel import panel

try:
    from stable_baselines3 import DQN
except ImportError:
    DQN = None  # la section 8 s'en passe, et le dit

# %% [markdown]
# ## 1. Le score ne dit pas tout
#
# Le premier réflexe est de regarder le retour. S'il est bas, quelque chose ne va pas, sans doute ; mais quoi ? Et
# s'il est haut, tout va-t-il bien ?
#
# Sur trois recettes, nommées « rapide », « version 2 » et « cible recopiée », l'étude archivée a provoqué vingt et
# une maladies, que la section 3 définit une à une. Gardons les deux premières recettes, qui atteignent d'ordinaire le
# seuil de 475. Trois maladies ne se déclarent qu'avec d'autres réglages : leur témoin, sain, a ces réglages aussi.
#
# > **À vous.** Parmi ces vingt et une maladies, il y a un γ de 1, une récompense perdue, une mémoire d'où les chutes
# > ont disparu, un lot d'une seule transition… Combien laissent, malgré tout, la plupart des agents au-dessus de 475 ?

# %%
etude = load_study("../etudes/clinique.csv")
provoquees, rapides = etude["dose"] == "forte", np.isin(etude["recette"], ["rapide", "version 2"])
MALADIES = [maladie.name for maladie in ILLNESSES]
lignes = {HEALTHY: etude["dose"] == "aucune"}
for nom in MALADIES:
    lignes[nom] = provoquees & (etude["maladie"] == nom)
    if (temoin := etude["cause"] == f"{HEALTHY} ({nom})").any():
        lignes[f"son témoin ({nom.split()[0]}…)"] = temoin

# %%
reussies = {nom: percentage(etude["retour"][rapides & qui] >= 475) for nom, qui in lignes.items()}
bas, haut = np.array([reussies[nom][1:] for nom in MALADIES]).T
titre = "Maladies à 475 le plus souvent : {} sur {} ; indécises : {}"
titre = titre.format((bas > 50).sum(), len(MALADIES), ((bas <= 50) & (haut > 50)).sum())
figures.intervals({"retour final ≥ 475 (% des agents)": reussies}, titre)

# %% [markdown]
# Les intervalles supposent les recettes fixées, et ne sont pas corrigés. Seize agents par maladie, c'est peu : à
# partir de quel écart distinguerait-on, au mieux, malades et témoins ?

# %%
ecart = 280 * np.sqrt(0.25 / 16 + 0.25 / 24)  # 2,8 erreurs types se voient quatre fois sur cinq
print(
    f"16 malades, 24 témoins : à recettes fixées, un écart se voit à partir de {ecart:.0f} points"
)

# %% [markdown]
# Des maladies se **cachent** peut-être : avec γ = 1, trois agents sur quatre sont à 475, et seize agents ne suffisent
# pas à dire que c'est la plupart. La politique ne lit que l'ordre de deux valeurs, et des valeurs fausses peuvent
# être dans le bon ordre ; sur un jeu plus dur, la même faute pourrait coûter cher. D'autres se **ressemblent** : un
# retour au plus bas est le même, que la cible soit figée ou que les unités soient mortes. Le score dit qu'on est
# malade, et pas toujours ; jamais de quoi.
#
# Comparons chaque maladie à **son** témoin. Une troncature mal mémorisée et une mémoire sans chute semblent coûter
# cher ; or leurs témoins ne réussissent guère qu'une fois sur deux. Leurs réglages coûtent donc déjà, et ce que la
# faute y ajoute, seize agents ne le disent pas.

# %% [markdown]
# ## 2. Le relevé
#
# Voici donc un examen plus complet. `monitor` mène un entraînement et, quarante fois en chemin, regarde les réseaux
# et la mémoire. Hormis ε, il ne relève **aucun réglage**. Suivons d'abord huit agents d'une recette rapide, qui va bien.

# %% tags=["nbval-ignore-output"]
RAPIDE = replace(QUICK, total_steps=16_000)
sains = monitor(Training(RAPIDE, range(8)), bar=follow)

# %% [markdown]
# Puis les mêmes, à ceci près que le réseau cible n'est **jamais** rapproché du réseau principal : ce peut être un `if` de
# travers, une ligne oubliée. Les graines sont les mêmes, donc aussi les poids de départ.
#
# > **À vous.** La cible d'un pas est $r + \gamma \max_a Q^-(s', a)$, où $Q^-$ ne bouge plus. Vers quoi vont les
# > valeurs ? Et la perte ?

# %% tags=["nbval-ignore-output"]
figee = replace(RAPIDE, target_rate=1.0, target_period=10**6)
figes = monitor(Training(figee, range(8)), bar=follow)

# %% tags=["nbval-ignore-output"]
malade = figes[0]
fin, saine = (number(late(releve.q_safe), 1) for releve in (malade, sains[0]))
titre = f"Cible jamais synchronisée : états sûrs à {fin} (témoin : {saine})"
sheet(malade, titre, witness=sains[0])

# %% [markdown]
# Prenez le temps de lire cette feuille : toutes les autres ont les mêmes cadres et, sauf la durée, les mêmes échelles. Ce qui
# sort d'un cadre en suit le bord ; sur un axe logarithmique, un zéro est tracé sur le bord du bas.
#
# | Cadre | Ce qu'on y mesure | En tirets |
# |:---|:---|:---|
# | retour | la politique gloutonne, évaluée de temps en temps | en jouant, hasard compris |
# | perte | moyenne depuis le relevé précédent | |
# | Q, états sûrs | max Q, près de l'équilibre | d'après le réseau cible |
# | Q, états perdus | max Q où la chute est certaine au prochain pas : la vérité est 1 | |
# | déplacement | d'un poids, par mise à jour | |
# | ε | la part de hasard | |
# | mémoire | la part des chutes parmi les transitions gardées | celle des fausses fins : terminées, mais debout |
# | mises à jour | leur nombre | |
# | γ apparent | le γ que trahissent les valeurs : en mémoire, la moyenne de $Q(s, a) - r$, divisée par celle de $\max_{a'} Q^-(s', a')$, compté nul après une chute (exercice 3) | |
# | relief de Q | combien Q change d'un état à l'autre, rapporté à sa moyenne | |
# | unités figées | celles qui rendent partout la même chose, les « unités mortes » de la section 3 | |
# | dispersion de la perte | logarithme du rapport entre la perte médiane et le premier décile ; moins le lot contient de transitions, plus ce logarithme est grand | |
#
# Le relevé contient d'autres mesures, que la feuille ne trace pas : la récompense moyenne en mémoire, les chutes qui ne se
# disent pas terminées, l'écart des deux réseaux…

# %% [markdown]
# Deux cadres trahissent la cause ; les autres en découlent. La perte s'effondre : le réseau atteint presque exactement une
# cible qui ne bouge plus. Et les états sûrs ne valent presque rien, tandis que les tirets, ceux du réseau cible, ne quittent
# pas zéro : Q ne compte qu'**une récompense**, plus γ fois ce que disait le premier $Q^-$. C'est le piège du carnet 10, en
# plus net : une perte qui fond n'est pas une bonne nouvelle.

# %% [markdown]
# ## 3. Quatre questions, dans l'ordre
#
# Un bon médecin n'essaie pas les remèdes au hasard. Il commence par ce qui se **vérifie** sans ambiguïté, et
# descend vers ce qui s'interprète.
#
# 1. **La mémoire dit-elle vrai ?** Une récompense vaut 1, ou la somme de $n$ récompenses si la cible est à $n$ pas ; une fin est
#    une chute, une chute se dit terminée. Cela se compte.
# 2. **La boucle fait-elle ce que je crois ?** ε descend, les mises à jour avancent, la cible suit. Cela se compte aussi.
# 3. **Les valeurs sont-elles possibles ?** Au plus $1/(1-\gamma)$ ; à peu près 1 là où la chute est certaine ; et des
#    valeurs différentes pour des états différents.
# 4. **Les poids bougent-ils à la bonne allure ?** Trop, ils tremblent ; trop peu, rien ne s'apprend.
#
# Une faute de la mémoire fausse les valeurs, qui faussent le retour. En remontant dans l'autre sens, du retour vers
# la cause, on s'égare : presque toutes les maladies finissent par un retour bas.

# %% [markdown]
# Voici les maladies que la clinique connaît, de la plus directe à la plus ambiguë : leur nom, puis ce qui est faux
# dans le programme. Vous répondrez avec ces noms.

# %%
for rang, maladie in enumerate(ILLNESSES, 1):
    print(f"{rang:2} {maladie.name:39} {maladie.fault}")

# %% [markdown]
# ## 4. La salle d'attente
#
# Dix-huit entraînements, enregistrés par l'étude, sans le nom de leur mal. **Deux vont bien.** En bleu, le
# patient ; en gris, un témoin sain, de la même recette et d'une autre graine. L'une des recettes compte trois pas par
# transition, de sorte que son γ apparent est $\gamma^3$, et garde un ε de 0,5 : son témoin aussi, et c'est à lui qu'il
# faut comparer.

# %%
salle = Ward()
salle.wall(range(1, 10), "Patients 1 à 9 : où la ligne bleue quitte-t-elle la grise ?")

# %% [markdown]
# Une ligne bleue qui s'écarte ne suffit pas : demandez-vous lequel des écarts est la **cause**, et lesquels en
# découlent. Un agent qui joue mal remplit sa mémoire de chutes ; c'est un effet, non une maladie.

# %%
salle.wall(range(10, 19), "Patients 10 à 18 : et ici ?")

# %% [markdown]
# Le mur ne montre que huit cadres sur douze. Les quatre autres, γ apparent, relief, unités figées et dispersion,
# départagent des malades que le mur confond : la feuille entière les montre. En voici deux ; changez le numéro, et
# revenez-y autant qu'il faut.

# %%
salle.sheet(9)

# %% [markdown]
# Et celle d'un patient qui, sur le mur, en rappelle un autre :

# %%
salle.sheet(2)

# %% [markdown]
# À présent, écrivez vos avis. Prenons le patient 14 pour exemple : sa courbe de mises à jour reste loin sous celle de son
# témoin, et l'axe est logarithmique. Et pour montrer une erreur, disons du patient 16 que son γ est trop petit.
#
# > **À vous.** Complétez le dictionnaire, un patient à la fois si vous voulez, et relancez la cellule. Un avis juste
# > reçoit ses preuves et le remède ; un avis faux, le cadre à regarder. Le reste demeure caché.

# %%
MES_AVIS = {
    14: "mises à jour trop rares",
    16: "γ trop petit",
}
salle.judge(MES_AVIS)

# %% [markdown]
# Les noms s'écrivent comme dans la liste de la section 3 ; « rien d'anormal » en est un aussi. Quand vous aurez
# répondu pour tous, ou renoncé, dépliez.

# %%
salle.reveal()

# %% [markdown]
# Relisez la feuille de ceux que vous avez manqués.
#
# <details><summary>Deux d'entre eux méritent qu'on s'y arrête</summary>
#
# Le patient 4 est le plus traître : il joue bien presque jusqu'au bout, et ses états sûrs sont justes ; mais sa mémoire se
# vide de ses chutes, ses états perdus montent, et le [carnet 10](10_pourquoi_ca_s_effondre.ipynb) dit où cela mène.
#
# Le patient 1 est le plus étonnant : ses valeurs n'ont plus aucun sens, et son retour est parfait, car leur ordre est
# resté bon. L'explosion y est l'**effet** ; la cause est un γ de 1,5, que le γ apparent trahit, au début surtout. « γ = 1 ou
# presque » est donc accepté aussi.
#
# </details>

# %% [markdown]
# ## 5. Le médecin automatique
#
# L'outil du cours fait ce que vous venez de faire. À chaque maladie répondent des **signes** : une mesure du relevé et
# son seuil ; le degré d'un signe vaut 1 au seuil, davantage au-delà. En voici deux, dont un seul suffit, tels qu'ils
# s'exécutent.

# %%
signes = illness("masque oublié").signs
print("seuils :", *(number(signe.threshold, 1) for signe in signes))
listing(*(signe.measure for signe in signes))

# %% [markdown]
# `fall_cost` est ce que les chutes en mémoire coûteraient à une perte bien masquée ; si la perte affichée est bien
# plus basse, c'est que le programme minimise **autre chose**. L'autre signe regarde le drapeau lui-même, tel qu'il
# est en mémoire. `late` prend la médiane du dernier tiers du relevé. Un **seuil** est un choix ; ceux-ci ont été
# réglés sur des graines qui ne serviront plus.

# %%
diagnose(salle.chart(3))

# %% [markdown]
# Plusieurs signes peuvent être présents : une maladie en entraîne d'autres. L'outil range les maladies de la plus
# directe à la plus ambiguë, et donne pour chacune sa preuve, l'examen qui la confirmerait, le remède. Il dit aussi ce
# qu'un relevé incomplet ne permet pas de juger.

# %% [markdown]
# ## 6. Que vaut-il ?
#
# Un outil se juge comme un agent, sur ce qu'il n'a jamais vu. Ici, seules les **graines** sont neuves : les maladies
# et les recettes ont servi à régler les seuils. Treize recettes saines ont été suivies aussi ; une recette lente est
# saine, si son mécanisme l'est. Qui préfère soigner d'abord passera à la section 7, et reviendra.
#
# Les graines d'une même cause et d'une même recette se ressemblent : elles forment une **grappe**, pure si l'outil ne
# s'y trompe pas une fois. L'intervalle compte les grappes, non les entraînements. Le **rappel** est la part des malades
# reconnus.
#
# > **À vous.** Sur cent malades, combien l'outil en reconnaîtra-t-il ? Sur cent bien portants, combien en
# > déclarera-t-il malades ? Laquelle des deux erreurs vous coûterait le plus ?

# %%
premieres = np.stack([etude["hypothese_1"], etude["hypothese_2"]])
juste = (premieres == etude["maladie"]).any(axis=0)
alarme = etude["hypothese_1"] != HEALTHY
doses = ("faible", "aucune", "témoin", "limite", "aveugle")
faibles, sain, temoins, limites, aveugles = (etude["dose"] == dose for dose in doses)
grappe = np.char.add(etude["cause"], etude["recette"])


# %%
def rapport(nom, faits, parmi, voulu=True):
    """Écrit un compte, puis les grappes où tout est comme `voulu`, et leur intervalle."""
    pures = np.array([(faits[parmi & (grappe == g)] == voulu).all() for g in {*grappe[parmi]}])
    compte = f"{faits[parmi].sum()} sur {parmi.sum()}, {100 * faits[parmi].mean():.0f} %"
    _, bas, haut = (number(nombre) for nombre in percentage(pures))
    print(f"{nom} : {compte} ; grappes pures : {pures.sum()} sur {pures.size} [{bas} à {haut} %]")


rapport("rappel, dans les deux premières hypothèses, à forte dose", juste, provoquees)
rapport("rappel, à faible dose", juste, faibles)
rapport("fausses alarmes", alarme, sain, voulu=False)

# %% [markdown]
# Maladie par maladie, à faible dose : combien sont reconnus, et comment jouent-ils ?

# %%
DOUCES = dict.fromkeys(etude["cause"][faibles].tolist())
taux = {
    "reconnus (%)": {nom: percentage(juste[etude["cause"] == nom]) for nom in DOUCES},
    "retour final ≥ 475 (%)": {
        nom: percentage(etude["retour"][rapides & (etude["cause"] == nom)] >= 475) for nom in DOUCES
    },
}
parts = [number(100 * juste[dose].mean()) for dose in (faibles, provoquees)]
figures.intervals(taux, "Reconnus : {} % à faible dose, contre {} % à forte dose".format(*parts))

# %% [markdown]
# À forte dose, les maladies sont des caricatures : un lot d'**une** transition, un ε de 1. À dose plus faible, que les
# seuils ne visaient pas, beaucoup échappent à l'outil. Un taux d'apprentissage de 0,0001 lui échappe toujours, **alors
# qu'aucun agent n'atteint 475**. « Rien d'anormal » veut donc dire qu'aucun des signes connus n'est là, et rien de
# plus.
#
# Voici les erreurs à forte dose et les fausses alarmes, une à une : le mal, le retour, ce que l'outil en a dit.

# %%
for ligne in np.flatnonzero(provoquees & ~juste | sain & alarme):
    nom, recette, dit = (etude[cle][ligne] for cle in ("maladie", "recette", "hypothese_1"))
    retour = number(etude["retour"][ligne])
    print(f"{nom} ({recette}), retour {retour} : « {dit} »")

# %% [markdown]
# Une troncature mal mémorisée ne se voit pas tant que l'agent n'atteint pas la limite de temps. Et un γ de 1 ne se
# distingue d'un γ de 0,99 que par une estimation, elle-même bruitée. À la dernière ligne, la recette était saine, et
# l'outil parle d'explosion : voici la feuille de cette graine, refaite par l'étude.

# %%
derive = load_chart(PATIENTS / "divergence.csv")
combien = number(round(derive.q_limit[-1], -3))
sheet(derive, f"Une recette saine, et Q atteint {combien} : l'alarme avait raison")

# %% [markdown]
# Ses valeurs ont divergé d'elles-mêmes, et l'agent joue parfaitement. Cette alarme reste comptée parmi les fausses :
# on ne choisit pas ses erreurs après coup.

# %% [markdown]
# ### Des épreuves plus dures
#
# **D'autres témoins.** Trois maladies ont été provoquées avec d'autres réglages : les mêmes réglages, sains,
# donnent-ils l'alarme ? **Sans outil.** Que ferait une règle naïve, « alarme si le retour est sous 300 » ?

# %%
rapport("fausses alarmes, témoins aux réglages modifiés", alarme, temoins, voulu=False)
echec = etude["retour"] < 300
for nom, faits in {"l'outil": alarme, "retour < 300": echec}.items():
    rapport(f"{nom}, alarmes sur des malades", faits, provoquees)
    rapport(f"{nom}, alarmes sur des sains", faits, sain | temoins, voulu=False)

# %% [markdown]
# La règle naïve voit déjà la plupart des malades, mais s'alarme aussi de recettes lentes. L'outil apporte surtout le
# **nom**.
#
# **Des seuils refaits sans la recette jugée.** Pour chaque signe, cherchons, sur deux recettes, le seuil qui sépare
# le mieux malades et sains ; puis jugeons sur la troisième.

# %%
vrai = etude["maladie"][:, None] == MALADIES
communs = (sain | temoins) & np.isin(etude["recette"], etude["recette"][provoquees])
for ou, au_bord in {"au milieu": False, "au bord des malades": True}.items():
    presents = refitted(etude, au_bord)  # (N, 21) booléens
    premiers = presents & (presents.cumsum(axis=1) <= 2)
    rapport(f"seuils {ou}, rappel", (premiers & vrai).any(axis=1), provoquees)
    rapport(f"seuils {ou}, fausses alarmes", presents.any(axis=1), communs, voulu=False)
rapport("seuils de l'outil, fausses alarmes", alarme, communs, voulu=False)

# %% [markdown]
# Les seuils pris au milieu, entre malades et sains, annoncés d'avance, donnent bien trop d'alarmes. Ceux pris au bord
# des malades, essayés ensuite, donc **exploratoires**, en donnent moins et manquent davantage de malades. Les seuils
# de l'outil font mieux, mais les trois recettes ont servi à les régler.
#
# **Des seuils déplacés.** Un signe qui bascule au moindre déplacement de son seuil ne vaut que pour ces recettes.

# %%
perdues = sum(sensitivity(etude, nom, [2**0.5]).recall[0] < 0.5 for nom in MALADIES)
edges(etude, f"Signes exigés 41 % plus marqués : {perdues} maladies ne se voient plus")

# %% [markdown]
# Pour trois de ces maladies, c'est l'échelle qui le veut : ε et γ ne dépassent guère 1, et le signe d'une cible trop
# lente ne peut être plus marqué que son seuil. Le lot trop petit, lui, est vraiment fragile. Les maladies sans cadre
# ont un signe loin de son seuil, ou un fait pour signe, qui est là ou n'y est pas.
#
# **Des fautes d'une autre main.** Quelqu'un qui n'avait pas lu les signes a écrit des fautes, dans une recette à lui,
# et le nom qu'il attendait, s'il y en avait un. Voici le rappel et les alarmes, puis, recette saine comprise, chaque
# cause que l'outil ne nomme pas toujours.

# %%
nommees = aveugles & np.isin(etude["maladie"], MALADIES)
rapport("rappel, fautes d'une autre main", juste, nommees)
for nom, faits in {"l'outil": alarme, "retour < 300": echec}.items():
    rapport(f"{nom}, alarmes sur ces fautes", faits, nommees)
for cause in dict.fromkeys(etude["cause"][aveugles & ~(nommees & juste)].tolist()):
    ici = aveugles & (etude["cause"] == cause)
    dits, fois = np.unique(etude["hypothese_1"][ici], return_counts=True)
    retour, dit = number(np.median(etude["retour"][ici])), dits[fois.argmax()]
    print(f"{cause} (retour {retour}), attendu « {etude['maladie'][ici][0]} » : « {dit} »")

# %% [markdown]
# Dans ce compte, l'outil reconnaît moins de malades qu'à forte dose, et la règle naïve s'alarme plus souvent que lui.
#
# ### Avec moins de mesures
#
# Un journal ordinaire ne garde que le retour, la perte, ε et les mises à jour. Qu'en tire l'outil ?

# %%
journal = np.stack([etude["journal_1"], etude["journal_2"]])
au_journal = (journal == etude["maladie"]).any(axis=0)
vues = {nom for nom in MALADIES if au_journal[provoquees & (etude["maladie"] == nom)].mean() > 0.5}
print(f"{len(vues)} maladies sur {len(MALADIES)} :", *sorted(vues), sep="\n")

# %% [markdown]
# C'est la leçon pratique de ce carnet : **ne journalisez pas seulement le retour et la perte**. Ce qui manque à
# l'outil coûte quelques lignes : Q sur une poignée d'états dont on connaît la valeur, le déplacement des poids, un
# audit de la mémoire.

# %% [markdown]
# ## 7. Soigner
#
# Nommer ne suffit pas : un diagnostic se confirme par le remède. On change **une** chose, celle que l'on accuse, et
# l'on compare sur les mêmes graines.
#
# ### Un réglage
#
# Voici un taux d'apprentissage qui décroît trop vite.
#
# > **À vous.** Il part de 0,008, et chaque mise à jour le multiplie par 0,97, jusqu'au plancher, $10^{-7}$. Au bout de
# > combien de mises à jour le touche-t-il ?

# %%
gele = replace(RAPIDE, learning_rate_decay=0.97, learning_rate_floor=1e-7)
print(number(np.log(gele.learning_rate / gele.learning_rate_floor) / -np.log(0.97)))

# %% [markdown]
# L'entraînement compte environ mille mises à jour : plus de six sur dix se font au plancher, sans presque rien changer.
# C'était l'un des patients de la salle d'attente.

# %% tags=["nbval-ignore-output"]
geles = monitor(Training(gele, range(4)), bar=follow)
diagnose(geles[0])

# %% [markdown]
# **Soignez-le.** Voici un premier essai : un plancher cent fois plus haut.
#
# > **À vous.** Le signe aura-t-il disparu ? Et la maladie ?

# %% tags=["nbval-ignore-output"]
soigne = replace(gele, learning_rate_decay=0.97, learning_rate_floor=1e-5)  # à changer
soignes = monitor(Training(soigne, range(4)), bar=follow)
print("retours :", [round(float(late(releve.greedy))) for releve in soignes])
diagnose(soignes[0])

# %% [markdown]
# **Effacer le signe n'est pas guérir.** Les poids bougent encore assez pour échapper au seuil, l'outil se tait sur la
# première graine, et les agents n'apprennent pas pour autant. Il faut regarder ce que le remède devait rétablir :
# ici, le retour. Changez les deux réglages jusqu'à ce qu'il revienne.
#
# <details><summary>Un remède, parmi d'autres</summary>
#
# `learning_rate_decay=0.999` : mille mises à jour divisent le taux par moins de trois. Ou `learning_rate_floor=8e-4`, le
# dixième du départ : on touche le plancher très tôt, mais on y apprend encore.
#
# </details>

# %% [markdown]
# ### Une ligne de code
#
# Cette fois, les réglages sont bons : la maladie est dans la fonction. Lisez-la, et suivez huit agents qui s'en servent.


# %%
def cible_suspecte(recompense, terminee, q_suivant, gamma):
    """Rend la cible d'un lot : la récompense, plus γ fois la meilleure valeur suivante."""
    return recompense + gamma * q_suivant.max(dim=-1).values


# %% tags=["nbval-ignore-output"]
fautifs = monitor(Training(RAPIDE, range(8), td_target=cible_suspecte), bar=follow)
diagnose(fautifs[0])

# %% [markdown]
# > **À vous.** Écrivez `cible_reparee`, donnez-la à un autre `monitor`, et voyez le diagnostic changer. Ici, comparons `cible_suspecte` à la règle
# > du paquet, celle du carnet 04 : mêmes graines, la cible seule diffère.
#
# <details><summary>Une réparation</summary>
#
# Remplacez la dernière ligne par `return recompense + gamma * q_suivant.max(dim=-1).values.masked_fill(terminee, 0)`.
# Après une fin, la suite vaut 0. Puis `diagnose(monitor(Training(RAPIDE, range(8), td_target=cible_reparee))[0])`.
#
# </details>

# %% tags=["nbval-ignore-output"]
groupes = {"sans masque": fautifs, "soignés": sains}
cadres = {"Q, états sûrs": "q_safe", "Q, états perdus": "q_doomed"}
apres = {
    cadre: {nom: np.stack([getattr(un, champ) for un in groupe]) for nom, groupe in groupes.items()}
    for cadre, champ in cadres.items()
}

# %% tags=["nbval-ignore-output"]
perdus = [number(interquartile_mean(un)[-1], 1) for un in apres["Q, états perdus"].values()]
titre = "Masque rétabli : la valeur des états perdus passe de {} à {} (vérité : 1)".format(*perdus)
figures.traces(sains[0].env_steps, apres, titre, "pas de jeu par agent")

# %% tags=["nbval-ignore-output"]
for nom, groupe in groupes.items():
    print(f"retours, {nom} :", [round(float(late(releve.greedy))) for releve in groupe])

# %% [markdown]
# Le diagnostic prédisait une chose précise : sans masque, une chute serait surestimée de γ fois la valeur de la
# suite, qui n'est qu'extrapolée, car on n'apprend jamais à partir d'un état où la tige est tombée. Le remède retire
# cet excès, et les états perdus reviennent au voisinage de la vérité. Les retours remontent ; preuve plus forte, le
# **mécanisme** que l'on accusait a disparu.

# %% [markdown]
# ## 8. Vos propres entraînements
#
# ### Depuis le panneau
#
# Ce panneau relève ce qu'il entraîne, comme le ferait `monitor`, sans rien y changer. Son bouton « Diagnostiquer » montre,
# sous les courbes, la feuille de l'essai et ce que l'outil en dit ; `diagnose()` fait de même. Pour l'exemple, poussons γ
# jusqu'à 1. Ensuite, réglez ce que vous voulez, relancez, et appuyez.

# %% tags=["nbval-ignore-output"]
tableau = panel(QUICK)
tableau.set(gamma=1.0)
tableau.start()
tableau.wait()
tableau.diagnose()
tableau

# %% [markdown]
# L'essai laisse aussi un `History`, un journal ordinaire, que `diagnose` sait lire. Dit-il la même chose ?

# %% tags=["nbval-ignore-output"]
print("D'après le journal :", diagnose(tableau.history).verdict)
print("D'après le relevé  :", tableau.diagnosis["lines"][0])

# %% [markdown]
# Le retour du panneau monte, et le journal ne voit rien : il n'a pas regardé les valeurs.

# %% [markdown]
# ### Depuis votre propre boucle
#
# Rien n'oblige à employer `Training`. Voici un DQN comme on en écrit partout : Gymnasium, PyTorch, une file pour mémoire.


# %%
def valeurs(reseau):
    """La fonction états → Q d'un réseau de PyTorch, en tableaux."""
    return lambda etats: reseau(torch.as_tensor(etats)).detach().numpy()


def tirer(memoire, hasard, taille=64):
    """Un lot de transitions, en tenseurs."""
    lot = [memoire[place] for place in hasard.integers(len(memoire), size=taille)]
    return Transition(*(torch.as_tensor(np.array(colonne)) for colonne in zip(*lot, strict=True)))


# %%
def apprendre(en_ligne, cible, adam, lot):
    """Fait une mise à jour, rapproche un peu la cible, et rend la perte."""
    with torch.no_grad():
        but = td_target(lot.reward.float(), lot.terminated, cible(lot.next_observation), 0.98)
    q = en_ligne(lot.observation).gather(1, lot.action[:, None])
    perte = (q - but).square().mean()
    adam.zero_grad()
    perte.backward()
    adam.step()
    with torch.no_grad():
        for lent, vif in zip(cible.parameters(), en_ligne.parameters(), strict=True):
            lent.lerp_(vif, 0.01)
    return perte.item()


# %% [markdown]
# Aucune ligne n'y lève d'erreur. Trois appels suffisent à en faire le **relevé** : `observe`, un pas joué ; `update`,
# une mise à jour et sa perte ; `look`, de temps en temps, un regard sur les réseaux et la mémoire. Un regard sur quatre
# évalue aussi la politique gloutonne, sur dix épisodes ; `episodes=0` l'en dispense.


# %%
def ma_boucle(pas=4_000):
    """Un agent, un environnement ; rend son relevé, et son réseau."""
    torch.manual_seed(0)
    env, hasard = gymnasium.make("CartPole-v1"), np.random.default_rng(0)
    en_ligne = QNetwork()
    cible = deepcopy(en_ligne)
    adam = torch.optim.Adam(en_ligne.parameters(), 1e-3)
    memoire, carnet = deque(maxlen=20_000), Logbook("CartPole-v1")
    etat, _ = env.reset(seed=0)
    for n in each(range(1, pas + 1), "Pas"):
        epsilon = max(0.1, 1 - n / 2_000)
        au_hasard = hasard.random() < epsilon
        action = hasard.integers(2) if au_hasard else valeurs(en_ligne)(etat).argmax()
        suivant, recompense, terminee, tronquee, _ = env.step(action)
        memoire.append(Transition(etat, action, recompense, terminee, suivant))
        carnet.observe(etat, action, recompense, terminee, tronquee, suivant)
        etat = env.reset()[0] if terminee or tronquee else suivant
        if n >= 500:
            carnet.update(apprendre(en_ligne, cible, adam, tirer(memoire, hasard)))
        if n % 250 == 0:
            carnet.look(en_ligne, cible, memory=memoire, epsilon=epsilon)
    return carnet.chart(), en_ligne


# %% tags=["nbval-ignore-output"]
releve, reseau = ma_boucle()
print("retour moyen :", number(evaluate(greedy(reseau), seed=9).mean()))
diagnose(releve)

# %% tags=["nbval-ignore-output"]
relief = number(100 * late(releve.flatness), 1)
sheet(releve, f"Ma boucle : d'un état à l'autre, Q varie de {relief} %")

# %% [markdown]
# > **À vous.** Suivez le conseil : affichez les formes de `q` et de `but` dans `apprendre`. Puis réparez la ligne, et relancez
# > les cellules. Que devient le relief de Q ?
#
# <details><summary>La faute, et pourquoi rien ne l'a signalée</summary>
#
# `gather` rend un tenseur de forme (64, 1), et la cible est de forme (64,). Leur différence est un tableau (64, 64) :
# **toutes** les valeurs moins **toutes** les cibles. Sa moyenne des carrés existe, son gradient aussi ; il tire
# chaque Q vers la moyenne des cibles du lot. `q.squeeze(1)` répare. `nn.MSELoss` aurait prévenu ; une soustraction ne
# le fait pas.
#
# </details>

# %% [markdown]
# ### Depuis le programme d'un autre
#
# Stable-Baselines3 est sans doute la bibliothèque d'apprentissage par renforcement la plus employée ;
# `requirements-etudes.txt` l'installe. Son `learn` accepte un *callback*, appelé à chaque pas : `sb3_callback()` en
# rend un qui fait le relevé. Prenons son DQN tel quel, **sans toucher à un seul réglage**, huit mille pas.
#
# > **À vous.** Personne n'y a mis de faute. Apprendra-t-il ? Sinon, pourquoi ?


# %%
def emprunte(pas=8_000, **reglages):
    """Le relevé d'un DQN de Stable-Baselines3, à CartPole."""
    rappel = sb3_callback()
    modele = DQN("MlpPolicy", "CartPole-v1", seed=0, device="cpu", **reglages)
    with waiting("Apprentissage"):
        modele.learn(pas, callback=rappel)
    return rappel.chart()


# %% tags=["nbval-ignore-output"]
diagnose(
    emprunte()
) if DQN else "Il y faut Stable-Baselines3 : `pip install -r requirements-etudes.txt`."

# %% [markdown]
# L'outil a raison, et ce n'est pas une faute de la bibliothèque : ses réglages d'origine viennent pour la plupart
# d'Atari. Le réseau cible y attend dix mille pas avant d'être mis à jour, et nous n'en jouons que huit mille. Un
# réglage qui convient à dix millions de pas est une maladie à huit mille.
#
# Soignons ce que l'on accuse, et cela seul ; puis le taux d'apprentissage seul, qui vaut 0,0001 ; puis les deux.

# %% tags=["nbval-ignore-output"]
cible, allure = {"target_update_interval": 500}, {"learning_rate": 1e-3}
for remede in (cible, allure, cible | allure) if DQN else ():
    suivi = emprunte(**remede)
    print(f"{remede} : retour {number(late(suivi.greedy))}, « {diagnose(suivi).verdict} »")

# %% [markdown]
# Le premier remède efface le signe sans rétablir le retour : un taux d'apprentissage de 0,0001, on l'a vu plus haut,
# échappe à l'outil. Les deux ensemble font remonter le retour, pour cette graine, mais il reste loin de 475.
#
# <details><summary>Et dans un programme d'un seul fichier, comme ceux de CleanRL ?</summary>
#
# Le DQN de CleanRL a l'interface de E copies du jeu, avec E = 1 : les tableaux qu'il a sous la main ont déjà la bonne
# forme. Après le pas de jeu : `observe`, avec les observations (E, D), les actions, les récompenses, les deux drapeaux,
# et le tableau où il a remis les **vrais** successeurs (E, D) à la place des départs suivants. Après le pas de
# l'optimiseur : `update`, avec la perte. Tous les quelques centaines de pas : `look`, avec ses deux réseaux, sa mémoire
# (faite comme celle de Stable-Baselines3, `look` sait la lire) et ε.
#
# </details>
#
# Quelle que soit la boucle, l'outil dit aussi ce qu'il **ne peut pas** juger, et pourquoi. Du journal du panneau, par
# exemple :

# %%
for nom, raison in [*unseen_because(tableau.history).items()][:4]:
    print(f"{nom} : {raison}")

# %% [markdown]
# ## 9. À vous
#
# **Exercice 1, à calculer (5 minutes).** Un réseau cible n'a jamais bougé ; il valait à peu près 0 partout. Avec
# $\gamma = 0{,}97$, que vaut Q dans un état sûr, une fois l'apprentissage fini ? Et dans un état perdu ? Quelle action
# l'agent préfère-t-il ?
#
# <details><summary>Solution</summary>
#
# La cible vaut $1 + 0{,}97 \times 0 = 1$ partout où l'on continue, et 1 aussi à la chute. Q vaut donc 1 **partout** :
# aucune action n'est meilleure que l'autre, et c'est ce qui reste du premier $Q^-$ qui décide. Comparez à la feuille
# de la section 2.
#
# </details>

# %% [markdown]
# **Exercice 2, à écrire (10 minutes).** Auditez la mémoire, première des quatre questions. Une transition ment si elle
# se dit terminée alors que la tige est debout, et le chariot sur le rail : $|x| \le 2{,}4$ m et $|\theta| \le 12°$.
# L'angle est en radians.


# %%
def fausses_fins(successeur, terminee):
    """Rend la part des transitions qui se disent terminées alors que la tige y est debout."""
    ...


check(fausses_fins)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Deux conditions réunies font « debout ». La part se compte sur **toutes** les transitions : une moyenne de booléens.
#
# </details>
#
# Essayez votre fonction sur une mémoire où le chronomètre passe pour une chute, comme au laboratoire du carnet 10.

# %% tags=["nbval-ignore-output"]
reglages = replace(RAPIDE, carts=4, epsilon_end=0.02, total_steps=12_000)
horloge = Training(reglages, 0, env=ClockEnds)
for _tour in follow(horloge.run(), reglages.total_steps):
    pass
memoire = horloge.memory.contents()

# %% tags=["nbval-ignore-output"]
if check(fausses_fins).passed:
    mensonges = fausses_fins(memoire.next_observation[0], memoire.terminated[0])
    print(f"{number(1_000 * mensonges, 2)} fausses fins pour mille transitions")

# %%
show("fausses_fins")

# %% [markdown]
# **Exercice 3, à écrire (10 minutes).** Devinez γ. Quand les valeurs se sont stabilisées, en moyenne sur la mémoire,
# $Q(s, a) - r$ vaut γ fois $\max_{a'} Q(s', a')$, que l'on compte nul après une chute. On peut donc lire γ dans les
# valeurs, sans l'avoir jamais vu dans les réglages.


# %%
def gamma_apparent(q, recompense, suivante, tombe):
    """Rend le γ que trahissent les valeurs d'une mémoire."""
    ...


check(gamma_apparent)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Un rapport de deux moyennes, sur les mêmes transitions. `np.where(tombe, 0, suivante)` efface la suite des chutes.
#
# </details>
#
# Voici la mémoire de l'entraînement précédent, et ses valeurs. Pour `tombe`, on prend ce que la mémoire dit terminé,
# fausses fins comprises : c'est ce que la cible a masqué. Quel γ trouvez-vous, et lequel lui a-t-on donné ?

# %% tags=["nbval-ignore-output"]
agent = horloge.agent[0]
etats, actions = memoire.observation[0], memoire.action[0]
q = np.take_along_axis(agent.q_values(etats), actions[:, None].astype(int), axis=1)[:, 0]
suivante = agent.q_values(memoire.next_observation[0]).max(axis=1)
if check(gamma_apparent).passed:
    trouve = gamma_apparent(q, memoire.reward[0], suivante, memoire.terminated[0])
    print(f"γ apparent {number(trouve, 3)}, γ donné {number(horloge.config.gamma, 3)}")

# %%
show("gamma_apparent")

# %% [markdown]
# **Exercice 4, à écrire (10 minutes).** L'outil déclare votre agent malade. Faut-il le croire ? Cela dépend de
# l'outil, mais aussi de **ce que vous lui apportez** : si presque tous vos entraînements sont sains, les rares
# fausses alarmes peuvent l'emporter sur les vrais malades. C'est la règle de Bayes.


# %%
def valeur_predictive(rappel, fausses_alarmes, part_de_malades):
    """Rend la part de vrais malades parmi les entraînements que l'outil déclare malades."""
    ...


check(valeur_predictive)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Imaginez mille entraînements. Combien sont malades et déclarés tels ? Combien sont sains et déclarés malades ?
#
# </details>
#
# > **À vous.** Avec le rappel mesuré, et la borne **haute** de l'intervalle des fausses alarmes, que vaut une alarme quand un
# > entraînement sur deux est malade ? Un sur cent ?

# %%
rappel, fausses = percentage(juste[provoquees])[0] / 100, percentage(alarme[sain])[2] / 100
for malades in (0.5, 0.1, 0.01) if check(valeur_predictive).passed else ():
    valeur = number(100 * valeur_predictive(rappel, fausses, malades))
    print(f"{number(100 * malades)} % de malades : {valeur} % des alarmes sont vraies")

# %%
show("valeur_predictive")

# %% [markdown]
# **Exercice 5, à explorer (20 minutes).** Trompez l'outil. Changez un réglage de `RAPIDE` de sorte que l'agent joue mal
# et que `diagnose` dise « rien d'anormal ». Puis l'inverse : une alarme sur un agent dont la tige tient.

# %% tags=["nbval-ignore-output"]
piege = replace(RAPIDE, gamma=0.97)  # à changer
for releve_piege in monitor(Training(piege, range(4)), bar=follow):
    retour = number(late(releve_piege.greedy))
    print(f"retour {retour} pas, diagnostic : {diagnose(releve_piege).verdict}")

# %% [markdown]
# <details><summary>Des pistes</summary>
#
# Pour lui échapper : un taux d'apprentissage de 0,0001, ou un réseau d'une seule couche étroite, `hidden=(4,)`. Pour
# qu'il crie au loup : `gamma=0.999`, que l'on veut quand la récompense est lointaine, ou `capacity=500`. Un signe est
# un seuil, et un seuil a toujours un bord.
#
# </details>
#
# L'étude a essayé plusieurs de ces pistes, sur trois recettes saines ; toute alarme y est donc fausse.

# %%
for cause in dict.fromkeys(etude["cause"][limites].tolist()):
    rapport(f"{cause}, alarmes", alarme, etude["cause"] == cause, voulu=False)
    print(f"    475 ou plus : {(etude['retour'][etude['cause'] == cause] >= 475).sum()}")

# %% [markdown]
# ## Testez-vous
#
# Les entraînements qui suivent sont inventés.
#
# **1.** Le retour est au plus bas. La perte, elle, est tombée à un dix-millième et n'en bouge plus. Par où commencer ?
#
# - **A.** Rien : la perte est excellente, il faut entraîner plus longtemps.
# - **B.** Augmenter le taux d'apprentissage.
# - **C.** Regarder si le réseau cible change, et ce que valent des états que l'on connaît.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est faire de la perte un score.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ C'est changer un réglage au hasard, et atteindre plus vite la même cible.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✔ Une perte minuscule et un retour au plus bas font soupçonner une cible figée, ou une récompense
# perdue : cet examen les sépare.
#
# </details>
#
# **2.** Q dépasse le million, et les poids se déplacent de plus en plus. L'outil nomme les valeurs qui explosent,
# puis un taux d'apprentissage trop grand. L'agent joue bien. Vous divisez ce taux par dix : Q dépasse encore le
# million, un peu plus tard. Que conclure ?
#
# - **A.** Ce n'était pas la cause : c'est la cible qu'il faut regarder, son masque et son γ.
# - **B.** Il faut diviser encore par dix.
# - **C.** L'outil s'est trompé : rien n'explose vraiment, puisque l'agent joue bien.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✔ Le remède n'a fait que ralentir le mal : le déplacement des poids était un effet.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✘ Une cible fausse, d'un γ de 1,5 par exemple, explose quel que soit le taux d'apprentissage.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ C'est prendre le score pour une preuve de santé.
#
# </details>
#
# **3.** Un de vos entraînements ne présente aucun signe, et son retour est mauvais. Que conclure ?
#
# - **A.** Il est sain : l'outil a un rappel de plus de neuf dixièmes.
# - **B.** Il souffre de quelque chose que l'outil ne connaît pas, ou à trop faible dose, ou il n'a pas fini d'apprendre.
# - **C.** Le retour est mauvais par malchance ; une autre graine suffira.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ Le rappel se mesure sur des maladies connues, à forte dose ; il ne dit rien des autres.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✔ Ne voir aucun signe, c'est n'en voir aucun de ceux que l'outil cherche.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ C'est possible, et cela se vérifie : dix graines, et non une.
#
# </details>
#
# **4.** Vous soupçonnez un masque oublié. Quel essai confirme le mieux ce soupçon ?
#
# - **A.** Rétablir le masque, diminuer le taux d'apprentissage et agrandir la mémoire : le retour remonte.
# - **B.** Relancer dix fois sans rien changer, pour voir si cela recommence.
# - **C.** Rétablir le masque seul, mêmes graines : les états perdus reviennent près de 1.
#
# <details name="q4"><summary>Répondre A</summary>
#
# ✘ Tout ira mieux, peut-être, et l'on ne saura pas pourquoi.
#
# </details>
# <details name="q4"><summary>Répondre B</summary>
#
# ✘ C'est mesurer la malchance, ce qui est utile avant d'accuser, mais ne désigne rien.
#
# </details>
# <details name="q4"><summary>Répondre C</summary>
#
# ✔ On change la seule chose que l'on accuse, et l'on regarde la grandeur que le mécanisme annonce.
#
# </details>

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# Chaque malade n'a qu'**une** maladie, à une dose choisie ; les vôtres peuvent en avoir deux, ou une que la liste
# ignore. Les seuils valent pour CartPole, des réseaux de cette taille et Adam ; les questions valent ailleurs, les
# nombres non. Les états sûrs et perdus supposent que l'on connaisse quelques vérités du jeu ; le [carnet
# 14](14_ce_qui_reste_vrai_ailleurs.ipynb) porte la clinique là où l'on n'en connaît pas.
#
# Nous n'avons pas cherché de signe pour certaines différences : Double DQN ou non, une cible recopiée ou qui glisse.

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. **Le score dit qu'on est malade, non de quoi** ; et pas toujours : avec γ = 1, trois agents sur quatre sont à 475.
#    Regardez la mémoire, la boucle, les valeurs, les poids, dans cet ordre.
# 2. **Quelques états dont on connaît la valeur** valent mieux que la courbe de perte : au plus $1/(1-\gamma)$, et 1 là où
#    l'on tombe.
# 3. Un diagnostic se **confirme** en changeant une seule chose, et un outil se juge sur ce qu'il n'a pas vu, ses échecs compris.
#
# Le [carnet 12](12_un_autre_jeu.ipynb) quitte CartPole : une seule recette, la même boucle, d'autres jeux.
