// Les états d’un calcul ou d’une partie, ceux de display/background.py, et leur nom en français.

export const READY = "ready";
export const RUNNING = "running";
export const PAUSED = "paused";
export const STOPPED = "stopped";
export const FINISHED = "finished";
export const FAILED = "failed";
export const LABELS = {
  [READY]: "prêt",
  [RUNNING]: "en cours",
  [PAUSED]: "en pause",
  [STOPPED]: "arrêté",
  [FINISHED]: "fini",
  [FAILED]: "échoué",
};
