"""Les exercices, un module par carnet : réponse juste, propriétés, erreurs connues, variantes."""
