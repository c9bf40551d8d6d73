// Figures come alive when they come near the window; until then, and in print, their still pictures stand.
const configs = JSON.parse(document.getElementById("configs").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const views = new Map();

async function draw(figure) {
  const live = figure.querySelector(".live");
  const inner = live.firstElementChild;
  const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const theme = dark.matches ? "dark" : "light";
  live.hidden = false;
  figure.classList.add("is-live");
  try {
    views.get(figure)?.finalize();
    const config = { ...configs[theme], background: "transparent" };
    // ast: expressions are walked, not made into programs, which the page's policy does not allow.
    const options = { mode: "vega-lite", renderer: "svg", actions: false, config, tooltip: showTip, ast: true };
    views.set(figure, await window.vegaEmbed(inner, spec, options));
  } catch (error) {
    live.hidden = true;
    figure.classList.remove("is-live");
    console.error(error);
  }
}

// Tooltips are text and nothing but text, whatever a label says.
const tips = document.createElement("div");
tips.className = "tips";
tips.hidden = true;
document.body.append(tips);
function showTip(handler, event, item, value) {
  tips.hidden = value === null || value === undefined || value === "";
  if (tips.hidden) return;
  const lines = typeof value === "object" ? Object.entries(value) : [["", value]];
  tips.replaceChildren(...lines.map(([name, text]) => {
    const line = document.createElement("div");
    const head = document.createElement("span");
    head.textContent = name ? `${name}: ` : "";
    line.append(head, String(text));
    return line;
  }));
  const { clientX: x, clientY: y } = event;
  const { offsetWidth: width, offsetHeight: height } = tips;
  tips.style.left = `${Math.max(4, x + 12 + width > window.innerWidth ? x - 12 - width : x + 12)}px`;
  tips.style.top = `${Math.max(4, y + 12 + height > window.innerHeight ? y - 12 - height : y + 12)}px`;
}

const figures = [...document.querySelectorAll("figure")];
const near = new IntersectionObserver((seen) => {
  for (const entry of seen.filter((e) => e.isIntersecting)) {
    near.unobserve(entry.target);
    draw(entry.target);
  }
}, { rootMargin: "800px" });
figures.forEach((figure) => near.observe(figure));
dark.addEventListener("change", () => [...views.keys()].forEach(draw));

// On a phone the answer comes before the contents.
const contents = document.querySelector("details.contents");
if (window.matchMedia("(max-width: 40rem)").matches) contents.open = false;

// Tables sort by their heads. Missing values stay last, a table's foot stays at the foot.
function value(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  return cell.classList.contains("n") ? null : cell.textContent.trim() || null;
}
function compare(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
}
function sort(table, column, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  table.querySelectorAll("th").forEach((th) => th.hasAttribute("aria-sort") && th.setAttribute("aria-sort", "none"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const foot = rows.splice(rows.length - Number(table.dataset.foot));
  rows.sort((r, s) => {
    const [a, b] = [value(r, column), value(s, column)];
    if (a === null || b === null) return (a === null) - (b === null);
    return up ? compare(a, b) : compare(b, a);
  });
  body.append(...rows, ...foot);
}
for (const table of document.querySelectorAll("table")) {
  const foot = Number(table.dataset.foot);
  if (foot) table.tBodies[0].rows[table.tBodies[0].rows.length - foot].classList.add("foot-first");
  if (table.tBodies[0].rows.length - foot < 3) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.tagName !== "TH") return;
    const handle = document.createElement("span"); // text of buttons cannot be copied
    handle.setAttribute("role", "button");
    handle.tabIndex = 0;
    handle.append(...head.childNodes);
    head.append(handle);
    head.setAttribute("aria-sort", "none");
    handle.addEventListener("click", () => sort(table, column, head));
    handle.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort(table, column, head);
    });
  });
}

// Text for a paper is copied with one press.
for (const block of document.querySelectorAll(".copyable")) {
  const button = document.createElement("button");
  button.className = "copy";
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${block.previousElementSibling.textContent}`);
  block.previousElementSibling.classList.add("with-copy");
  block.previousElementSibling.after(button);
  button.addEventListener("click", async () => {
    const text = [...block.querySelectorAll("p")].map((p) => p.textContent).join("\n\n");
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      window.getSelection().selectAllChildren(block);
      button.textContent = "Selected: press Ctrl+C";
    }
  });
}
