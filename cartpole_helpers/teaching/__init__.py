"""Ce qui enseigne : les exercices, leur vérification, les réponses fausses qu'elle refuse."""
