"""La typographie française : l'auteur tape des espaces simples, le lecteur en voit d'insécables."""

import re

NARROW, WIDE = "\u202f", "\u00a0"
SPACE = f"[ {NARROW}{WIDE}]"

# Ce qui reste intact : code, mathématiques, balises, adresses, débuts de ligne.
PROTECTED = re.compile(
    r"""
      ^[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*(?P<fence>`{3,}|~{3,}) .*? (?:^[ \t>]*(?P=fence)[ \t]*$|\Z)
    | (?P<ticks>`+)(?!`) (?:(?!\n\s*\n).)+? (?<!`)(?P=ticks)(?!`)
    | <!--.*?-->
    | <(?P<tag>pre|code|script|style)\b .*? </(?P=tag)>
    | </?[a-zA-Z](?:"[^"]*"|'[^']*'|[^<>"'])*>
    | \\begin\{(?P<env>\w+\*?)\} .*? \\end\{(?P=env)\}
    | (?<!\\)\$\$ .+? \$\$
    | (?<![\\$])\$(?![\s$]) (?:\\.|[^$\\\n]|\n(?!\s*\n))*? (?<!\s)\$(?![\d$])
    | (?<=\])\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+"[^"\n]*")?\)
    | ^[ ]{0,3}\[[^\]\n]+\]:[ \t]*\S+
    | \b[a-zA-Z][\w+.-]*://[^\s<>|)\]]+
    | ^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$
    | ^[ \t>]*(?:[-*+]|\d+[.)]|\#{1,6})[ \t]+
    | (?<!\w):[a-z0-9_+-]+:(?!\w)
    | &\#?\w+;[;:?!]?
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
MASK = re.compile("\ue000(\\d+)\ue001")

UNITS = "%|‰|€|µs|ms|s|min|h|mm|cm|m|km|g|kg|N|Hz|kHz|rad|ko|Mo|Go"
AFTER = r"(?=[\s*_)\]»”’…,.|;:?!\ue000]|$)"  # ce qui peut suivre un signe
GLUED = r"(?<=[^\W\d_]|[)*\ue001])"  # après quoi l'espace du signe a pu être oubliée
ALONE = r"(?=[\s*_)]|$)"  # le signe collé finit le mot : ni 12:30, ni std::sort
RULES = [
    (rf"«{SPACE}*(?=\S)", f"«{WIDE}"),
    (rf"(?<=\S){SPACE}*»", f"{WIDE}»"),
    (rf"(?<=\S){SPACE}+(?=[;?!]+{AFTER})", NARROW),
    (rf"(?<=\S){SPACE}+(?=:(?!:){AFTER})", WIDE),
    (rf"{GLUED}(?=[;?!]+{ALONE})", NARROW),
    (rf"{GLUED}(?=:{ALONE})", WIDE),
    (r"(?<=[^\W\d_])'(?=\*{0,2}[^\W_])", "’"),
    (rf"(?<=\d){SPACE}(?=(?:{UNITS})(?![\w'’]))", WIDE),
    (rf"(?<![\w.,])(\d{{1,3}}){SPACE}(?=\d{{3}}(?:{SPACE}\d{{3}})*(?!\w|\.\d))", rf"\1{NARROW}"),
]


def typography(text: str) -> str:
    """Rend `text` avec ses espaces insécables ; appliquée deux fois, elle ne change plus rien."""
    kept: list[str] = []

    def mask(match: re.Match) -> str:
        kept.append(match[0])
        return f"\ue000{len(kept) - 1}\ue001"

    text = PROTECTED.sub(mask, text)
    for pattern, space in RULES:
        text = re.sub(pattern, space, text)
    return MASK.sub(lambda match: kept[int(match[1])], text)
