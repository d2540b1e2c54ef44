"""Range dans DOSSIER les copies qu'une plateforme a données (NOTER.md)."""

import sys

from noter import main

if __name__ == "__main__":
    sys.exit(main(["ramasser", *sys.argv[1:]]))
