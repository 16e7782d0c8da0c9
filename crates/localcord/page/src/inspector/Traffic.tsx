import { useState } from "preact/hooks";
import { useEnd } from "../parts/useEnd";
import { world } from "../store";
import { seconds } from "../text/clock";
import { EntryItem } from "./EntryItem";
import { about, clear, type Entry, entries, isHeartbeat, isProblem, paused, setPaused, title } from "./journal";

type Filter = "all" | "rest" | "gateway" | "problems";

const FILTERS: [Filter, string][] = [
  ["all", "All"],
  ["rest", "REST"],
  ["gateway", "Gateway"],
  ["problems", "Problems"],
];

function passes(entry: Entry, filter: Filter): boolean {
  if (filter === "rest") return entry.kind === "call";
  if (filter === "gateway") return entry.kind !== "call";
  if (filter === "problems") return isProblem(entry);
  return !isHeartbeat(entry);
}

const mentions = (entry: Entry, typed: string) =>
  `${entry.kind === "call" ? entry.method : ""} ${title(entry)} ${about(entry)}`
    .toLowerCase()
    .includes(typed.toLowerCase());

export function Traffic() {
  const [filter, setFilter] = useState<Filter>("all");
  const [typed, setTyped] = useState("");
  const { box, content, onScroll } = useEnd(filter);
  // Read for the problems only: a deadline passes by itself.
  if (filter === "problems") void seconds.value;
  const found = entries.value.filter((entry) => passes(entry, filter) && mentions(entry, typed));

  return (
    <div class="traffic">
      <div class="tools" role="toolbar" aria-label="What is listed">
        {FILTERS.map(([name, label]) => (
          <button key={name} type="button" class="chip" aria-pressed={filter === name} onClick={() => setFilter(name)}>
            {label}
          </button>
        ))}
        <span class="space" />
        <button type="button" class="chip" aria-pressed={paused.value} onClick={() => setPaused(!paused.value)}>
          Pause
        </button>
        <button type="button" class="chip" onClick={clear}>
          Clear
        </button>
        <input
          type="search"
          placeholder="Filter by path, event or command"
          aria-label="Filter by path, event or command"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      {!world.value?.checked && (
        <p class="hint">
          No schema verdicts: start localcord with <code>--validate</code>, and <code>DISCORD_OPENAPI</code> naming
          Discord's OpenAPI file.
        </p>
      )}
      <div ref={box} class="entries" role="log" aria-label="Traffic" aria-live="off" tabIndex={0} onScroll={onScroll}>
        <div ref={content}>
          {found.length === 0 && <p class="nothing">Nothing yet.</p>}
          <ol>
            {found.map((entry) => (
              <EntryItem key={entry.number} entry={entry} />
            ))}
          </ol>
        </div>
      </div>
    </div>
  );
}
