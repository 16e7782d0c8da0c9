// What goes wrong on request.

import { useEffect, useState } from "preact/hooks";
import * as api from "../api";
import { notify, world } from "../store";
import { now, seconds } from "../text/clock";

const CODES = [4000, 4001, 4002, 4003, 4004, 4007, 4008, 4009, 4010, 4011, 4012, 4013, 4014, 1000, 1001];
const EVENTS = [
  "INTERACTION_CREATE",
  "MESSAGE_CREATE",
  "MESSAGE_UPDATE",
  "MESSAGE_DELETE",
  "GUILD_MEMBER_UPDATE",
  "THREAD_CREATE",
];
const METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"];
const STATUSES = [500, 502, 503, 504, 400, 401, 403, 404];

const EFFECTS = {
  refuse: "Refuse connections",
  status: "Answer an error",
  rate_limit: "Rate limit (429)",
  slow: "Answer late",
  lose_answer: "Do it, lose the answer",
  hang: "Hang until released",
} as const;

type Effect = keyof typeof EFFECTS;

async function attempt(act: () => Promise<unknown>) {
  try {
    await act();
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error));
  }
}

function useTrouble(): api.Trouble | undefined {
  const [trouble, setTrouble] = useState<api.Trouble>();
  // The world is read anew whenever something changed; a fault may also end by itself.
  const turn = trouble?.faults.some((fault) => fault.until !== null) ? seconds.value : 0;
  useEffect(() => {
    let over = false;
    api.trouble().then(
      (found) => !over && setTrouble(found),
      () => {},
    );
    return () => {
      over = true;
    };
  }, [world.value, turn]);
  return trouble;
}

export function Faults() {
  const trouble = useTrouble();
  return (
    <div class="faults">
      <Active trouble={trouble} />
      <RestFault />
      <GatewayFaults trouble={trouble} />
      <Clock />
    </div>
  );
}

function Active({ trouble }: { trouble: api.Trouble | undefined }) {
  const faults = trouble?.faults ?? [];
  return (
    <section aria-labelledby="active-faults">
      <h3 id="active-faults">Active</h3>
      {faults.length === 0 && <p class="nothing">All REST calls are served as they should be.</p>}
      <ul class="active-faults">
        {faults.map((fault) => (
          <li key={fault.number}>
            <span>
              <b>{fault.effect}</b>
              <small>
                {fault.method ?? "any method"} {fault.path ?? "any path"}
                {fault.times !== null && ` · ${fault.times} more calls`}
                {fault.until !== null && ` · ${Math.max(0, Math.round((fault.until - now()) / 1000))} s left`}
              </small>
            </span>
            <button type="button" class="button secondary" onClick={() => attempt(() => api.release(fault.number))}>
              Release
            </button>
          </li>
        ))}
      </ul>
      {faults.length > 1 && (
        <button type="button" class="button danger" onClick={() => attempt(api.releaseAll)}>
          Release all
        </button>
      )}
    </section>
  );
}

// What the form says, as the script interface takes it.
function wanted(form: FormData): Record<string, unknown> {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const number = (name: string) => (text(name) === "" ? undefined : Number(text(name)));
  const common = {
    fault: text("fault"),
    times: number("times"),
    lasting: number("lasting"),
    method: text("method") || undefined,
    path: text("path") || undefined,
  };
  const more: Partial<Record<Effect, Record<string, unknown>>> = {
    status: { status: number("status"), code: number("code") },
    rate_limit: { retry_after: number("retry_after"), global: text("scope") === "global" },
    slow: { seconds: number("seconds") },
  };
  return { ...common, ...more[text("fault") as Effect] };
}

function RestFault() {
  const [effect, setEffect] = useState<Effect>("status");
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    attempt(() => api.inject(wanted(form)));
  };
  return (
    <section aria-labelledby="rest-faults">
      <h3 id="rest-faults">REST</h3>
      <form class="fault-form" onSubmit={onSubmit}>
        <label class="whole">
          What goes wrong
          <select name="fault" value={effect} onChange={(event) => setEffect(event.currentTarget.value as Effect)}>
            {Object.entries(EFFECTS).map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        {effect === "status" && (
          <>
            <label>
              Status
              <select name="status">
                {STATUSES.map((status) => (
                  <option key={status}>{status}</option>
                ))}
              </select>
            </label>
            <label>
              Discord's code
              <input name="code" type="number" min="0" placeholder="0" />
            </label>
          </>
        )}
        {effect === "rate_limit" && (
          <>
            <label>
              Retry after, s
              <input name="retry_after" type="number" min="0" step="any" required defaultValue="2" />
            </label>
            <label>
              Scope
              <select name="scope">
                <option>route</option>
                <option>global</option>
              </select>
            </label>
          </>
        )}
        {effect === "slow" && (
          <label class="whole">
            Late by, s
            <input name="seconds" type="number" min="0" step="any" required defaultValue="4" />
          </label>
        )}
        <label>
          Method
          <select name="method">
            <option value="">any</option>
            {METHODS.map((method) => (
              <option key={method}>{method}</option>
            ))}
          </select>
        </label>
        <label>
          Path
          <input name="path" placeholder="/channels/*/messages" />
        </label>
        <label>
          Calls
          <input name="times" type="number" min="1" placeholder="until released" />
        </label>
        <label>
          Seconds
          <input name="lasting" type="number" min="0" step="any" placeholder="until released" />
        </label>
        <button type="submit" class="button danger whole">
          Begin
        </button>
      </form>
    </section>
  );
}

function GatewayFaults({ trouble }: { trouble: api.Trouble | undefined }) {
  const [code, setCode] = useState("4000");
  const [event, setEvent] = useState(EVENTS[0]);
  const gateway = trouble?.gateway;
  const order = (what: Record<string, unknown>) => () => attempt(() => api.orderGateway(what));
  return (
    <section aria-labelledby="gateway-faults">
      <h3 id="gateway-faults">Gateway</h3>
      <p class="hint">
        {gateway?.connected ?? 0} connected
        {gateway?.frozen && ", frozen"}
        {gateway?.refused && ", refusing connections"}
        {Object.entries(gateway?.duplicates ?? {}).map(([event, count]) => `, ${count} ${event} to be sent twice`)}
      </p>
      <div class="row">
        <button type="button" class="button secondary" onClick={order({ do: "drop" })}>
          Drop the connection
        </button>
        <button type="button" class="button secondary" onClick={order({ do: "reconnect" })}>
          Ask to reconnect
        </button>
        <button type="button" class="button secondary" onClick={order({ do: "invalidate", resumable: true })}>
          Invalidate, resumable
        </button>
        <button type="button" class="button secondary" onClick={order({ do: "invalidate" })}>
          Invalidate
        </button>
        <button
          type="button"
          class="button secondary"
          aria-pressed={gateway?.frozen}
          onClick={order({ do: gateway?.frozen ? "thaw" : "freeze" })}
        >
          {gateway?.frozen ? "Thaw" : "Freeze"}
        </button>
        <button
          type="button"
          class="button secondary"
          aria-pressed={gateway?.refused}
          onClick={order({ do: gateway?.refused ? "accept" : "refuse" })}
        >
          {gateway?.refused ? "Accept connections" : "Refuse connections"}
        </button>
      </div>
      <div class="row">
        <label class="inline">
          Close code
          <input
            type="number"
            min="1000"
            max="4999"
            list="close-codes"
            value={code}
            onInput={(event) => setCode(event.currentTarget.value)}
          />
        </label>
        <datalist id="close-codes">
          {CODES.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
        <button type="button" class="button secondary" onClick={order({ do: "close", code: Number(code) })}>
          Close with {code}
        </button>
      </div>
      <div class="row">
        <label class="inline">
          Event
          <select value={event} onChange={(change) => setEvent(change.currentTarget.value)}>
            {EVENTS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <button type="button" class="button secondary" onClick={order({ do: "duplicate_next", event })}>
          Send the next one twice
        </button>
      </div>
    </section>
  );
}

const TURNS: [string, number][] = [
  ["3 s", 3],
  ["1 min", 60],
  ["15 min", 900],
  ["1 h", 3600],
];

function Clock() {
  return (
    <section aria-labelledby="clock">
      <h3 id="clock">Clock</h3>
      <p class="hint">Turns localcord's clock on: deadlines, tokens and rate limits follow it.</p>
      <div class="row">
        {TURNS.map(([label, by]) => (
          <button key={by} type="button" class="button secondary" onClick={() => attempt(() => api.advanceClock(by))}>
            + {label}
          </button>
        ))}
      </div>
    </section>
  );
}
