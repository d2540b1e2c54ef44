"""L'affichage : il reçoit des tableaux, des relevés et des politiques ; le cœur ne l'importe pas."""
