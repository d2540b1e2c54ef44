# %% [markdown]
# # 07 · La boucle de test
#
# **La question.** Un agent vient de tenir cinq cents pas. Sait-il jouer, ou a-t-il eu de la chance ? Combien
# d'épisodes faut-il pour affirmer qu'il dépasse 475 en moyenne, et sur quels départs ? Que garder de lui, enfin,
# pour que d'autres puissent le vérifier ?
#
# Ce sont les deux dernières sections de la Version 1 du document fondateur : *Boucle de test* et
# *Résultats*. Le document charge un fichier nommé `deep-q-model-500-1650182128.pt`, regarde jouer l'agent, et
# montre une vidéo. Nous ferons ces trois choses, en sachant ce que chacune établit.
#
# *Lecture : 40 minutes ; exercices : 38 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
import pickle
import tempfile
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch

from cartpole_helpers import (
    QUICK,
    CheckpointError,
    Training,
    bootstrap_interval,
    evaluate,
    exact_interval,
    load,
    load_training,
    play,
    save,
    save_training,
    version1,
)
from cartpole_helpers.checkpoints import describe
from cartpole_helpers.display import figures, live, video
from cartpole_helpers.display.listing import listing
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.player import player
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. La boucle du document
#
# Voici sa boucle de test. Nous y avons ajouté une graine et le compte des pas ; dans le document, elle joue cent
# mille épisodes à l'écran et n'en retient rien.

# %%
listing(version1.test, comments=False)

# %% [markdown]
# Donnons-lui un modèle. Le document en sauvegarde un toutes les quatre copies du réseau cible, soit tous les 240
# épisodes, par une ligne cachée au fond de `target_switch`. Le nôtre va dans un dossier provisoire.

# %% tags=["nbval-ignore-output"]
with tempfile.TemporaryDirectory() as dossier:
    for progres in version1.train(folder=dossier, seed=0, verbose=False):
        if progres.episode == 240:
            break
    [fichier] = Path(dossier).iterdir()
    contenu = torch.load(fichier)
    durees = version1.test(fichier, episodes=10, seed=0)
print(fichier.name)
print("dix épisodes :", durees)

# %% [markdown]
# Après si peu de mises à jour, notre modèle ne sait pas encore jouer. Mais que dit le nom du fichier ? Le premier
# nombre est la durée de l'épisode qui venait de finir, le second l'heure de la machine, en secondes depuis 1970. Le
# nom que cite le document se lit donc ainsi :

# %%
nom = "deep-q-model-500-1650182128.pt"
_, _, _, duree, secondes = Path(nom).stem.split("-")
print("dernier épisode :", duree, "pas")
print("enregistré le", datetime.fromtimestamp(int(secondes), UTC).strftime("%d/%m/%Y à %H h %M"))

# %% [markdown]
# Un épisode de 500 pas : c'est tout ce que l'on sait de cet agent. Et dans notre fichier, qu'y a-t-il ?

# %% tags=["nbval-ignore-output"]
for cle in list(contenu)[:3]:
    print(cle, tuple(contenu[cle].shape))
print("…", len(contenu), "tableaux en tout")

# %% [markdown]
# Les poids des deux réseaux, et rien d'autre. Ni l'architecture, ni la graine, ni les réglages, ni le
# nombre de pas joués : pour s'en servir, il faut avoir gardé le programme exact qui l'a écrit. Nous
# réparerons cela à la section 6. D'abord, la question la plus simple : que vaut un épisode ?

# %% [markdown]
# ## 2. Ce que vaut un épisode
#
# Le dossier `checkpoints/` contient quatre agents, ou plutôt le même à quatre moments : après 400, 2 400,
# 4 000 et 5 600 pas d'un entraînement, dont la graine a été choisie parce que l'agent y hésite. Prenons le
# troisième, et faisons-lui jouer mille épisodes.

# %%
hesitant = load("../checkpoints/agent_4000_pas.safetensors")
retours = evaluate(hesitant, episodes=1_000, seed=10)
print("les dix premiers :", retours[:10].astype(int))

# %% [markdown]
# > **À vous.** Regardez ces dix nombres. Diriez-vous que cet agent dépasse 475 en moyenne ?

# %%
parfaits = round(100 * np.mean(retours == 500))
moyenne = number(retours.mean(), 1)
figures.distributions(
    {"mille épisodes": retours},
    f"{parfaits} épisodes sur cent sont parfaits, mais la moyenne est de {moyenne}",
    "retour d'un épisode (pas)",
)

# %% [markdown]
# Non : sa moyenne est sous le seuil. Les épisodes parfaits forment une seule barre, les autres s'étalent loin
# à gauche, à peine visibles, et presque aucun ne ressemble à la moyenne. Un épisode isolé dit surtout de
# quel côté le hasard est tombé.
#
# Le nom du fichier est pire encore. Il retient un épisode **d'entraînement**, où une action sur vingt est tirée au
# hasard. Voici les noms qu'aurait pu recevoir ce même agent.

# %%
hasard = np.random.default_rng(0)


def bruite(observations):
    """L'agent hésitant, avec ε = 0,05, comme dans le document."""
    au_hasard = hasard.random(len(observations)) < 0.05
    return np.where(au_hasard, hasard.integers(0, 2, len(observations)), hesitant(observations))


# %%
noms = evaluate(bruite, episodes=1_000, seed=10)
bas, haut = (round(centile) for centile in np.percentile(noms, [5, 95]))
figures.distributions(
    {"sans exploration": retours, "avec ε = 0,05 (le nom du fichier)": noms},
    f"Pour le même agent, neuf noms sur dix vont de {bas} à {haut}",
    "retour d'un épisode (pas)",
)

# %% [markdown]
# > **Attention.** Choisir, parmi des centaines de fichiers, celui dont le nom dit 500, c'est choisir le
# > plus chanceux.

# %% [markdown]
# ## 3. Combien d'épisodes pour affirmer 475 ?
#
# Jouons plusieurs épisodes et prenons la moyenne. Notre agent hésitant est sous le seuil ; combien de fois une
# évaluation de $n$ épisodes déclarerait-elle pourtant le jeu « résolu » ?
#
# > **À vous.** Avec dix épisodes, combien de fois sur cent se trompe-t-on ? Et avec cent ?


# %%
def part_declaree(retours, n, essais=4_000):
    """La part des évaluations de n épisodes dont la moyenne atteint 475."""
    tirages = np.random.default_rng(0).choice(retours, size=(essais, n))
    return 100 * np.mean(tirages.mean(axis=1) >= 475)


# %%
tailles = np.array([1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500])
erreurs = np.array([part_declaree(retours, n) for n in tailles])
a_dix, a_cent = (round(erreurs[tailles == n][0]) for n in (10, 100))
figures.curves(
    tailles,
    {f"agent de moyenne {moyenne}": erreurs},
    f"Déclaré résolu à tort {a_dix} fois sur cent avec dix épisodes, {a_cent} avec cent",
    ("épisodes par évaluation (échelle logarithmique)", "évaluations à 475 ou plus (%)"),
    log="x",
)

# %% [markdown]
# Gymnasium donne un seuil, 475, et ne dit pas combien d'épisodes jouer ; cent est un usage, venu d'OpenAI Gym.
# Cent ne suffisent pas pour juger un agent aussi près du seuil : il en faut des centaines pour que l'erreur devienne
# rare. Un agent loin du seuil, lui, se reconnaît vite. Il n'y a donc pas de bon nombre : il y a une **mesure et
# son intervalle**.

# %%
for vus in (retours[:10], retours[:100], retours):
    trois = [number(x, 1) for x in (vus.mean(), *bootstrap_interval(vus, np.mean))]
    print(number(len(vus)), "épisodes : {}, intervalle à 95 % [{} ; {}]".format(*trois))

# %% [markdown]
# `bootstrap_interval` refait l'évaluation deux mille fois, en tirant de nouveau, avec remise, dans les
# retours observés ; l'intervalle contient 95 % des moyennes ainsi obtenues. Ne le croyez pas sur parole :
# il doit contenir la vraie moyenne 95 fois sur cent. Vérifions-le en prenant les mille retours pour vérité.


# %%
def couverture(n, essais=1_000):
    """La part des intervalles, faits de n retours, qui contiennent la moyenne des mille."""
    tires = np.random.default_rng(1).choice(retours, size=(essais, n))
    bornes = [bootstrap_interval(un, np.mean, resamples=400) for un in tires]
    return 100 * np.mean([bas <= retours.mean() <= haut for bas, haut in bornes])


for n in (5, 10, 30, 100):
    print(f"{n:4} épisodes : contient la vraie moyenne {couverture(n):.0f} fois sur cent")

# %% [markdown]
# Avec quelques épisodes, l'intervalle promet trop : cinq retours parfaits donneraient un intervalle de largeur
# nulle ! Il s'approche de sa promesse avec des dizaines d'épisodes. (Mille essais laissent un point ou deux
# d'incertitude à ces nombres.)

# %% [markdown]
# ## 4. Et si tous les épisodes sont parfaits ?
#
# Ce cas est courant chez un bon agent, et le rééchantillonnage n'en dit rien d'utile. Un raisonnement suffit.
#
# Soit $p$ la vraie part d'épisodes parfaits. La probabilité d'en voir $n$ parfaits de suite est $p^n$. Si elle
# est inférieure à 5 %, on rejette ce $p$ : on peut donc affirmer, à 95 %, que $p \geq 0{,}05^{1/n}$. Au
# pire, un épisode manqué rapporte zéro : la moyenne vaut alors au moins $500\,p$.
#
# > **À vous.** Combien d'épisodes, tous parfaits, pour affirmer une moyenne de 475 ? Dix, cinquante, mille ?

# %%
nombres = np.arange(5, 201)
bornes = 500 * 0.05 ** (1 / nombres)
assez = nombres[np.argmax(bornes >= 475)]
figures.curves(
    nombres,
    {"moyenne garantie à 95 %": bornes, "seuil de 475": np.full(len(nombres), 475.0)},
    f"{assez} épisodes, tous parfaits, garantissent 475 à 95 %",
    ("nombre d'épisodes, tous parfaits", "retour moyen (pas)"),
)

# %% [markdown]
# La borne ne suppose rien de la répartition des retours. Elle demande des départs indépendants, tirés au
# hasard, qui n'ont pas servi à choisir l'agent, et un nombre d'épisodes fixé **d'avance** : s'arrêter dès que
# cela arrange fausserait tout. Et elle ne regarde que le bas : un intervalle à deux bornes, comme les autres du
# cours, demande un peu plus d'épisodes. En voici l'usage, sur le quatrième agent.

# %%
agent = load("../checkpoints/agent_5600_pas.safetensors")
cent = evaluate(agent, episodes=100, seed=20)
print("épisodes parfaits sur cent :", np.sum(cent == 500))

# %% [markdown]
# Si vous lisez 100, la cause est entendue. S'il en manque quelques-uns, l'intervalle exact de Clopper et Pearson
# (1934) suit le même raisonnement, avec deux bornes, pour tout compte de réussites ; il s'impose dès que tout
# réussit, ou que tout échoue. Ailleurs, `wilson_interval` (Wilson, 1927) est un peu plus serré.

# %%
for parfaits in (100, 99, 97):
    bas, haut = (number(100 * borne, 1) for borne in exact_interval(parfaits, 100))
    print(f"{parfaits} parfaits sur cent : p entre {bas} et {haut} %")

# %% [markdown]
# ## 5. Choisir, puis juger
#
# Pendant un entraînement, on évalue souvent et l'on garde le meilleur agent. Or le meilleur, d'après vingt mesures
# bruitées, est souvent le plus **chanceux**, et sa note est trop belle. De combien ? Prenons vingt copies du même
# agent hésitant, et gardons la mieux notée.


# %%
def note_du_meilleur(n, candidats=20, essais=1_000):
    """La note moyenne du gagnant parmi des copies d'un même agent, n épisodes chacune."""
    tirages = np.random.default_rng(2).choice(retours, size=(essais, candidats, n))
    return tirages.mean(axis=2).max(axis=1).mean()


# %%
essais = np.array([1, 2, 5, 10, 20, 50, 100])
gagnants = np.array([note_du_meilleur(n) for n in essais])
exces = number(gagnants[essais == 10][0] - retours.mean())
figures.curves(
    essais,
    {"note du gagnant": gagnants, "sa vraie valeur": np.full(len(essais), retours.mean())},
    f"Noté sur dix épisodes, le meilleur de vingt a {exces} pas de trop",
    ("épisodes par évaluation (échelle logarithmique)", "retour moyen (pas)"),
    log="x",
)

# %% [markdown]
# Les vingt sont pourtant le même agent. D'où une règle, la même que partout en apprentissage : on
# **choisit** sur des départs de validation, on **juge** sur des départs neufs, une seule fois. Dans le cours,
# `evaluate(policy, seed=...)` tire des départs que nul entraînement n'a vus ; deux graines donnent deux jeux
# de départs. Trois de nos agents sont pris à des moments fixés ; seul le quatrième a été choisi pour sa note,
# par `etudes/agent.py`, sur les départs de validation que voici.

# %%
validation, jugement = 2_000_000, 4_000_000
for numero in (4000, 5600):
    candidat = load(f"../checkpoints/agent_{numero}_pas.safetensors")
    notes = [number(evaluate(candidat, seed=g).mean(), 1) for g in (validation, jugement)]
    print(f"{number(numero)} pas : validation {notes[0]}, jugement {notes[1]}")

# %% [markdown]
# Le quatrième garde sa note sur des départs neufs. Le troisième n'a pas été choisi : ses deux notes ne diffèrent
# que par le hasard des départs, qui suffit à le rapprocher du seuil.

# %% [markdown]
# ## 6. Un fichier qui suffit
#
# Que faut-il garder d'un agent ? De quoi permettre à quelqu'un d'autre de le faire jouer, ailleurs et plus tard. `save`
# écrit les poids **et** la configuration, la graine, le nombre de pas, les versions des bibliothèques.

# %%
description = describe("../checkpoints/agent_5600_pas.safetensors")
for cle in ("kind", "seeds", "env_steps"):
    print(f"{cle} : {description[cle]}")
print(f"et {len(description['config'])} réglages, dont hidden = {description['config']['hidden']}")

# %% [markdown]
# Le fichier est au format safetensors : des nombres et leur description, rien qui s'exécute. Celui du
# document est un *pickle* : un petit **programme**, que Python exécute pour reconstruire ses objets. Ce peut
# être n'importe quel programme : il suffit que `__reduce__` nomme la fonction à appeler. En voici un,
# inoffensif.


# %%
class Surprise:
    def __reduce__(self):
        return print, ("ouvrir ce fichier a exécuté du code",)


pickle.loads(pickle.dumps(Surprise()))

# %% [markdown]
# Par défaut, PyTorch n'accepte plus que des tableaux et quelques types simples. Ne désactivez
# pas cette protection pour un fichier que vous n'avez pas écrit.
#
# Et si un fichier a été abîmé, par un disque ou par un transfert ? Changeons un seul bit du nôtre.

# %%
with tempfile.TemporaryDirectory() as dossier:
    copie = Path(dossier) / "copie.safetensors"
    save(agent, copie)
    octets = bytearray(copie.read_bytes())
    octets[-1] ^= 1
    copie.write_bytes(octets)
    try:
        load(copie)
    except CheckpointError as erreur:
        print(str(erreur).replace(f"{dossier}/", ""))

# %% [markdown]
# Une somme de contrôle trahit ce changement. Sans elle, l'agent aurait joué, peut-être un peu moins bien, et l'on aurait
# accusé l'apprentissage.
#
# Reste un dernier besoin : **reprendre** un entraînement interrompu. Les poids n'y suffisent pas. Il faut aussi les
# moyennes que l'optimiseur Adam tient à jour, la mémoire, l'état des chariots et celui de chaque générateur.
# `save_training` garde tout.
#
# > **À vous.** Un entraînement fait 200 tours d'une traite ; un autre est sauvegardé au centième, puis
# > repris. Les poids seront-ils égaux, ou seulement proches ?


# %%
def avancer(entrainement, tours):
    for _ in range(tours):
        entrainement.advance()
    return entrainement


# %%
with tempfile.TemporaryDirectory() as dossier:
    save_training(avancer(Training(QUICK, 0), 100), Path(dossier) / "reprise")
    repris = avancer(load_training(Path(dossier) / "reprise"), 100)
d_une_traite = avancer(Training(QUICK, 0), 200)
print("mêmes poids, au bit près :", torch.equal(repris.agent.weights, d_une_traite.agent.weights))

# %% [markdown]
# ## 7. Regarder dans la tête de l'agent
#
# Les moyennes disent si l'agent joue bien, non pourquoi. Reprenons la carte du carnet 04 : chariot immobile au centre,
# l'angle en abscisse, la vitesse angulaire en ordonnée ; à gauche, la valeur de chaque état, à droite, l'écart
# entre les deux actions. Voici celle du quatrième agent.

# %%
figures.action_maps(agent.q_values, "L'agent pousse du côté où la tige penche, ou va pencher")

# %% [markdown]
# On y retrouve la diagonale des états sûrs, et la frontière inclinée de la règle $\theta + \dot\theta > 0$,
# que personne ne lui a montrée. Dans deux coins, l'agent fait le contraire ; la tige y est déjà perdue.
#
# > **À vous.** Voici la même carte pour l'agent de 400 pas, qui en tient dix à peine. Qu'est-ce qui lui
# > manque ?

# %%
debutant = load("../checkpoints/agent_400_pas.safetensors")
tours, attente = 400 // QUICK.carts, QUICK.warmup // QUICK.carts
figures.action_maps(
    debutant.q_values,
    f"Après {tours - attente + 1} mises à jour, il ignore la vitesse et pousse du mauvais côté",
)

# %% [markdown]
# La frontière est verticale : la vitesse angulaire n'y compte pas encore. Et les couleurs sont inversées :
# quand la tige penche à gauche, l'agent pousse à droite, et l'aide à tomber. Après si peu de mises à jour, c'est presque
# le réseau tiré au hasard que l'on voit, non ce qu'il a appris.

# %% [markdown]
# ## 8. Voir jouer
#
# Le document finit par une vidéo, qu'il insère ainsi : `![…](./videos/video_.mp4)`. Cette écriture est celle
# des images : la plupart des logiciels n'affichent alors rien. Voici quatre épisodes, un par agent, depuis le
# même départ : de l'échec à la réussite.

# %% tags=["nbval-ignore-output"]
chemins = {400: "test_1", 2400: "test_2", 4000: "test_3", 5600: "video_"}
films = [
    video.film(load(f"../checkpoints/agent_{n}_pas.safetensors"), f"../videos/{nom}.mp4", seed=83)
    for n, nom in live.each(chemins.items(), "Films")
]
legendes = [
    f"entraîné pendant {number(n)} pas, il en tient {len(un.episode.actions)}"
    for n, un in zip(chemins, films, strict=True)
]
video.side_by_side(films, legendes)

# %% [markdown]
# Le dernier est `videos/video_.mp4`, le chemin que nomme le document : il existe désormais, et montre un
# agent que vous pouvez recharger.
#
# <details><summary>La vidéo ne s'affiche pas ? Voici les images animées ; chacune mène à son film.</summary>
#
# | 400 pas | 2 400 pas | 4 000 pas | 5 600 pas |
# |:---:|:---:|:---:|:---:|
# | [![La tige tombe presque aussitôt.](../videos/test_1.webp)](../videos/test_1.mp4) | [![La tige tombe.](../videos/test_2.webp)](../videos/test_2.mp4) | [![La tige tient longtemps.](../videos/test_3.webp)](../videos/test_3.mp4) | [![La tige reste debout.](../videos/video_.webp)](../videos/video_.mp4) |
#
# </details>
#
# Un film convainc, et ne démontre rien : c'est **un** épisode, et le départ a été choisi pour que les quatre
# agents s'y distinguent. Mais il fait voir ce que la moyenne cache. Comment l'agent de 4 000 pas
# échoue-t-il ?
#
# > **À vous.** Regardez le troisième film. L'agent perd-il la tige peu à peu, ou d'un coup ? Et où est alors
# > le chariot ?

# %%
episodes = [play(hesitant, seed=graine) for graine in range(150)]
chutes = [episode for episode in episodes if episode.terminated]
ecarts = np.array([abs(episode.observations[-1, 0]) for episode in chutes])
durees = np.array([len(episode.actions) for episode in chutes])
bas, haut = (number(borne, 1) for borne in (ecarts.min(), ecarts.max()))
figures.points(
    {"une chute": (durees, ecarts)},
    f"Les {len(chutes)} chutes ont toutes lieu entre {bas} et {haut} m du centre",
    ("durée de l'épisode (pas)", "distance du chariot au centre (m)"),
)

# %% [markdown]
# Toutes à peu près à la même distance (l'axe est resserré), bien avant le bord du rail ! L'agent tient la tige sans
# peine, le chariot dérive lentement, et, quand il arrive là, tout s'arrête. Rejouons l'une de ces chutes pas à pas,
# avec ce qu'en pense l'agent : à droite, le plan $(\theta, \dot\theta)$ et l'action qu'il y choisirait, pour la
# position du moment.
#
# > **À vous.** Faites glisser le curseur du début à la fin, sans quitter des yeux la carte de droite. Que devient
# > la frontière entre ◂ et ▸ quand le chariot s'éloigne ?

# %% tags=["nbval-ignore-output"]
player(episodes[25], hesitant)

# %% [markdown]
# Pendant presque tout l'épisode, la tige ne penche guère, et les deux valeurs sont presque égales : tout semble
# aller bien. Mais la frontière recule vers le bord de la carte à mesure que le chariot s'éloigne, puis en sort, et
# les dernières poussées ne rattrapent plus rien. Voici cette carte en grand, 1,25 m à gauche du centre.

# %%
figures.action_maps(
    hesitant.q_values,
    "À 1,25 m à gauche, l'agent pousse presque partout à droite",
    x=-1.25,
)

# %% [markdown]
# La zone où l'on pousse à gauche n'est plus qu'un îlot : si loin du centre, l'agent ne regarde presque plus la tige.
# Y est-il seulement allé, pendant son apprentissage ? Refaisons ses 250 tours, puis les 100 qui mènent au quatrième
# agent, puisque la graine le permet, et mesurons jusqu'où les seize chariots sont allés.

# %% tags=["nbval-ignore-output"]
tours = islice(Training(QUICK, seeds=3).run(), 350)
loin = [np.abs(tour.next_observation[..., 0]).max() for tour in tours]
for nom, part in {"jusqu'à 4 000 pas": loin[:250], "de 4 000 à 5 600": loin[250:]}.items():
    print(f"{nom}, au plus loin : {number(max(part), 2)} m du centre")

# %% [markdown]
# Il n'y est jamais allé : là-bas, son réseau **extrapole**, et se trompe. Dans les tours qui suivent, au contraire,
# les chariots y passent. Et le quatrième agent, qui a appris de ces passages ?

# %%
parties = [play(agent, seed=graine) for graine in range(60)]
loin = max(np.abs(partie.observations[:, 0]).max() for partie in parties)
perdues = sum(partie.terminated for partie in parties)
print(f"le quatrième va jusqu'à {number(loin, 2)} m, et tombe {perdues} fois sur 60")

# %% [markdown]
# Il lui arrive d'aller plus loin encore, et d'en revenir. Ce n'est qu'une graine, mais les deux faits vont
# ensemble : un réseau peut se tromper sur ce qu'il n'a pas vu. Gardez la carte précédente en tête : elle
# reviendra quand nous chercherons pourquoi un agent oublie.

# %% [markdown]
# ## 9. À vous
#
# **Exercice 1, à calculer (3 minutes).** Combien d'épisodes parfaits pour affirmer une moyenne de 490 ?
#
# <details><summary>Solution</summary>
#
# On veut $500 \times 0{,}05^{1/n} \geq 490$, soit $n \geq \ln 0{,}05 / \ln 0{,}98 \approx 148{,}3$ : il en
# faut 149. Près de 500, chaque point gagné coûte plus cher que le précédent.
#
# </details>

# %% [markdown]
# **Exercice 2, à écrire (5 minutes).** Écrivez la borne de la section 4, pour toute confiance : quelle moyenne
# garantissent `n` épisodes tous parfaits ?


# %%
def borne_parfaite(n, confiance=0.95):
    """Rend la moyenne (pas) que garantissent `n` épisodes tous parfaits."""
    ...


check(borne_parfaite)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Le risque accepté est `1 - confiance` ; on cherche la part $p$ telle que $p^n$ lui soit égal.
#
# </details>

# %%
show("borne_parfaite")

# %% [markdown]
# **Exercice 3, à écrire (10 minutes).** Écrivez enfin une vraie boucle de test : elle joue sans explorer, depuis
# des départs différents, jusqu'à l'une ou l'autre des deux fins, et rend tous les retours. Une même graine doit
# redonner la même évaluation.


# %%
def evaluer(politique, env, episodes, graine):
    """Rend les retours (episodes,) de `politique` dans `env`, un départ différent par épisode.

    Le retour d'un épisode est la somme de ses récompenses. `politique` reçoit des observations
    (N, 4) et rend des actions (N,), jouées telles quelles ; `graine` suffit à tout refaire.
    """
    ...


check(evaluer)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Donnez `graine` au premier `reset`, et rien aux suivants : ils poursuivent les mêmes tirages. La politique attend
# un tableau : `politique(observation[None])[0]`. Un épisode dure tant que `terminated` et `truncated` sont faux
# tous deux.
#
# </details>
#
# Quand tout est coché, votre boucle juge l'agent hésitant dans le vrai jeu. Sa moyenne sur mille épisodes
# tombe-t-elle dans l'intervalle que donnent vos vingt épisodes ?

# %% tags=["nbval-ignore-output"]
if check(evaluer).passed:
    with gym.make("CartPole-v1") as env:
        miens = np.array(evaluer(hesitant, env, episodes=20, graine=5))
    trois = [number(x, 1) for x in (miens.mean(), *bootstrap_interval(miens, np.mean))]
    print("vos vingt épisodes : {}, intervalle [{} ; {}]".format(*trois))
    print(f"les mille de la section 2 : {number(retours.mean(), 1)}")

# %%
show("evaluer")

# %% [markdown]
# **Exercice 4, à réparer (10 minutes).** La fonction ci-dessous doit dire si des retours garantissent une moyenne
# d'au moins `seuil`. Elle se contente de la moyenne observée. Faites qu'elle exige que la borne basse de
# l'intervalle atteigne le seuil, et traitez à part le cas où tous les épisodes sont parfaits.


# %%
def garantit(retours, seuil=475):
    """Vrai si les retours garantissent, à 95 %, une moyenne d'au moins `seuil`."""
    return bool(np.mean(retours) >= seuil)


print("dix parfaits, 475 :", garantit(np.full(10, 500.0)), "(on attend False)")
print("cent parfaits, 475 :", garantit(np.full(100, 500.0)), "(on attend True)")
print("l'agent hésitant :", garantit(retours[:100]), "(on attend False)")

# %% [markdown]
# <details><summary>Solution</summary>
#
# `if np.all(retours == 500): return 500 * 0.05 ** (1 / len(retours)) >= seuil`, puis
# `return bootstrap_interval(retours, np.mean)[0] >= seuil`. La moyenne seule acceptait dix épisodes
# chanceux. Cette fonction en accepte encore dix s'ils sont presque parfaits : d'après la section 3, mieux
# vaut alors en exiger au moins cent.
#
# </details>
#
# **Exercice 5, à explorer (10 minutes).** À la section 2, chargez dans `hesitant` l'agent de 2 400 pas, puis
# exécutez de nouveau les cellules jusqu'à la figure de la section 3. Combien d'épisodes suffisent à le refuser ? Pourquoi si
# peu ? Puis remettez l'agent de 4 000 pas.
#
# <details><summary>Réponse</summary>
#
# Avec un seul, on se trompe rarement ; avec deux, presque jamais. La moyenne de cet agent est loin du seuil et ses
# épisodes parfaits sont rares : pour se tromper, il faudrait n'en tirer que de parfaits. C'est près du seuil que
# juger coûte cher.
#
# </details>
#
# ## Ce que ce carnet ne montre pas
#
# Nous avons jugé **un** agent. Pour juger une **méthode**, il en faut beaucoup, un par graine : c'est un
# second étage de hasard, que cent mille épisodes du même agent ne réduisent pas. Le carnet 06 l'a fait
# pour la Version 1 ; le carnet 08 le fait pour la Version 2.

# %% [markdown]
# ## Testez-vous
#
# Trois annonces, comme on en lit souvent.
#
# **1.** « Sur cent épisodes, la moyenne est de 478, et son intervalle à 95 % va de 466 à 488. » L'agent dépasse-t-il
# 475 en moyenne ?
#
# - **A.** Oui, 478 est au-dessus du seuil.
# - **B.** Ces cent épisodes ne suffisent pas à le dire.
# - **C.** Non, puisque l'intervalle descend sous 475.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ C'est prendre la mesure pour la vérité.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✔ L'intervalle contient des moyennes des deux côtés du seuil : il faut jouer davantage.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✘ Ne pas avoir établi 475 n'est pas avoir établi le contraire.
#
# </details>
#
# **2.** « Nous avons noté vingt agents sur dix épisodes ; le meilleur obtient 492. Nous l'avons fait rejouer sur deux
# cents départs neufs : 463. » D'où vient la baisse, le plus probablement ?
#
# - **A.** On l'avait choisi pour sa note, et sa note contenait sa chance.
# - **B.** L'agent a oublié entre les deux mesures.
# - **C.** Les départs neufs sont plus difficiles que les premiers.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✔ Le plus haut de vingt nombres bruités dépasse presque toujours ce qu'il mesure ; la seconde note n'a servi à
# aucun choix.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✘ Rien n'a été appris entre les deux mesures : les poids sont les mêmes.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ Ils sont tous tirés de la même façon.
#
# </details>
#
# **3.** « Nous avons joué jusqu'à obtenir 59 épisodes parfaits d'affilée, en recommençant le compte à chaque échec.
# Nous garantissons 475, à 95 %. » Qu'en dites-vous ?
#
# - **A.** L'annonce est juste : 59 épisodes parfaits suffisent.
# - **B.** Elle est juste, à condition que les départs soient neufs et indépendants.
# - **C.** Elle ne garantit rien de tel, même avec des départs neufs et indépendants.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✘ Ils suffisent si leur nombre est fixé d'avance ; ici, on a joué jusqu'à réussir.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ Il manque une troisième condition : un nombre d'épisodes fixé d'avance.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✔ Un agent parfait 95 fois sur cent l'est 59 fois d'affilée avec une probabilité de $0{,}95^{59} \approx 5\,\%$ à
# chaque essai : qui recommence assez souvent finit par y arriver, avec cet agent comme avec un moins bon.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. Un épisode ne dit presque rien, et cent ne tranchent que loin du seuil : on donne la **moyenne et son
#    intervalle**. Cinquante-neuf épisodes, s'ils sont tous parfaits, garantissent 475 à 95 %.
# 2. On **choisit** sur des départs, on **juge** sur d'autres : le meilleur de vingt est d'abord le plus
#    chanceux.
# 3. Un fichier doit suffire : configuration, graine, contrôle d'intégrité, et aucun code caché.
#
# Le carnet suivant, [08 · Version 2](08_version_2.ipynb), part des réglages du document, ses fautes réparées, et
# monte jusqu'à la recette du cours.
