// JSON in colours. It scrolls, so a keyboard must reach it.

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function coloured(text: string) {
  const parts = [];
  let end = 0;
  for (const token of text.matchAll(TOKENS)) {
    if (token.index > end) parts.push(text.slice(end, token.index));
    const kind = token[2] ? "key" : token[1] ? "string" : "literal";
    parts.push(
      <span key={token.index} class={`json-${kind}`}>
        {token[0]}
      </span>,
    );
    end = token.index + token[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

export function Json({ value, label }: { value: unknown; label: string }) {
  const text = JSON.stringify(value, null, 2) ?? "";
  return (
    <section class="json">
      <header>
        <h4>{label}</h4>
        <button type="button" class="link" onClick={() => navigator.clipboard.writeText(text)}>
          Copy
        </button>
      </header>
      <pre tabIndex={0}>
        <code>{coloured(text)}</code>
      </pre>
    </section>
  );
}
