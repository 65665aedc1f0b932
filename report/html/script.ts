/**
 * What the page does: filters, folds, and moves by keyboard. Without it everything is shown.
 *
 * @module
 */

/** JavaScript for browsers. */
export const SCRIPT = `"use strict";
{
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = document.querySelector(".filter");
  const query = document.getElementById("query");
  const unfold = document.getElementById("unfold");
  const status = form.querySelector("output");
  const endings = all("[data-ending]", form);
  const cases = all("tr.case").map((row) => {
    const detail = row.nextElementSibling;
    const text = (row.id + " " + row.textContent + " " + detail.textContent).toLowerCase();
    return { row, detail, text, fold: row.querySelector(".fold") };
  });

  const setOpen = ({ row, detail, fold }, open) => {
    fold.setAttribute("aria-expanded", String(open));
    detail.hidden = !open || row.hidden;
  };
  const isOpen = ({ fold }) => fold.getAttribute("aria-expanded") === "true";
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
  const press = (button, pressed) => button.setAttribute("aria-pressed", String(pressed));

  const filter = () => {
    const words = query.value.toLowerCase().split(/\\s+/).filter((word) => word !== "");
    const wanted = endings.filter(isPressed).map((button) => button.dataset.ending);
    let shown = 0;
    for (const one of cases) {
      const ends = one.row.dataset.endings.split(" ");
      const fits = (wanted.length === 0 || wanted.some((ending) => ends.includes(ending))) &&
        words.every((word) => one.text.includes(word));
      one.row.hidden = !fits;
      setOpen(one, isOpen(one));
      if (fits) shown++;
    }
    for (const body of all("tbody")) {
      body.hidden = all("tr.case", body).every((row) => row.hidden);
    }
    document.querySelector(".nothing").hidden = shown > 0;
    status.textContent = shown === cases.length
      ? cases.length + (cases.length === 1 ? " case" : " cases")
      : shown + " of " + cases.length + " cases";
  };

  const reset = () => {
    query.value = "";
    endings.forEach((button) => press(button, false));
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
  for (const button of endings) {
    button.addEventListener("click", () => {
      press(button, !isPressed(button));
      filter();
    });
  }
  query.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reset").addEventListener("click", () => {
    reset();
    query.focus();
  });
  unfold.addEventListener("click", () => {
    const open = !isPressed(unfold);
    press(unfold, open);
    cases.forEach((one) => setOpen(one, open));
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && event.target !== query) {
      event.preventDefault();
      query.focus();
    } else if (event.key === "Escape" && event.target === query) {
      reset();
    }
    const folds = cases.filter(({ row }) => !row.hidden).map(({ fold }) => fold);
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

  const mark = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  for (const button of all(".copy")) {
    const code = button.previousElementSibling;
    button.hidden = false;
    button.addEventListener("click", async () => {
      let text = "Copied";
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        mark(code);
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
