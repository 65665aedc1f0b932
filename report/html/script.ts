/**
 * What the page does: filters, folds, and moves by keyboard. Without it everything is shown.
 *
 * @module
 */
import { SCRIPT_BEGIN, SCRIPT_END } from "./script_parts.ts";

/** JavaScript for browsers. */
export const SCRIPT = `${SCRIPT_BEGIN}
  const cases = all("tr.case").map(caseOf);

  const setOpen = ({ row, detail, fold }, open) => {
    fold.setAttribute("aria-expanded", String(open));
    detail.hidden = !open || row.hidden;
  };

  const filter = () => {
    const fits = fitsForm();
    for (const one of cases) {
      one.row.hidden = !fits(one);
      setOpen(one, isOpen(one));
    }
    for (const body of all("tbody")) {
      body.hidden = all("tr.case", body).every((row) => row.hidden);
    }
    showCount(cases.filter(({ row }) => !row.hidden).length, cases.length);
  };

  const reset = () => {
    resetForm();
    filter();
  };

  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const one = cases.find(({ row }) => row.id === id);
    if (one === undefined) return;
    if (one.row.hidden) reset();
    setOpen(one, true);
    one.row.scrollIntoView();
    one.fold.focus({ preventScroll: true });
  };

  for (const one of cases) {
    setOpen(one, one.row.dataset.open === "yes");
    one.row.addEventListener("click", () => {
      if (String(getSelection()) === "") setOpen(one, !isOpen(one));
    });
  }
  unfold.addEventListener("click", () => {
    const open = !isPressed(unfold);
    press(unfold, open);
    cases.forEach((one) => setOpen(one, open));
  });
  const folds = () => cases.filter(({ row }) => !row.hidden).map(({ fold }) => fold);
${SCRIPT_END}`;
