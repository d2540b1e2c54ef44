// Une page vivante n’est chargée que lorsqu’on s’en approche : la première page reste légère.
const { content_root: root } = document.documentElement.dataset;
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    const script = document.createElement("script");
    script.fetchPriority = "high";
    script.src = `${root}_static/vivant/${target.dataset.page}.js`;
    document.head.append(script);
  }
}, { rootMargin: "300px" });
document.querySelectorAll(".cp[data-page]").forEach((place) => near.observe(place));

// Ce qui défile de côté se prend au clavier.
function reach() {
  for (const box of document.querySelectorAll("article pre, .table-wrapper, .equation, .output")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
["load", "resize"].forEach((moment) => window.addEventListener(moment, reach));
document.addEventListener("toggle", reach, true); // une réponse se déplie
