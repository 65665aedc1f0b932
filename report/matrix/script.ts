/**
 * What the page of a matrix does: folds, filters, and compares two columns. Without it everything is
 * shown.
 *
 * @module
 */
import { SCRIPT_BEGIN, SCRIPT_END } from "../html/script_parts.ts";

/** JavaScript for browsers. */
export const MATRIX_SCRIPT = `${SCRIPT_BEGIN}
  const compare = document.getElementById("compare");
  const mark = (one, open) => one.fold.setAttribute("aria-expanded", String(open));

  const families = all(".matrix tbody").map((body) => {
    const head = body.querySelector(".family");
    const family = { body, head, fold: head.querySelector(".fold") };
    family.repeat = body.querySelector(".repeat");
    family.cases = all("tr.case", body).map((row) => ({ ...caseOf(row), fits: true, family }));
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
    const fits = fitsForm();
    const pair = compare?.value ?? "";
    for (const one of cases) {
      const pairs = one.row.dataset.pairs.split(" ");
      one.fits = fits(one) &&
        (pair === "" || (pair === "any" ? pairs[0] !== "" : pairs.includes(pair)));
    }
    for (const family of families) mark(family, isFiltered() || isPressed(unfold));
    columnsShown();
    show();
    showCount(cases.filter(({ fits }) => fits).length, cases.length);
  };

  const reset = () => {
    if (compare !== null) compare.value = "";
    resetForm();
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
  compare?.addEventListener("change", filter);
  unfold.addEventListener("click", () => {
    const open = !isPressed(unfold);
    press(unfold, open);
    [...families, ...cases].forEach((one) => mark(one, open));
    show();
  });
  const folds = () => all(".matrix .fold").filter((fold) => fold.offsetParent !== null);
${SCRIPT_END}`;
