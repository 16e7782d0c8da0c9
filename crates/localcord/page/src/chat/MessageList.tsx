import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { useEnd } from "../parts/useEnd";
import { bot, channel, channelId, hasOlder, names, person, sending, shown, showOlder, thread } from "../store";
import { longDate, sameDay } from "../text/time";
import type { Message } from "../types";
import { MessageItem } from "./MessageItem";

const TOGETHER_MS = 7 * 60 * 1000;

const THREAD_NOTICES = [18, 21];

// Discord draws what one says in a row under one name.
function continues(message: Message, before: Message | undefined): boolean {
  return (
    before !== undefined &&
    before.author.id === message.author.id &&
    (before.flags & 64) === (message.flags & 64) &&
    !THREAD_NOTICES.includes(before.type) &&
    !message.interaction &&
    !message.message_reference &&
    Date.parse(message.timestamp) - Date.parse(before.timestamp) < TOGETHER_MS
  );
}

export function MessageList() {
  const all = shown.value;
  const { box, content, onScroll } = useEnd(`${person.value}/${channelId.value}`);

  return (
    <div
      ref={box}
      class="messages"
      role="log"
      aria-label={channel.value ? `Messages in ${channel.value.name}` : "Direct messages"}
      aria-live="polite"
      tabIndex={0}
      onScroll={onScroll}
    >
      <div ref={content}>
        {hasOlder.value ? (
          <button type="button" class="button secondary older" onClick={showOlder}>
            Show older messages
          </button>
        ) : (
          <Beginning />
        )}
        <ol>
          {all.map((message, index) => {
            const before = all[index - 1];
            const newDay = !before || !sameDay(before.timestamp, message.timestamp);
            return (
              <li key={message.id} id={`message-${message.id}`}>
                {newDay && <div class="day">{longDate(message.timestamp)}</div>}
                <MessageItem message={message} compact={!newDay && continues(message, before)} />
              </li>
            );
          })}
        </ol>
        {sending.value.map((line) => (
          <div key={line} class="sending">
            Sending {line}…
          </div>
        ))}
      </div>
    </div>
  );
}

function Beginning() {
  if (!channel.value) {
    return (
      <div class="beginning">
        <Avatar id={bot.value.id} name={bot.value.name} />
        <h2>{bot.value.name}</h2>
        <p>This is the beginning of your direct messages with {bot.value.name}.</p>
      </div>
    );
  }
  if (thread.value) {
    return (
      <div class="beginning">
        <span class="avatar" aria-hidden="true">
          <Icon name="thread" size={36} />
        </span>
        <h2>{thread.value.name}</h2>
        <p>
          A {thread.value.private ? "private " : ""}thread of #{names.channel(thread.value.parent)}
          {thread.value.archived && ", archived"}
          {thread.value.locked && ", locked"}.
        </p>
      </div>
    );
  }
  return (
    <div class="beginning">
      <span class="avatar" aria-hidden="true">
        #
      </span>
      <h2>Welcome to #{channel.value.name}!</h2>
      <p>
        This is the start of the #{channel.value.name} channel. Type / to see what {bot.value.name} can do.
      </p>
    </div>
  );
}
