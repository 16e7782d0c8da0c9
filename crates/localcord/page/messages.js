// Messages: text, embeds, files, buttons and selects.

import { el, link } from "./dom.js";
import { markdown } from "./markdown.js";

const EPHEMERAL = 64;
const LOADING = 128;
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary" };

// `page` gives names, the guild's people, roles and channels, and what to do with a press or a choice.
export function messageNode(message, page) {
  const ephemeral = (message.flags & EPHEMERAL) !== 0;
  const author = message.author;
  return el(
    "li",
    { class: ephemeral ? "message ephemeral" : "message", "data-id": message.id },
    origin(message, page),
    el("div", { class: "avatar", "aria-hidden": "true" }, author.username.slice(0, 1).toUpperCase()),
    el(
      "div",
      { class: "body" },
      el(
        "div",
        { class: "who" },
        el("b", { "data-colour": page.colour(author.id) }, author.username),
        author.bot && el("span", { class: "tag" }, "APP"),
        el("time", { title: message.timestamp }, new Date(message.timestamp).toLocaleTimeString()),
      ),
      (message.flags & LOADING) !== 0
        ? el("div", { class: "thinking" }, `${author.username} is thinking…`)
        : el("div", { class: "content" }, markdown(message.content, page.names), edited(message)),
      message.embeds.map((embed) => embedNode(embed, page)),
      message.attachments.map(attachmentNode),
      message.components.map((row) => rowNode(message, row, page)),
      ephemeral && whisper(message, page),
    ),
  );
}

function origin(message, page) {
  if (message.interaction) {
    const { user, name } = message.interaction;
    return el("div", { class: "origin" }, `${user?.username ?? "somebody"} used `, el("span", { class: "mention" }, `/${name}`));
  }
  if (message.message_reference) {
    const text = page.textOf(message.message_reference.message_id);
    return el("div", { class: "origin" }, `↪ ${text.slice(0, 80)}`);
  }
  return null;
}

function edited(message) {
  return message.edited_timestamp && el("span", { class: "edited", title: message.edited_timestamp }, " (edited)");
}

function whisper(message, page) {
  const dismiss = el("button", { class: "plain", type: "button", onclick: () => page.dismiss(message.id) }, "Dismiss message");
  return el("div", { class: "whisper" }, "Only you can see this · ", dismiss);
}

function embedNode(embed, page) {
  const md = (text) => markdown(text, page.names);
  const node = el(
    "div",
    { class: "embed" },
    embed.author?.name && el("div", { class: "small" }, embed.author.name),
    embed.title && el("div", { class: "embed-title" }, embed.url ? link(embed.url, embed.title) : md(embed.title)),
    embed.description && el("div", {}, md(embed.description)),
    embed.fields?.length > 0 && el("div", { class: "fields" }, embed.fields.map((field) => fieldNode(field, md))),
    (embed.footer?.text || embed.timestamp) && el("div", { class: "small" }, footer(embed)),
  );
  node.style.borderLeftColor = colour(embed.color);
  return node;
}

function fieldNode(field, md) {
  return el("div", { class: field.inline ? "field inline" : "field" }, el("b", {}, md(field.name)), el("div", {}, md(field.value)));
}

function footer(embed) {
  const at = embed.timestamp && new Date(embed.timestamp).toLocaleString();
  return [embed.footer?.text, at].filter(Boolean).join(" · ");
}

export function colour(number) {
  return number ? `#${number.toString(16).padStart(6, "0")}` : "";
}

function attachmentNode(attachment) {
  const size = attachment.size < 1024 ? `${attachment.size} bytes` : `${(attachment.size / 1024).toFixed(1)} KB`;
  return el("div", { class: "attachment" }, link(attachment.url, attachment.filename), el("span", { class: "small" }, ` ${size}`));
}

function rowNode(message, row, page) {
  const children = (row.components ?? []).map((component) =>
    component.type === 2 ? buttonNode(message, component, page) : selectNode(message, component, page),
  );
  return el("div", { class: "row" }, children);
}

function buttonNode(message, button, page) {
  const label = [button.emoji?.name, button.label].filter(Boolean).join(" ");
  if (button.style === 5) return el("span", { class: "button secondary" }, link(button.url, `${label} ↗`));
  const node = el("button", { type: "button", class: `button ${STYLES[button.style] ?? "secondary"}`, disabled: button.disabled }, label);
  node.addEventListener("click", () => busy(node, () => page.press(message, button.custom_id)));
  return node;
}

async function busy(node, work) {
  node.disabled = true;
  await work();
  node.disabled = false;
}

function selectNode(message, select, page) {
  const several = (select.max_values ?? 1) > 1;
  const options = page.selectable(select);
  const shown = options.map((option) =>
    el("option", { value: option.value, selected: option.default, title: option.description }, option.label),
  );
  const placeholder = select.placeholder || "Make a selection";
  if (!several) shown.unshift(el("option", { value: "", selected: !options.some((option) => option.default), hidden: true }, placeholder));
  const node = el("select", { "aria-label": placeholder, multiple: several, disabled: select.disabled, size: several ? "4" : undefined }, shown);
  const choose = () => {
    const values = [...node.selectedOptions].map((option) => option.value).filter(Boolean);
    return busy(node, () => page.choose(message, select.custom_id, values));
  };
  if (!several) {
    node.addEventListener("change", choose);
    return node;
  }
  return el("div", { class: "row" }, node, el("button", { type: "button", class: "button secondary", onclick: choose }, "Choose"));
}
