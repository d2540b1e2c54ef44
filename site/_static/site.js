// Une page vivante n’est chargée que lorsqu’on s’en approche : la première page reste légère.
const { content_root: root } = document.documentElement.dataset;
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    const script = document.createElement("script");
    script.src = `${root}_static/vivant/${target.dataset.page}.js`;
    document.head.append(script);
  }
}, { rootMargin: "600px" });
document.querySelectorAll(".cp[data-page]").forEach((place) => near.observe(place));
