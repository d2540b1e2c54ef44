"""L'orthographe et la grammaire de tout ce qui se lit, vérifiées par grammalecte."""

import ast
import io
import json
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import build
import pytest

from cartpole_helpers.display.typography import typography

ROOT = Path(__file__).resolve().parents[1]
SYSTEM_PYTHON = Path("/usr/bin/python3")  # sous Debian, grammalecte n'existe que pour lui
LEXICON = ROOT / "tests" / "lexique.txt"

PAGES = sorted(
    page for place in ("", "[!.]*/", "enseignant/diapos/") for page in ROOT.glob(f"{place}*.md")
)
SOURCES = sorted(ROOT.glob("notebooks/sources/*.py"))
MODULES = sorted(
    {*ROOT.glob("*.py"), *ROOT.glob("[!.]*/**/*.py")}
    - {*SOURCES, *ROOT.glob("site/construit/**/*.py")}
)
FILES = {path.relative_to(ROOT).as_posix(): path for path in (*PAGES, *SOURCES, *MODULES)}

FRENCH = re.compile(r"\b(?:le|la|les|un|une|des|du|de|est|et|pas|pour|dans|par|que|qui|ne|en|à)\b")
CODE = "Foobar"  # tient la place du code : sans genre ni nombre, il s'accorde avec tout
NOT_PROSE = [
    (r"^[ \t>]*(```+|~~~+).*?^[ \t>]*\1", "\n\n"),
    (r"<(pre|code|script|style)\b.*?</\1>|<!--.*?-->", " "),
    (r"(`+)(?!`).+?(?<!`)\1(?!`)", CODE),
    (r"\$\$.+?\$\$|(?<!\\)\$[^$]+?\$", CODE),
    (r"(\])\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)", r"\1"),
    (r"^ {0,3}\[[^\]]+\]:.*$|https?://\S+", " "),
    (r"</?(?:details|summary|p|div|br|li|td|tr|table|figcaption)\b[^<>]*>", "\n\n"),
    (r"</?[a-zA-Z][^<>]*>", ""),
]
NEXT_BLOCK = re.compile(r"\n\s*\n|\n(?=[ \t>]*(?:[-*+]|\d+[.)]|#+)[ \t])|\|")
LINE_START = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d+[.)]|#+)[ \t]+)?", re.MULTILINE)
EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|!?\[(?=[^\]]*\])|\]")
# Un vocabulaire : sur la marge un nom, du code, une section ; en retrait, ce que lit l'élève.
VOCABULARY = re.compile(r"\A\n(?=.*^\S.*(?: → |\(carnet ))", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"# (?:type: ignore\[.*?\]|noqa: \w+(?:, [A-Z]+\d+)*),?")  # pour un outil
# Du code sans accents graves : fichier, option, identificateur, prime, argument d'un message.
CODE_LIKE = re.compile(
    r"(?:[\w.-]*/)*[\w-]*\.[a-z]\w+|(?<!\w)--[a-z-]+|\w+_\w+|\b\w'(?!\w)|^\w+(?= doit\b)"
    r"|\b[A-Z]\w+(?:Error|Interrupt)\b"
)


def blocks(markdown: str) -> Iterator[str]:
    """Les paragraphes, titres, points de liste et cases de tableau, sans le code qu'ils citent."""
    for pattern, replacement in NOT_PROSE:
        markdown = re.sub(pattern, replacement, markdown, flags=re.MULTILINE | re.DOTALL)
    for block in NEXT_BLOCK.split(markdown):
        text = CODE_LIKE.sub(CODE, EMPHASIS.sub("", LINE_START.sub("", block)))
        text = re.sub(rf"\b{CODE}(?:[\s,·/]+{CODE}\b)+", CODE, " ".join(text.split()))
        if text:
            yield typography(text)


class Flatten(ast.NodeTransformer):
    """Fait de chaque f-chaîne une chaîne, où une valeur insérée y devient du code."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        parts = [part.value if isinstance(part, ast.Constant) else CODE for part in node.values]
        return ast.Constant("".join(parts))


def docstrings(tree: ast.Module) -> Iterator[str]:
    """Les docstrings d'un module, de ses classes et de ses fonctions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def sentences(tree: ast.Module) -> Iterator[str]:
    """Les chaînes qui ont l'air de phrases françaises, docstrings comprises."""
    for node in ast.walk(Flatten().visit(tree)):
        if isinstance(node, ast.Constant) and len(FRENCH.findall(str(node.value))) >= 2:
            text = str(node.value)
            yield re.sub(r"^\S.*$", "", text, flags=re.M) if VOCABULARY.search(text) else text


def comments(code: str) -> Iterator[str]:
    """Les commentaires ; ceux qui occupent des lignes entières et se suivent n'en font qu'un."""
    found: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            line, alone = token.start[0], token.line.lstrip().startswith("#")
            before = found.pop(line - 1, "") if alone else ""
            found[line] = f"{before} {DIRECTIVE.sub('', token.string).lstrip('#!: ')}"
    yield from found.values()


def python_texts(code: str, with_strings: bool) -> Iterator[str]:
    """Ce qu'un programme donne à lire."""
    tree = ast.parse(code)
    yield from comments(code)
    yield from docstrings(tree)
    if with_strings:
        yield from sentences(tree)


def texts(path: Path) -> Iterator[str]:
    """Les textes d'un fichier : Markdown, source de carnet ou module."""
    if path.suffix == ".md":
        yield path.read_text("utf-8")
    elif path in SOURCES:
        for cell in build.read_source(path).cells:
            code = re.sub(r"^[%!].*$", "", cell.source, flags=re.MULTILINE)
            yield from [cell.source] if cell.cell_type == "markdown" else python_texts(code, True)
    else:
        # Dans les tests, les chaînes sont des échantillons.
        yield from python_texts(path.read_text("utf-8"), "tests" not in path.parts)


def check(documents: list[list[str]]) -> list[list[str]]:
    """Les fautes de chaque document, hors des mots du lexique."""
    known = [CODE, *LEXICON.read_text("utf-8").split()]
    paragraphs = [sorted({x for text in texts for x in blocks(text)}) for texts in documents]
    question = json.dumps({"known": known, "documents": paragraphs})
    command = [SYSTEM_PYTHON, "-I", ROOT / "tests" / "grammar.py"]
    run = subprocess.run(command, input=question, capture_output=True, encoding="utf-8", check=True)
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def grammalecte(require):
    """Saute ces tests, ou les fait échouer, si grammalecte n'est pas installé."""
    command = [SYSTEM_PYTHON, "-I", "-c", "import grammalecte"]
    found = SYSTEM_PYTHON.exists() and subprocess.run(command, capture_output=True).returncode == 0
    require("grammalecte", found)


def test_a_missing_tool_fails_in_continuous_integration_only(require, monkeypatch):
    for variable, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", variable)
        with pytest.raises(outcome, match="grammalecte"):
            require("grammalecte", False)


def test_the_french_is_correct(grammalecte):
    """En une fois : grammalecte est long à charger."""
    found = check([[*texts(path)] for path in FILES.values()])
    faults = [f"{n} : {fault}" for n, some in zip(FILES, found, strict=True) for fault in some]
    assert not faults, "\n".join(faults)


def in_any_number(words: str) -> re.Pattern[str]:
    """Reconnaît `words`, au singulier comme au pluriel."""
    return re.compile(" ".join(f"{re.escape(word)}[sx]?" for word in words.split()))


def test_one_word_for_one_notion():
    """Ce que le glossaire écarte ne se lit nulle part, sinon dans des citations."""
    glossary = ROOT / "site" / "glossaire.md"
    _, _, table = glossary.read_text("utf-8").partition("| On dit | On ne dit pas |\n|:---|:---|\n")
    refused = [row.split(" | ")[1].strip(" |").removesuffix("r") for row in table.splitlines()]
    assert len(refused) >= 7
    refused = [in_any_number(words) for words in refused]
    for fault in ("les actions tenues", "part tenue :", "lin et al. (1992)", "réseaux en ligne"):
        assert any(word.search(fault) for word in refused), fault
    read = {*FILES.values(), *ROOT.glob("cartpole_helpers/**/*.mjs")}
    read -= {glossary, ROOT / "ERRATA.md", ROOT / "CHANGELOG.md", Path(__file__).resolve()}
    for path in read:
        text = path.read_text("utf-8").replace("’", "'").casefold()
        assert not [word.search(text)[0] for word in refused if word.search(text)], path


def test_every_kind_of_file_is_read_and_the_lexicon_sorted():
    for name in ("README.md", "lancer.py", "cartpole_helpers/config.py", "notebooks/build.py"):
        assert name in FILES
    assert SOURCES
    words = LEXICON.read_text("utf-8").splitlines()
    assert words == sorted(set(words), key=lambda word: (word.casefold(), word))


WRONG = (
    ("Les agent apprends à tenir la tige.", "agent"),
    ("| Sens | Il a pousser le chariot |\n|---|---|", "pousser"),
    ("- Une liste.\n- Ils sont tombé à gauche.", "tombé"),
    ("**La** *récompense* est `r` ; elle sont [bonne](a.md).", "sont"),
    ("<details><summary>Un indice</summary>\n\nIl faut que tu es patient.</details>", "es"),
    ("Un chario sur une piste.", "chario"),
)
RIGHT = (
    "Rend `x` : la cible r + γ max Q(s', a'), de forme (S, E, 4) ou (..., B).",
    "Lisez `les agent apprends` et $les\\ agent$ dans notebooks/build.py, avec --tout.",
    "```python\nles agent apprends\n```\nVoici la suite.",
    "![Une courbe](les_agent.png \"apprends\") <b title='les agent'>Voici la suite.</b>",
    "| Quoi | Pourquoi |\n|:--|--:|\n| un pas | il dure 0,02 s |",
)


def test_wrong_french_is_refused_and_right_french_accepted(grammalecte):
    found = check([[text] for text in (*(text for text, _ in WRONG), *RIGHT)])
    for (text, word), faults in zip(WRONG, found, strict=False):
        assert any(fault.startswith(word) for fault in faults), text
    assert not any(found[len(WRONG) :])


def test_a_program_gives_its_comments_docstrings_and_sentences_to_read():
    code = """# Un commentaire
# sur deux lignes.
X = 1  # mètres
Y = 2  # type: ignore[misc]  # noqa: E501, kilos
def f(n):
    'La fonction.'
    raise ValueError(f"n doit être {'a'} dans la liste : {n} reçu.")  # le dernier
KEY = "un"
TABLE = \"\"\"
un nom : la → le
    Une phrase de la table.
\"\"\"
"""
    found = {" ".join(text.split()) for text in python_texts(code, with_strings=True)} - {""}
    assert found == {
        *("Un commentaire sur deux lignes.", "mètres", "kilos", "La fonction.", "le dernier"),
        *(f"n doit être {CODE} dans la liste : {CODE} reçu.", "Une phrase de la table."),
    }
