"""Les étapes de la construction des carnets, que `build.py` enchaîne."""
