import { memo } from "preact/compat";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { colourOf, dismiss, failed, go, mentionsMe, messages, names } from "../store";
import { now } from "../text/clock";
import { Markdown } from "../text/Markdown";
import { clockTime, dated } from "../text/time";
import type { Message } from "../types";
import { Actions } from "./Actions";
import { AttachmentItem } from "./AttachmentItem";
import { ComponentRow } from "./ComponentRow";
import { EmbedItem } from "./EmbedItem";
import { ThreadCreated, ThreadLink } from "./ThreadParts";

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const THREAD_CREATED = 18;
const THREAD_STARTER = 21;

interface Props {
  message: Message;
  compact: boolean;
}

export const MessageItem = memo(function MessageItem({ message, compact }: Props) {
  const { author } = message;
  const ephemeral = (message.flags & EPHEMERAL) !== 0;
  const why = failed.value.get(message.id);
  const kinds = ["message", compact && "compact", ephemeral && "ephemeral", mentionsMe(message) && "mentioned"];
  if (message.type === THREAD_CREATED) return <ThreadCreated message={message} />;
  return (
    <article class={kinds.filter(Boolean).join(" ")} aria-label={`${author.username}, ${clockTime(message.timestamp)}`}>
      <Origin message={message} />
      {compact ? (
        <time class="aside" dateTime={message.timestamp}>
          {clockTime(message.timestamp)}
        </time>
      ) : (
        <Avatar id={author.id} name={author.username} />
      )}
      <div class="body">
        {!compact && <Byline message={message} />}
        <Content message={message} />
        {message.embeds.map((embed, index) => (
          <EmbedItem key={index} embed={embed} message={message} />
        ))}
        {message.attachments
          .filter((file) => !message.embeds.some((embed) => embed.image?.url === `attachment://${file.filename}`))
          .map((file) => (
            <AttachmentItem key={file.id} file={file} />
          ))}
        {message.components.map((row, index) => (
          <ComponentRow key={index} message={message} row={row} />
        ))}
        <ThreadLink message={message} />
        {why && (
          <p class="failed" role="alert">
            <Icon name="warning" size={16} /> {why}
          </p>
        )}
        {ephemeral && (
          <p class="whisper">
            <Icon name="eye" size={16} /> Only you can see this •{" "}
            <button type="button" class="link" onClick={() => dismiss(message.id)}>
              Dismiss message
            </button>
          </p>
        )}
      </div>
      {!ephemeral && <Actions message={message} />}
    </article>
  );
});

function Byline({ message }: { message: Message }) {
  const { author } = message;
  return (
    <div class="byline">
      <span class="author" style={{ color: colourOf(author.id) }}>
        {author.username}
      </span>
      {author.bot && <span class="tag">APP</span>}
      <time dateTime={message.timestamp} title={new Date(message.timestamp).toLocaleString()}>
        {dated(message.timestamp, now())}
      </time>
    </div>
  );
}

function Content({ message }: { message: Message }) {
  if (message.type === THREAD_STARTER) {
    const parent = message.message_reference?.channel_id ?? "";
    return (
      <p class="hint">
        This thread was started from a message in{" "}
        <button type="button" class="mention" onClick={() => go(parent)}>
          #{names.channel(parent)}
        </button>
        .
      </p>
    );
  }
  if ((message.flags & LOADING) !== 0) {
    return (
      <p class="thinking">
        <span class="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        {message.author.username} is thinking…
      </p>
    );
  }
  const jumbo = /^(?:\p{Extended_Pictographic}|\uFE0F|\s){1,30}$/u.test(message.content);
  return (
    <div class={jumbo ? "content jumbo" : "content"}>
      <Markdown text={message.content} />
      {message.edited_timestamp && (
        <span class="edited" title={new Date(message.edited_timestamp).toLocaleString()}>
          (edited)
        </span>
      )}
    </div>
  );
}

// What the message answers: a command, or another message.
function Origin({ message }: { message: Message }) {
  if (message.interaction) {
    const user = message.interaction.user;
    return (
      <div class="origin">
        <Avatar small id={user?.id ?? ""} name={user?.username ?? "?"} />
        <span class="who" style={{ color: user && colourOf(user.id) }}>
          {user?.username ?? "somebody"}
        </span>{" "}
        used <span class="mention">/{message.interaction.name}</span>
      </div>
    );
  }
  const id = message.message_reference?.message_id;
  if (!id || message.type === THREAD_STARTER) return null;
  const meant = messages.value.find((other) => other.id === id) ?? message.referenced_message;
  if (!meant) return <div class="origin">Original message was deleted</div>;
  const jump = () => document.getElementById(`message-${id}`)?.scrollIntoView({ block: "center" });
  return (
    <div class="origin">
      <Avatar small id={meant.author.id} name={meant.author.username} />
      <span class="who" style={{ color: colourOf(meant.author.id) }}>
        {meant.author.username}
      </span>
      <button type="button" class="excerpt" onClick={jump}>
        {excerpt(meant)}
      </button>
    </div>
  );
}

function excerpt(message: Message) {
  const plain = message.content.replace(/<@!?(\d+)>/g, (_, id) => `@${names.user(id)}`).replace(/[*_`~|]/g, "");
  return plain.split("\n")[0] || message.embeds[0]?.title || "Click to see attachment";
}
