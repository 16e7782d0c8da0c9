import { useState } from "preact/hooks";
import type { Command } from "../commands";
import { channel, channelId, mayWrite, person } from "../store";
import { CommandLine } from "./CommandLine";
import { begin, type CommandDraft } from "./draft";
import { PlainLine } from "./PlainLine";

export function Composer() {
  // Another channel or another person begins with an empty line.
  return <Draft key={`${person.value}/${channelId.value}`} />;
}

function Draft() {
  const [draft, setDraft] = useState<CommandDraft | null>(null);
  const [text, setText] = useState("");
  const start = (command: Command) => {
    setText("");
    setDraft(begin(command));
  };
  const leave = (rest: string) => {
    setDraft(null);
    setText(rest);
  };
  if (!mayWrite.value && channel.value) {
    return (
      <div class="composer">
        <p class="entry muted">You do not have permission to send messages in #{channel.value.name}.</p>
      </div>
    );
  }
  return (
    <div class="composer">
      {draft ? (
        <CommandLine draft={draft} onChange={setDraft} onLeave={leave} />
      ) : (
        <PlainLine text={text} onText={setText} onCommand={start} />
      )}
    </div>
  );
}
