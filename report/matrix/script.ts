/**
 * What the page of a matrix does: folds, filters, and compares two columns. Without it everything is
 * shown.
 *
 * @module
 */

/** JavaScript for browsers. */
export const MATRIX_SCRIPT = `"use strict";
{
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = document.querySelector(".filter");
  const query = document.getElementById("query");
  const compare = document.getElementById("compare");
  const unfold = document.getElementById("unfold");
  const status = form.querySelector("output");
  const endings = all("[data-ending]", form);
  const isOpen = ({ fold }) => fold.getAttribute("aria-expanded") === "true";
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
  const press = (button, pressed) => button.setAttribute("aria-pressed", String(pressed));
  const mark = (one, open) => one.fold.setAttribute("aria-expanded", String(open));

  const families = all(".matrix tbody").map((body) => {
    const head = body.querySelector(".family");
    const family = { body, head, fold: head.querySelector(".fold"), fits: true };
    family.repeat = body.querySelector(".repeat");
    family.cases = all("tr.case", body).map((row) => {
      const detail = row.nextElementSibling;
      const text = (row.id + " " + row.textContent + " " + detail.textContent).toLowerCase();
      return { row, detail, text, fold: row.querySelector(".fold"), fits: true, family };
    });
    return family;
  });
  const cases = families.flatMap((family) => family.cases);

  const show = () => {
    for (const family of families) {
      const open = isOpen(family);
      family.body.hidden = !family.cases.some(({ fits }) => fits);
      family.repeat.hidden = !open;
      for (const one of family.cases) {
        one.row.hidden = !open || !one.fits;
        one.detail.hidden = one.row.hidden || !isOpen(one);
      }
    }
  };

  const columnsShown = () => {
    const pair = compare?.value ?? "";
    const only = /^\\d+-\\d+$/.test(pair) ? pair.split("-") : undefined;
    for (const cell of all("[data-column]")) {
      cell.hidden = only !== undefined && !only.includes(cell.dataset.column);
    }
  };

  const isFiltered = () =>
    query.value.trim() !== "" || (compare?.value ?? "") !== "" || endings.some(isPressed);

  const filter = () => {
    const words = query.value.toLowerCase().split(/\\s+/).filter((word) => word !== "");
    const wanted = endings.filter(isPressed).map((button) => button.dataset.ending);
    const pair = compare?.value ?? "";
    let shown = 0;
    for (const one of cases) {
      const ends = one.row.dataset.endings.split(" ");
      const pairs = one.row.dataset.pairs.split(" ");
      one.fits = (wanted.length === 0 || wanted.some((ending) => ends.includes(ending))) &&
        (pair === "" || (pair === "any" ? pairs[0] !== "" : pairs.includes(pair))) &&
        words.every((word) => one.text.includes(word));
      if (one.fits) shown++;
    }
    for (const family of families) mark(family, isFiltered() || isPressed(unfold));
    columnsShown();
    show();
    document.querySelector(".nothing").hidden = shown > 0;
    status.textContent = shown === cases.length
      ? cases.length + (cases.length === 1 ? " case" : " cases")
      : shown + " of " + cases.length + " cases";
  };

  const reset = () => {
    query.value = "";
    if (compare !== null) compare.value = "";
    endings.forEach((button) => press(button, false));
    filter();
  };

  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const one = cases.find(({ row }) => row.id === id);
    if (one === undefined) return;
    if (!one.fits) reset();
    mark(one.family, true);
    mark(one, true);
    show();
    one.row.scrollIntoView();
    one.fold.focus({ preventScroll: true });
  };

  const toggle = (one) => {
    mark(one, !isOpen(one));
    show();
  };
  for (const [one, row] of [
    ...families.map((family) => [family, family.head]),
    ...cases.map((one) => [one, one.row]),
  ]) {
    mark(one, false);
    row.addEventListener("click", (event) => {
      if (String(getSelection()) === "" && event.target.closest("a") === null) toggle(one);
    });
  }
  for (const button of endings) {
    button.addEventListener("click", () => {
      press(button, !isPressed(button));
      filter();
    });
  }
  for (const button of all(".compare")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      reset();
      compare.value = button.dataset.pair;
      filter();
      document.getElementById("matrix").scrollIntoView();
      compare.focus({ preventScroll: true });
    });
  }
  query.addEventListener("input", filter);
  compare?.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reset").addEventListener("click", () => {
    reset();
    query.focus();
  });
  unfold.addEventListener("click", () => {
    const open = !isPressed(unfold);
    press(unfold, open);
    [...families, ...cases].forEach((one) => mark(one, open));
    show();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && event.target !== query) {
      event.preventDefault();
      query.focus();
    } else if (event.key === "Escape" && event.target === query) {
      reset();
    }
    const folds = all(".matrix .fold").filter((fold) => fold.offsetParent !== null);
    const at = folds.indexOf(event.target);
    if (at < 0) return;
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: folds.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    folds[to]?.focus();
  });

  for (const button of all(".copy")) {
    const code = button.previousElementSibling;
    button.hidden = false;
    button.addEventListener("click", async () => {
      let text = "Copied";
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        const range = document.createRange();
        range.selectNodeContents(code);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        text = "Selected";
      }
      button.textContent = text;
      setTimeout(() => button.textContent = "Copy", 2000);
    });
  }

  addEventListener("hashchange", reveal);
  form.hidden = false;
  filter();
  reveal();
}
`;
