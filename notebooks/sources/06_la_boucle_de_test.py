# %% [markdown]
# # 06 · La boucle de test
#
# **La question.** Un agent vient de tenir cinq cents pas. Sait-il jouer, ou a-t-il eu de la chance ?
# Combien d'épisodes faut-il pour affirmer qu'il dépasse 475 en moyenne, sur quels départs, et que
# garder de lui pour qu'un autre puisse le vérifier ?
#
# Ce sont les deux dernières sections de la Version 1 du document fondateur : *Boucle de test* et
# *Résultats*. Il y charge un fichier nommé `deep-q-model-500-1650182128.pt`, regarde jouer, et montre
# une vidéo. Nous ferons les trois, en sachant ce qu'ils prouvent.
#
# *Comptez quarante-cinq minutes de lecture ; le carnet s'exécute en moins d'une minute.*

# %%
import pickle
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from cartpole_helpers import (
    QUICK,
    CheckpointError,
    Training,
    bootstrap_interval,
    evaluate,
    load,
    load_training,
    play,
    save,
    save_training,
    version1,
)
from cartpole_helpers.checkpoints import describe
from cartpole_helpers.display import figures, video
from cartpole_helpers.display.listing import listing

# %% [markdown]
# ## 1. La boucle du document
#
# Voici sa boucle de test. Nous y avons ajouté un compte et une graine, pour pouvoir en parler ; dans le
# document, elle joue cent mille épisodes à l'écran et n'en retient rien.

# %%
listing(version1.test, comments=False)

# %% [markdown]
# Donnons-lui un modèle : quelques centaines d'épisodes d'entraînement suffisent à ce que le document en
# sauve un, du fond de son pas d'apprentissage. Les fichiers vont dans un dossier provisoire.

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
# Que dit ce nom ? Le premier nombre est la durée de l'épisode qui venait de finir, le second l'heure de la
# machine, en secondes depuis 1970. Celui que cite le document se lit donc ainsi :

# %%
nom = "deep-q-model-500-1650182128.pt"
_, _, _, duree, secondes = Path(nom).stem.split("-")
print("dernier épisode :", duree, "pas")
print("sauvé le", datetime.fromtimestamp(int(secondes), UTC).strftime("%d/%m/%Y à %H h %M"))

# %% [markdown]
# Un épisode de 500 pas : c'est tout ce que l'on sait de cet agent. Et dans le fichier ?

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
# Le dossier `checkpoints/` contient quatre agents, un même entraînement pris à quatre moments : après 400, 2 400, 4 000 et
# 5 600 pas. Prenons le troisième, et jouons-lui mille épisodes.

# %%
hesitant = load("../checkpoints/agent_4000_pas.safetensors")
retours = evaluate(hesitant, episodes=1_000, seed=10)
print("les dix premiers :", retours[:10].astype(int))

# %% [markdown]
# > **À vous.** Regardez ces dix nombres. Diriez-vous que cet agent dépasse 475 en moyenne ?

# %%
parfaits = round(100 * np.mean(retours == 500))
moyenne = figures.number(retours.mean(), 1)
figures.distributions(
    {"mille épisodes": retours},
    f"{parfaits} épisodes sur cent sont parfaits, et pourtant la moyenne n'est que de {moyenne}",
    "retour d'un épisode (pas)",
)

# %% [markdown]
# Non : sa moyenne est sous le seuil. Les épisodes parfaits se voient, les autres s'étalent. Aucun retour
# ne ressemble à la moyenne : un seul épisode dit surtout de quel côté le hasard est tombé.
#
# Le nom du fichier est pire encore. Il retient un épisode **d'entraînement**, joué avec une action sur vingt
# au hasard. Voici ce que le document aurait pu écrire pour ce même agent, aux mêmes poids.

# %%
hasard = np.random.default_rng(0)


def bruite(observations):
    """L'agent hésitant, avec ε = 0,05 comme dans le document."""
    au_hasard = hasard.random(len(observations)) < 0.05
    return np.where(au_hasard, hasard.integers(0, 2, len(observations)), hesitant(observations))


# %%
noms = evaluate(bruite, episodes=1_000, seed=10)
bas, haut = (round(centile) for centile in np.percentile(noms, [5, 95]))
figures.distributions(
    {"sans exploration": retours, "avec ε = 0,05 : le nom du fichier": noms},
    f"Du même agent, le nom dirait de {bas} à {haut} neuf fois sur dix",
    "retour d'un épisode (pas)",
)

# %% [markdown]
# > **Attention.** Choisir, parmi des centaines de fichiers, celui dont le nom dit 500, c'est choisir le
# > plus chanceux.

# %% [markdown]
# ## 3. Combien d'épisodes prouvent 475 ?
#
# Jouons plusieurs épisodes et prenons la moyenne. Notre agent hésitant est sous le seuil ; combien de fois une
# évaluation de $n$ épisodes le déclarerait-elle pourtant « résolu » ?
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
# Cent épisodes, la règle de Gymnasium, ne suffisent pas à un agent aussi près du seuil : il faut des
# centaines d'épisodes pour que l'erreur devienne rare. Un agent loin du seuil, lui, se reconnaît vite. Il n'y a
# donc pas de bon nombre : il y a une **mesure et son intervalle**.

# %%
for n in (10, 100, 1_000):
    bas, haut = bootstrap_interval(retours[:n], np.mean)
    print(f"{n:5} épisodes : {retours[:n].mean():.1f}, intervalle à 95 % [{bas:.1f} ; {haut:.1f}]")

# %% [markdown]
# L'intervalle rééchantillonné refait l'évaluation deux mille fois, en retirant dans les retours observés. Ne le croyez pas
# sur parole : un intervalle à 95 % doit contenir la vraie moyenne 95 fois sur cent. Vérifions-le en
# prenant les mille retours pour vérité.


# %%
def couverture(n, essais=200):
    """La part des intervalles, faits de n retours, qui contiennent la moyenne des mille."""
    tires = np.random.default_rng(1).choice(retours, size=(essais, n))
    bornes = [bootstrap_interval(un, np.mean, resamples=400) for un in tires]
    return 100 * np.mean([bas <= retours.mean() <= haut for bas, haut in bornes])


for n in (5, 10, 30, 100, 300):
    print(f"{n:4} épisodes : contient la vraie moyenne {couverture(n):.0f} fois sur cent")

# %% [markdown]
# Avec quelques épisodes, il promet trop : cinq retours parfaits donneraient un intervalle de largeur nulle !
# Il faut cent épisodes au moins pour qu'il tienne à peu près parole.

# %% [markdown]
# ## 4. Et si tous les épisodes sont parfaits ?
#
# C'est le cas le plus fréquent pour un bon agent, et le rééchantillonnage n'en dit rien. Un raisonnement suffit.
#
# Supposons que la vraie part d'épisodes parfaits soit $p$. La chance d'en voir $n$ parfaits de suite est
# $p^n$. Si elle est inférieure à 5 %, on rejette ce $p$ : on peut affirmer, à 95 %, que
# $p \geq 0{,}05^{1/n}$. Et au pire, un épisode manqué rapporte zéro : la moyenne vaut donc au
# moins $500\,p$.
#
# > **À vous.** Combien d'épisodes, tous parfaits, prouvent une moyenne de 475 ? Dix, cinquante, mille ?

# %%
nombres = np.arange(5, 201)
bornes = 500 * 0.05 ** (1 / nombres)
assez = nombres[np.argmax(bornes >= 475)]
figures.curves(
    nombres,
    {"moyenne garantie à 95 %": bornes, "seuil de 475": np.full(len(nombres), 475.0)},
    f"{assez} épisodes tous parfaits prouvent 475, sans rien supposer d'autre",
    ("nombre d'épisodes, tous parfaits", "retour moyen (pas)"),
)

# %% [markdown]
# La borne ne suppose rien de la répartition des retours : seulement des départs tirés au hasard, indépendants. En voici
# l'usage, sur le quatrième agent.

# %%
agent = load("../checkpoints/agent_5600_pas.safetensors")
cent = evaluate(agent, episodes=100, seed=20)
print("épisodes parfaits sur cent :", np.sum(cent == 500))

# %% [markdown]
# Si vous lisez 100, la cause est entendue. S'il en manquait quelques-uns, l'argument se prolonge avec
# l'intervalle de Wilson, mais coûte vite plus d'épisodes.

# %% [markdown]
# ## 5. Choisir, puis juger
#
# Pendant un entraînement, on évalue souvent et l'on garde le meilleur. Le meilleur de dix mesures bruitées est
# d'abord le plus **chanceux** : sa note est trop belle. Combien trop ? Prenons vingt copies du même
# agent hésitant, et gardons la mieux notée.


# %%
def note_du_meilleur(n, candidats=20, essais=1_000):
    """La note moyenne du gagnant parmi des copies d'un même agent, n épisodes chacune."""
    tirages = np.random.default_rng(2).choice(retours, size=(essais, candidats, n))
    return tirages.mean(axis=2).max(axis=1).mean()


# %%
essais = np.array([1, 2, 5, 10, 20, 50, 100])
gagnants = np.array([note_du_meilleur(n) for n in essais])
exces = figures.number(gagnants[essais == 10][0] - retours.mean())
figures.curves(
    essais,
    {"note du gagnant": gagnants, "sa vraie valeur": np.full(len(essais), retours.mean())},
    f"Le meilleur de vingt, sur dix épisodes, est surnoté de {exces} pas",
    ("épisodes par évaluation (échelle logarithmique)", "retour moyen (pas)"),
    log="x",
)

# %% [markdown]
# Les vingt sont pourtant le même agent. D'où une règle, la même que partout en apprentissage : on
# **choisit** sur des départs de validation, on **juge** sur des départs neufs, une seule fois. Dans le cours,
# `evaluate(policy, seed=...)` tire des départs que nul entraînement n'a vus ; deux graines donnent
# deux jeux de départs. Le fichier `etudes/agent.py` a choisi nos quatre agents ainsi.

# %%
validation, jugement = 2_000_000, 4_000_000
for numero in (4000, 5600):
    candidat = load(f"../checkpoints/agent_{numero}_pas.safetensors")
    notes = [evaluate(candidat, seed=graine).mean() for graine in (validation, jugement)]
    print(f"{numero} pas : validation {notes[0]:.1f}, jugement {notes[1]:.1f}")

# %% [markdown]
# ## 6. Un fichier qui suffit
#
# Que faut-il garder d'un agent ? De quoi le faire jouer ailleurs, plus tard, par quelqu'un d'autre. `save` écrit les
# poids **et** la configuration, la graine, le nombre de pas, les versions des bibliothèques.

# %%
description = describe("../checkpoints/agent_5600_pas.safetensors")
for cle in ("kind", "seeds", "env_steps"):
    print(f"{cle} : {description[cle]}")
print(f"et {len(description['config'])} réglages, dont hidden = {description['config']['hidden']}")

# %% [markdown]
# Le fichier est au format safetensors : des nombres, et rien d'autre. Celui du document est un *pickle*, c'est-à-dire un petit
# **programme** que Python exécute pour reconstruire ses objets. N'importe quel programme : en voici un,
# inoffensif.


# %%
class Surprise:
    def __reduce__(self):
        return print, ("ouvrir ce fichier a exécuté du code",)


pickle.loads(pickle.dumps(Surprise()))
# %% [markdown]
# PyTorch refuse aujourd'hui, par défaut, les pickles qui ne contiennent pas que des tableaux. Ne désactivez
# pas cette protection pour un fichier que vous n'avez pas écrit.
#
# Et si un fichier a été abîmé, par un disque ou par un transfert ? Changeons un seul octet du nôtre.

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
# Une somme de contrôle le trahit. Sans elle, l'agent aurait joué, un peu moins bien, et l'on aurait accusé
# l'apprentissage.
#
# Reste un dernier besoin : **reprendre** un entraînement interrompu. Les poids n'y suffisent pas. Il faut aussi les moyennes d'Adam,
# la mémoire, l'état des chariots et celui de chaque générateur. `save_training` garde tout.
#
# > **À vous.** Un entraînement de 200 tours d'une traite, un autre sauvé au centième et repris :
# > les poids seront-ils égaux, ou seulement proches ?


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
# Les moyennes disent s'il joue bien, pas pourquoi. Pour deux nombres sur quatre, on peut voir toute sa politique
# d'un coup : chariot immobile au centre, l'angle en abscisse, la vitesse angulaire en ordonnée.

# %%
figures.action_maps(agent.q_values, "Il pousse du côté où la tige penche, ou va pencher")

# %% [markdown]
# À gauche, la valeur qu'il donne à chaque état : haute le long d'une diagonale, où l'angle et la vitesse se
# compensent ; basse dans les coins, où la tige fuit. À droite, l'écart entre ses deux actions ; le trait noir
# est la frontière où il change d'avis. Elle ressemble à celle de la règle $\theta + \dot\theta > 0$ du
# [carnet 01](01_le_probleme.ipynb), que personne ne lui a montrée.
#
# > **À vous.** Voici la même carte, pour l'agent de 400 pas, qui tient dix pas à peine. Qu'est-ce qui
# > manque ?

# %%
debutant = load("../checkpoints/agent_400_pas.safetensors")
figures.action_maps(debutant.q_values, "Après 400 pas, la diagonale n'existe pas encore")

# %% [markdown]
# ## 8. Voir jouer
#
# Le document finit par une vidéo, qu'il insère ainsi : `![…](./videos/video_.mp4)`. Cette écriture est celle
# des images : la plupart des lecteurs n'en font rien. Voici quatre épisodes, un par agent, depuis le
# même départ : l'échec, et la réussite.

# %% tags=["nbval-ignore-output"]
chemins = {400: "test_1", 2400: "test_2", 4000: "test_3", 5600: "video_"}
films = [
    video.film(load(f"../checkpoints/agent_{n}_pas.safetensors"), f"../videos/{nom}.mp4", seed=83)
    for n, nom in chemins.items()
]
legendes = [
    f"après {n} pas d'entraînement : {len(un.episode.actions)} pas tenus"
    for n, un in zip(chemins, films, strict=True)
]
video.side_by_side(films, legendes)

# %% [markdown]
# Le dernier est `videos/video_.mp4`, le chemin que nomme le document : il existe désormais, et c'est un vrai épisode d'un agent
# que vous pouvez recharger.
#
# <details><summary>Pas de vidéo ci-dessus ? Voici les images animées ; chacune mène à son film.</summary>
#
# | 400 pas | 2 400 pas | 4 000 pas | 5 600 pas |
# |:---:|:---:|:---:|:---:|
# | [![La tige tombe presque aussitôt.](../videos/test_1.webp)](../videos/test_1.mp4) | [![La tige tombe.](../videos/test_2.webp)](../videos/test_2.mp4) | [![La tige tient longtemps.](../videos/test_3.webp)](../videos/test_3.mp4) | [![La tige reste debout.](../videos/video_.webp)](../videos/video_.mp4) |
#
# </details>
#
# Un film convainc, et ne prouve rien : c'est **un** épisode, d'un départ choisi pour que les quatre agents s'y
# distinguent. Mais il fait voir ce que la moyenne cache. Comment l'agent de 4 000 pas échoue-t-il ?
#
# > **À vous.** Regardez le troisième film. L'agent perd-il la tige peu à peu, ou d'un coup ? Et où est alors
# > le chariot ?

# %%
chutes = [episode for graine in range(150) if (episode := play(hesitant, seed=graine)).terminated]
ecarts = np.array([abs(episode.observations[-1, 0]) for episode in chutes])
durees = np.array([len(episode.actions) for episode in chutes])
bas, haut = (figures.number(borne, 1) for borne in (ecarts.min(), ecarts.max()))
figures.points(
    {"une chute": (durees, ecarts)},
    f"Les {len(chutes)} chutes ont toutes lieu entre {bas} et {haut} m du centre",
    ("durée de l'épisode (pas)", "distance du chariot au centre (m)"),
)

# %% [markdown]
# Toutes au même endroit, bien avant le bord du rail ! L'agent tient la tige sans peine, le chariot dérive
# lentement, et à cette distance tout s'arrête. Demandons-lui ce qu'il pense là-bas, à 1,25 m à
# gauche.

# %%
figures.action_maps(
    hesitant.q_values,
    "À 1,25 m à gauche, la frontière a disparu : il pousse presque toujours à droite",
    x=-1.25,
)

# %% [markdown]
# Loin du centre, il ne regarde presque plus la tige. Pendant son apprentissage il y est rarement allé : son réseau y
# **extrapole**, et se trompe. Le meilleur agent n'en sait peut-être pas plus ; mais, lui, ne dérive pas
# jusque-là. Gardez ces deux images en tête : elles reviendront quand nous chercherons pourquoi un agent qui
# savait jouer se met à oublier.

# %% [markdown]
# ## 9. À vous
#
# **Exercice 1, à calculer (3 minutes).** Combien d'épisodes parfaits prouvent une moyenne de 490 ?
#
# <details><summary>Solution</summary>
#
# On veut $500 \times 0{,}05^{1/n} \geq 490$, soit $n \geq \ln 0{,}05 / \ln 0{,}98 \approx 148{,}3$ : il en
# faut 149. Chaque point gagné près de 500 coûte de plus en plus cher.
#
# </details>
#
# **Exercice 2, à écrire (10 minutes).** La fonction ci-dessous doit dire si des retours prouvent une moyenne d'au moins
# `seuil`. Elle se contente de la moyenne. Faites-la exiger que la borne basse de
# l'intervalle dépasse le seuil, et traitez à part le cas où tous les épisodes sont parfaits.


# %%
def prouve(retours, seuil=475):
    """Vrai si les retours prouvent, à 95 %, une moyenne d'au moins `seuil`."""
    return bool(np.mean(retours) >= seuil)


print("dix parfaits, 475 :", prouve(np.full(10, 500.0)), "(on attend False)")
print("cent parfaits, 475 :", prouve(np.full(100, 500.0)), "(on attend True)")
print("l'agent hésitant :", prouve(retours[:100]), "(on attend False)")

# %% [markdown]
# <details><summary>Solution</summary>
#
# `if np.all(retours == 500): return 500 * 0.05 ** (1 / len(retours)) >= seuil`, puis
# `return bootstrap_interval(retours, np.mean)[0] >= seuil`. La moyenne seule acceptait dix épisodes
# chanceux.
#
# </details>
#
# **Exercice 3, à explorer (10 minutes).** Remplacez l'agent hésitant de la section 3 par celui de 2 400 pas. Combien
# d'épisodes suffisent alors à le refuser ? Pourquoi si peu ?
#
# ## Ce que ce carnet ne montre pas
#
# Nous avons jugé **un** agent. Pour juger une **méthode**, il faut des agents, un par graine : c'est
# un second étage de hasard, que cent mille épisodes du même agent ne réduisent pas. Le carnet 05 l'a
# fait pour la Version 1 ; le carnet 07 le fera pour la Version 2.
#
# ## Ce qu'il faut retenir
#
# 1. Un épisode ne prouve rien, et cent ne prouvent que loin du seuil : on donne la **moyenne et son
#    intervalle**. Cinquante-neuf épisodes tous parfaits, eux, prouvent 475.
# 2. On **choisit** sur des départs, on **juge** sur d'autres : le meilleur de vingt est d'abord le plus
#    chanceux.
# 3. Un fichier doit suffire : configuration, graine, contrôle d'intégrité, et pas de code caché.
