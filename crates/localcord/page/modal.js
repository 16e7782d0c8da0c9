// The bot asks with a modal; Escape leaves it unanswered.

import { byId, el } from "./dom.js";

export function openModal(modal, submit) {
  const dialog = byId("modal");
  const inputs = (modal.components ?? []).flatMap((row) => row.components ?? []);
  const problem = el("p", { class: "problem", role: "alert" });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", {}, modal.title),
    inputs.map(inputNode),
    problem,
    el(
      "div",
      { class: "row end" },
      el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"),
      el("button", { type: "submit", class: "button primary" }, "Submit"),
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(inputs.map((input) => [input.custom_id, form.elements[input.custom_id].value]));
    try {
      await submit(values);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

function inputNode(input) {
  const required = input.required ?? true;
  const attributes = {
    name: input.custom_id,
    required,
    minlength: input.min_length,
    maxlength: input.max_length ?? 4000,
    placeholder: input.placeholder,
  };
  const paragraph = input.style === 2;
  const field = paragraph ? el("textarea", { ...attributes, rows: "5" }, input.value ?? "") : el("input", { ...attributes, value: input.value });
  return el("label", {}, el("span", {}, input.label, required && el("span", { class: "problem" }, " *")), field);
}
