// Opens the definition of a metric over the page, where its name would otherwise lead to the section of metrics.
const dialog = document.createElement("dialog");
const close = document.createElement("button");
close.type = "button";
close.textContent = "Close";
close.addEventListener("click", () => dialog.close());
dialog.className = "definition";
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
document.body.append(dialog);
for (const link of document.querySelectorAll('a[href^="#metric-"]')) {
  const article = document.getElementById(link.hash.slice(1));
  if (!article) continue;
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const copy = [...article.children].map((child) => child.cloneNode(true));
    const title = copy.find((child) => child.id);
    title.id = "definition-title";
    dialog.setAttribute("aria-labelledby", title.id);
    dialog.replaceChildren(...copy, close);
    dialog.showModal();
  });
}
