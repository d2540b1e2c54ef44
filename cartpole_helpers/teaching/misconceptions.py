"""Les idées fausses que l'on rencontre d'un exercice à l'autre, et où le cours les traite."""

import re
from typing import NamedTuple


class Misconception(NamedTuple):
    """Une idée fausse : son nom, ce qu'on en dit, et le carnet qui la traite."""

    name: str
    sentence: str
    taught: str

    @property
    def told(self) -> tuple[str, str]:
        """Ce qu'on en dit, et où le cours en traite."""
        return self.sentence, self.taught


# Nom (carnet et section) : ce qu'on en dit à qui la commet, s'il n'y a rien de plus précis.
VOCABULARY = """
aucun masque (carnet 04, section 2)
    Avez-vous masqué les états terminaux ? Après la fin, il n'y a plus rien à attendre.
le masque efface la récompense (carnet 04, section 2)
    Votre masque efface aussi la récompense : le dernier pas a la sienne, comme un autre.
le masque à l'envers (carnet 04, section 2)
    Votre masque est à l'envers : il garde la suite d'un épisode fini, et oublie l'autre.
le chronomètre pour une chute (carnet 06, section 5)
    Vous prenez le chronomètre pour une chute : `truncated` fait recommencer l'épisode, mais n'entre
    pas dans la cible.
une chute pour le chronomètre (carnet 01, section 4)
    Vous prenez une chute pour une interruption : la chute est une vraie fin.
des transitions fantômes (carnet 06, section 11)
    Votre mémoire contient des transitions fantômes : au redémarrage, elle retient comme suite
    l'observation du nouvel épisode, au lieu de celle que `step` a rendue.
la moyenne des actions (carnet 02, section 2)
    Vous prenez la moyenne des actions suivantes : la cible suppose qu'ensuite on joue au mieux.
la pire action (carnet 02, section 1)
    Vous prenez la plus petite des valeurs, au lieu de la plus grande.
le rang pour la valeur (carnet 04, section 5)
    `argmax` rend le numéro de la meilleure action, non sa valeur : prenez `max`.
toujours la même action (carnet 02, section 1)
    Vous lisez toujours la valeur de la même action : prenez la plus grande.
les actions échangées (carnet 04, section 3)
    Les actions sont échangées : chacune a la valeur d'une autre.
les actions ensemble (carnet 04, section 3)
    Toutes les actions ont la même valeur : la perte doit lire celle de l'action prise.
γ oublié (carnet 04, section 2)
    Où est passé γ ? La valeur de la suite est actualisée d'un pas.
γ sur la récompense (carnet 04, section 2)
    γ ne multiplie que la suite : la récompense de ce pas n'est pas actualisée.
une cible sans récompense (carnet 04, section 2)
    La récompense du pas manque à la cible.
des récompenses entières (carnet 03, section 4)
    Vos récompenses perdent leurs décimales : où deviennent-elles des entiers ?
le gradient dans la cible (carnet 04, section 3)
    Le gradient traverse la cible : détachez-la, par `target.detach()`.
les réseaux échangés (carnet 05, section 2)
    Les deux réseaux sont échangés.
la cible jamais rapprochée (carnet 04, section 4)
    La cible ne bouge jamais : elle visera toujours d'après le réseau du départ.
rien ne remonte (carnet 04, section 4)
    Rien ne remonte d'un pas à l'autre : la cible lit-elle un réseau cible, et le rapprochez-vous
    assez souvent du réseau principal ?
rien n'est appris (carnet 04, section 3)
    Vos valeurs restent près de zéro : l'optimiseur fait-il un pas, assez souvent, et la récompense
    entre-t-elle dans la cible ?
le mauvais axe (carnet 04, section 5)
    L'opération porte sur le mauvais axe : précisez-le.
un axe de trop (carnet 04, section 2)
    Un axe de trop : (B,) et (B, 1) donnent (B, B), sans un mot.
la somme pour la moyenne (carnet 04, section 3)
    Une somme, au lieu d'une moyenne : la moyenne, elle, ne dépend pas du nombre.
la moyenne manquante (carnet 00, section 7)
    Vous rendez un nombre par ligne : il reste à en prendre la moyenne.
un pourcentage (carnet 00, section 7)
    Vous rendez un pourcentage : la part va de 0 à 1.
la négation de Python (carnet 04, section 5)
    `terminated` est un tenseur de booléens : sa négation s'écrit `~terminated`.
un tableau partagé (carnet 03, section 6)
    Un tableau est partagé : le récrire d'un côté le change de l'autre. Copiez-le.
ε à l'envers (carnet 02, section 2)
    ε est à l'envers : c'est la probabilité d'explorer, non celle de jouer au mieux.
aucune exploration (carnet 02, section 2)
    Vous n'explorez jamais : où sert ε ?
toujours au hasard (carnet 02, section 2)
    Vous jouez toujours au hasard : ce que l'on sait du jeu ne sert à rien.
du hasard en évaluation (carnet 07, section 2)
    Vous jouez parfois au hasard : on évalue la politique telle qu'elle est.
la même graine à chaque départ (carnet 06, section 11)
    Vous redonnez la même graine à chaque départ : tous les épisodes commencent alors pareil.
    Donnez-la au premier `reset` seulement.
aucune graine (carnet 06, section 7)
    Quel hasard n'est pas fixé : les poids, les actions, les lots, le premier `reset` ?
un épisode jamais relancé (carnet 06, section 11)
    Vous jouez encore, l'épisode fini : il fallait `reset`.
un seul épisode (carnet 07, section 2)
    Vous ne jouez qu'un épisode : un seul ne dit presque rien.
un rang de décalage (carnet 03, section 6)
    Vous êtes décalé d'un rang.
l'égalité à la limite (carnet 01, section 10)
    L'inégalité n'est pas la bonne à la limite exacte : stricte, ou large ?
une autre unité (carnet 01, section 10)
    Vous mêlez deux unités : convertissez d'abord.
un signe à l'envers (carnet 02, section 2)
    Le signe est à l'envers.
un masque de bits (carnet 03, section 3)
    Le « et » bit à bit n'est un reste que si la capacité est une puissance de deux : prenez %.
le reste par la capacité moins un (carnet 03, section 5)
    Le reste se prend par la capacité, sans « − 1 » : sinon, une place ne sert jamais.
des tailles écrites (carnet 15, section 1)
    Ce monde n'a pas les tailles de CartPole : au lieu d'écrire 4 composantes et 2 actions, lisez
    `env.observation_space.shape[0]` et `env.action_space.n`.
une observation sans son axe (carnet 06, section 11)
    La politique attend un tableau (N, 4) : donnez-lui `observation[None]`.
une action encore en tableau (carnet 06, section 11)
    La politique rend un tableau (1,) : prenez-en le premier nombre, `[0]`.
une erreur (carnet 15, section 4)
    Votre fonction s'est arrêtée sur une erreur : lisez-la, puis la ligne qu'elle nomme.
"""

MISCONCEPTIONS = {
    name: Misconception(name, " ".join(sentence.split()), taught)
    for name, taught, sentence in re.findall(r"^(\S.*) \((.*)\)\n((?:    .*\n)+)", VOCABULARY, re.M)
}
