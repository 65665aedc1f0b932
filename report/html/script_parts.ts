/**
 * What the scripts of all pages with a table of cases share. Between the two parts a script says what
 * `cases` are, and what `filter`, `reset`, `reveal` and `folds` do.
 *
 * @module
 */

/** The elements of the form above the table, and small helpers. */
export const SCRIPT_BEGIN = `"use strict";
{
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = document.querySelector(".filter");
  const query = document.getElementById("query");
  const unfold = document.getElementById("unfold");
  const status = form.querySelector("output");
  const endings = all("[data-ending]", form);
  const isOpen = ({ fold }) => fold.getAttribute("aria-expanded") === "true";
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
  const press = (button, pressed) => button.setAttribute("aria-pressed", String(pressed));

  const caseOf = (row) => {
    const detail = row.nextElementSibling;
    const text = (row.id + " " + row.textContent + " " + detail.textContent).toLowerCase();
    return { row, detail, text, fold: row.querySelector(".fold") };
  };

  /** Whether a case has what the form asks for. */
  const fitsForm = () => {
    const words = query.value.toLowerCase().split(/\\s+/).filter((word) => word !== "");
    const wanted = endings.filter(isPressed).map((button) => button.dataset.ending);
    return ({ row, text }) => {
      const ends = row.dataset.endings.split(" ");
      return (wanted.length === 0 || wanted.some((ending) => ends.includes(ending))) &&
        words.every((word) => text.includes(word));
    };
  };

  const resetForm = () => {
    query.value = "";
    endings.forEach((button) => press(button, false));
  };

  const showCount = (shown, total) => {
    document.querySelector(".nothing").hidden = shown > 0;
    status.textContent = shown === total
      ? total + (total === 1 ? " case" : " cases")
      : shown + " of " + total + " cases";
  };
`;

/** What the form, the keyboard, and the buttons beside commands do; then the page is shown. */
export const SCRIPT_END = `
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

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && event.target !== query) {
      event.preventDefault();
      query.focus();
    } else if (event.key === "Escape" && event.target === query) {
      reset();
    }
    const shown = folds();
    const at = shown.indexOf(event.target);
    if (at < 0) return;
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: shown.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    shown[to]?.focus();
  });

  const select = (code) => {
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
        select(code);
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
