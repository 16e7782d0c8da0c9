import { css } from "../store";
import { now } from "../text/clock";
import { Line, Markdown } from "../text/Markdown";
import { dated } from "../text/time";
import type { Embed, Message } from "../types";
import { own } from "./files";

export function EmbedItem({ embed, message }: { embed: Embed; message: Message }) {
  return (
    <div class="embed" style={{ borderLeftColor: css(embed.color) }}>
      <div class="embed-body">
        {embed.author?.name && <div class="embed-author">{embed.author.name}</div>}
        {embed.title && (
          <div class="embed-title">
            {embed.url ? (
              <a href={embed.url} target="_blank" rel="noreferrer noopener">
                {embed.title}
              </a>
            ) : (
              <Line text={embed.title} />
            )}
          </div>
        )}
        {embed.description && (
          <div class="embed-text">
            <Markdown text={embed.description} />
          </div>
        )}
        <Fields embed={embed} />
        <Picture url={embed.image?.url} message={message} title={embed.title} />
        {(embed.footer?.text || embed.timestamp) && (
          <div class="embed-footer">
            {[embed.footer?.text, embed.timestamp && dated(embed.timestamp, now())].filter(Boolean).join(" • ")}
          </div>
        )}
      </div>
      {embed.thumbnail && (
        <div class="embed-thumbnail">
          <Picture url={embed.thumbnail.url} message={message} title={embed.title} />
        </div>
      )}
    </div>
  );
}

// Up to three inline fields share a row.
function Fields({ embed }: { embed: Embed }) {
  const fields = embed.fields ?? [];
  if (fields.length === 0) return null;
  return (
    <div class="fields">
      {fields.map((field, index) => (
        <div key={index} class={field.inline ? "field inline" : "field"}>
          <div class="field-name">
            <Line text={field.name} />
          </div>
          <div class="embed-text">
            <Markdown text={field.value} />
          </div>
        </div>
      ))}
    </div>
  );
}

// The page loads nothing from elsewhere: such a picture is a link.
function Picture({ url, message, title }: { url: string | undefined; message: Message; title: string | undefined }) {
  if (!url) return null;
  const name = url.startsWith("attachment://") ? url.slice("attachment://".length) : undefined;
  const file = message.attachments.find((one) => one.filename === name);
  const path = own(file?.url ?? url);
  if (!path) {
    return (
      <a href={url} target="_blank" rel="noreferrer noopener">
        {url}
      </a>
    );
  }
  return <img class="embed-image" src={path} alt={title ? `Picture of ${title}` : "Picture"} loading="lazy" />;
}
