import { useState } from "preact/hooks";
import { css, go, names } from "../store";
import { seconds } from "./clock";
import { type Block, type Inline, parse, parseInline, type TimeStyle } from "./markdown";
import { stamp } from "./time";

export function Markdown({ text }: { text: string }) {
  return <>{parse(text).map((block, index) => blockNode(block, index))}</>;
}

// For a line that holds no blocks, such as a title.
export function Line({ text }: { text: string }) {
  return <>{parseInline(text).map(inlineNode)}</>;
}

function blockNode(block: Block, key: number) {
  switch (block.kind) {
    case "text":
      return (
        <div key={key} class="text">
          {block.children.map(inlineNode)}
        </div>
      );
    case "heading": {
      // The page has its own headings: a message's are big text to a screen reader, not part of its outline.
      return (
        <div key={key} class={`heading-${block.level}`}>
          {block.children.map(inlineNode)}
        </div>
      );
    }
    case "subtext":
      return (
        <small key={key} class="subtext">
          {block.children.map(inlineNode)}
        </small>
      );
    case "quote":
      return <blockquote key={key}>{block.children.map(blockNode)}</blockquote>;
    case "code":
      return <Code key={key} text={block.text} language={block.language} />;
    case "list": {
      const items = block.items.map((item, index) => <li key={index}>{item.map(blockNode)}</li>);
      return block.start === null ? (
        <ul key={key}>{items}</ul>
      ) : (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      );
    }
  }
}

// It scrolls, so a keyboard must reach it.
function Code({ text, language }: { text: string; language: string }) {
  return (
    <pre tabIndex={0}>
      <code>{language === "diff" ? diff(text) : text}</code>
    </pre>
  );
}

function diff(text: string) {
  const kind = (line: string) => (line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : undefined);
  return text.split("\n").map((line, index) => (
    <span key={index} class={kind(line)}>
      {line}
      {"\n"}
    </span>
  ));
}

function inlineNode(node: Inline, key: number) {
  switch (node.kind) {
    case "text":
      return node.text;
    case "code":
      return <code key={key}>{node.text}</code>;
    case "strong":
      return <strong key={key}>{node.children.map(inlineNode)}</strong>;
    case "em":
      return <em key={key}>{node.children.map(inlineNode)}</em>;
    case "u":
      return <u key={key}>{node.children.map(inlineNode)}</u>;
    case "s":
      return <s key={key}>{node.children.map(inlineNode)}</s>;
    case "spoiler":
      return <Spoiler key={key} inside={node.children} />;
    case "link":
      return (
        <a key={key} href={node.url} target="_blank" rel="noreferrer noopener">
          {node.children.map(inlineNode)}
        </a>
      );
    case "time":
      return <Time key={key} at={node.at} style={node.style} />;
    case "user":
      return (
        <span key={key} class="mention">
          @{names.user(node.id)}
        </span>
      );
    case "role": {
      const role = names.role(node.id);
      return (
        <span key={key} class="mention" style={{ color: css(role.color) }}>
          @{role.name.replace(/^@/, "")}
        </span>
      );
    }
    case "channel":
      return (
        <button key={key} type="button" class="mention" onClick={() => go(node.id)}>
          #{names.channel(node.id)}
        </button>
      );
    case "mention":
      return (
        <span key={key} class="mention">
          {node.text}
        </span>
      );
    case "emoji":
      return `:${node.name}:`;
  }
}

function Spoiler({ inside }: { inside: Inline[] }) {
  const [open, setOpen] = useState(false);
  if (open) return <span class="spoiler open">{inside.map(inlineNode)}</span>;
  return (
    <button type="button" class="spoiler" aria-label="Show the spoiler" onClick={() => setOpen(true)}>
      <span aria-hidden="true">{inside.map(inlineNode)}</span>
    </button>
  );
}

function Time({ at, style }: { at: number; style: TimeStyle }) {
  const date = new Date(at * 1000);
  if (Number.isNaN(date.getTime())) return <>{`<t:${at}>`}</>;
  return (
    <time class="stamp" dateTime={date.toISOString()} title={date.toLocaleString()}>
      {stamp(at, style, style === "R" ? seconds.value : 0)}
    </time>
  );
}
