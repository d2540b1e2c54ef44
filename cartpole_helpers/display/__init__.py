"""L'affichage : il reçoit des tableaux, des relevés, des politiques ; le cœur ne l'importe pas."""
