// Sorts the rows of each group of a table by the column whose button is pressed: best first, worst first, as written.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const heads = [...table.tHead.rows[0].cells];
  const written = new Map([...table.tBodies].map((body) => [body, [...body.rows]]));
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (column === 0) return cell.textContent.trim();
    return cell && cell.dataset.value ? Number(cell.dataset.value) : null;
  };
  const compare = (one, other) => (typeof one === "string" ? one.localeCompare(other) : one - other);
  const sort = (column, order) => {
    for (const [body, rows] of written) {
      const moving = rows.filter((row) => !row.matches(".group, .floor"));
      const known = moving.filter((row) => valueOf(row, column) !== null);
      const rest = moving.filter((row) => valueOf(row, column) === null);
      const sign = order === "descending" ? -1 : 1;
      if (order !== "none") known.sort((a, b) => sign * compare(valueOf(a, column), valueOf(b, column)));
      const shown = order === "none" ? moving : [...known, ...rest];
      body.append(...rows.filter((row) => row.matches(".group")), ...shown, ...rows.filter((row) => row.matches(".floor")));
    }
    heads.forEach((head, place) => {
      const own = place === column ? order : "none";
      head.setAttribute("aria-sort", own);
      head.querySelector(".sort").textContent = { none: "\u2195", ascending: "\u2191", descending: "\u2193" }[own];
    });
  };
  heads.forEach((head, column) => {
    const name = (head.querySelector("a") || head).textContent.trim();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = "\u2195";
    button.setAttribute("aria-label", `Sort by ${name}`);
    const best = head.dataset.best;
    const next = { none: best, [best]: best === "ascending" ? "descending" : "ascending" };
    button.addEventListener("click", () => sort(column, next[head.getAttribute("aria-sort")] || "none"));
    head.setAttribute("aria-sort", "none");
    head.append(" ", button);
  });
}
