import { useState } from "preact/hooks";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { channel, colourOf, go, guild, names, startThread, thread, threadOf } from "../store";
import type { Message } from "../types";

const LONGEST_NAME = 100;

// Under a message that a thread was started from.
export function ThreadLink({ message }: { message: Message }) {
  const started = threadOf(message);
  if (!started) return null;
  const count = started.messages === 1 ? "1 message" : `${started.messages} messages`;
  return (
    <button type="button" class="thread-link" onClick={() => go(started.id)}>
      <Icon name="thread" size={16} />
      <b>{started.name}</b>
      <span>
        {count}
        {started.archived && ", archived"} ›
      </span>
    </button>
  );
}

// What Discord tells in a channel when a thread began with no message.
export function ThreadCreated({ message }: { message: Message }) {
  const id = message.message_reference?.channel_id ?? "";
  return (
    <article class="message notice-line" aria-label="A thread was started">
      <Icon name="thread" size={20} />
      <p>
        <b style={{ color: colourOf(message.author.id) }}>{message.author.username}</b> started a thread:{" "}
        <button type="button" class="link" onClick={() => go(id)}>
          {names.channel(id)}
        </button>
      </p>
    </article>
  );
}

export function StartThread({ message }: { message: Message }) {
  const [naming, setNaming] = useState(false);
  if (!guild.value || !channel.value || thread.value || threadOf(message)) return null;
  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-label="Create a thread"
        title="Create a thread"
        onClick={() => setNaming(true)}
      >
        <Icon name="thread" />
      </button>
      {naming && <NameThread message={message} onClose={() => setNaming(false)} />}
    </>
  );
}

function NameThread({ message, onClose }: { message: Message; onClose: () => void }) {
  const [problem, setProblem] = useState("");
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget as HTMLFormElement).get("name");
    try {
      await startThread(message, String(name));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog title="Create a thread" onClose={onClose}>
      <form onSubmit={onSubmit}>
        <div class="modal-fields">
          <div class="modal-field">
            <label for="thread-name">Name</label>
            <input
              id="thread-name"
              name="name"
              type="text"
              required
              maxLength={LONGEST_NAME}
              defaultValue={message.content.split("\n")[0]?.slice(0, 40)}
            />
          </div>
          {problem && (
            <p class="failed" role="alert">
              {problem}
            </p>
          )}
        </div>
        <footer>
          <button type="button" class="button plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            Create
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
