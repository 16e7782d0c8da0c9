import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { Icon } from "../parts/Icon";
import { DeadlineBar } from "./Deadline";
import { Json } from "./Json";
import { about, type Call, DEADLINE_MS, deadline, type Entry, isProblem, type Payload, title } from "./journal";

const ARROWS = { call: "→", sent: "↓", received: "↑", connected: "●", disconnected: "○" };

function badge(entry: Entry): string {
  if (entry.kind === "call") return entry.method;
  if (entry.kind === "sent") return entry.payload.t ? "EVENT" : "OP";
  return entry.kind === "received" ? "OP" : "LINE";
}

export const EntryItem = memo(function EntryItem({ entry }: { entry: Entry }) {
  const [open, setOpen] = useState(false);
  const left = deadline(entry);
  return (
    <li class={isProblem(entry) ? "entry-item problem" : "entry-item"}>
      <button type="button" class="entry-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <time dateTime={new Date(entry.at).toISOString()}>{clock(entry.at)}</time>
        <span class={`badge ${badge(entry).toLowerCase()}`}>
          <span aria-hidden="true">{ARROWS[entry.kind]} </span>
          {badge(entry)}
        </span>
        <span class="entry-title">
          {title(entry)} <small>{about(entry)}</small>
        </span>
        {left && entry.kind === "sent" && <DeadlineBar deadline={left} />}
        {entry.kind === "call" && <Outcome call={entry} />}
        <Verdict entry={entry} />
      </button>
      {open && <Details entry={entry} />}
    </li>
  );
});

const clock = (at: number) => {
  const date = new Date(at);
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
};

function Outcome({ call }: { call: Call }) {
  const kind = call.cut || call.status >= 500 ? "bad" : call.status >= 400 ? "poor" : "good";
  return (
    <>
      <span class="took">{call.took_ms < 10 ? call.took_ms.toFixed(1) : Math.round(call.took_ms)} ms</span>
      <span class={`code ${kind}`}>{call.cut ? "cut" : call.status}</span>
    </>
  );
}

// Nothing, if nobody judged it.
function Verdict({ entry }: { entry: Entry }) {
  const found = entry.kind === "call" || entry.kind === "sent" ? entry.violations : undefined;
  if (!found) return <span class="verdict" />;
  return found.length === 0 ? (
    <span class="verdict good" title="As Discord's OpenAPI file has it">
      <Icon name="check" size={16} />
      <span class="unseen">valid</span>
    </span>
  ) : (
    <span class="verdict bad" title={found.join("\n")}>
      <Icon name="warning" size={16} />
      <span class="unseen">
        {found.length} {found.length === 1 ? "violation" : "violations"}
      </span>
    </span>
  );
}

function Details({ entry }: { entry: Entry }) {
  return (
    <div class="details">
      <Facts entry={entry} />
      {entry.kind === "call" && (
        <>
          {entry.request !== null && <Json label="Request" value={entry.request} />}
          {entry.response !== null && <Json label="Response" value={entry.response} />}
        </>
      )}
      {(entry.kind === "sent" || entry.kind === "received") && <Json label="Payload" value={ordered(entry.payload)} />}
    </div>
  );
}

// As Discord writes it: what it is comes before what it holds.
const ordered = ({ op, t, s, d }: Payload) => ({ op, t, s, d });

function Facts({ entry }: { entry: Entry }) {
  const left = deadline(entry);
  const judged = entry.kind === "call" || entry.kind === "sent";
  const limit = entry.kind === "call" ? entry.limit : null;
  return (
    <dl class="facts">
      {entry.kind === "call" && (
        <>
          <dt>Path</dt>
          <dd>{entry.path}</dd>
        </>
      )}
      {judged && (
        <>
          <dt>Schema</dt>
          <dd>
            <Judgement violations={entry.violations} what={entry.kind} />
          </dd>
        </>
      )}
      {left && (
        <>
          <dt>Deadline</dt>
          <dd>
            {left.state === "missed" ? "Missed: " : ""}
            {Math.round(left.ms)} ms of {DEADLINE_MS} ms{left.state === "waiting" ? ", still waiting" : ""}
          </dd>
        </>
      )}
      {limit && (
        <>
          <dt>Limit</dt>
          <dd>
            {limit.remaining} of {limit.limit} left in bucket <code>{limit.bucket.slice(0, 8)}</code>
            {limit.refused && `; refused (${limit.refused})`}
          </dd>
        </>
      )}
      {entry.kind === "call" && entry.fault && (
        <>
          <dt>Fault</dt>
          <dd>{entry.fault}</dd>
        </>
      )}
    </dl>
  );
}

function Judgement({ violations, what }: { violations: string[] | null | undefined; what: string }) {
  if (violations === null || violations === undefined) {
    return <>{what === "call" ? "Not checked" : "Not checked: the OpenAPI file describes no such event"}</>;
  }
  if (violations.length === 0) return <span class="good-text">Valid by Discord's OpenAPI file</span>;
  return (
    <ul>
      {violations.map((violation) => (
        <li key={violation} class="bad-text">
          {violation}
        </li>
      ))}
    </ul>
  );
}
