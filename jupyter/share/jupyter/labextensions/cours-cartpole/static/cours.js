// Ce que le cours ajoute à JupyterLab : le texte de remplacement d’une figure, que ses métadonnées
// donnent et que JupyterLab tait, et quelques règles de style. Rien à construire : la page le lit tel quel.

const STYLE = `
/* Une ligne trop longue passe à la suivante entre deux mots. */
.jp-RenderedText pre { word-break: normal; overflow-wrap: anywhere; }
.jp-RenderedHTMLCommon details:not(:last-child) { margin-bottom: 1em; }
/* Une figure est blanche : dans le noir, elle éblouirait. Ses couleurs restent celles que le texte nomme. */
[data-jp-theme-light="false"] .jp-OutputArea :is(.jp-RenderedImage img, video) { filter: brightness(.8); }
`;
const PNG = "image/png";

function figuresShownBy({ Widget }) {
  return class extends Widget {
    async renderModel({ data, metadata }) {
      const { alt = "", width } = metadata[PNG] ?? {};
      const picture = Object.assign(new Image(width), { alt, src: `data:${PNG};base64,${data[PNG]}` });
      this.addClass("jp-RenderedImage");
      this.node.replaceChildren(picture);
    }
  };
}

// Le conteneur qu’attend JupyterLab : `init` reçoit ses modules, `get` rend les nôtres.
let modules;
(window._JUPYTERLAB ??= {})["cours-cartpole"] = {
  init(shared) {
    modules = shared;
  },
  async get() {
    const [lumino] = Object.values(modules["@lumino/widgets"]);
    const Figure = figuresShownBy((await lumino.get())());
    document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));
    const rendererFactory = { safe: true, mimeTypes: [PNG], createRenderer: () => new Figure() };
    // Avant JupyterLab, qui montre une image au rang 90.
    return () => ({ id: "cours-cartpole:figures", rendererFactory, rank: 80, dataType: "string" });
  },
};
